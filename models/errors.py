"""What can go wrong with models and their artifacts."""

from __future__ import annotations

from collections.abc import Sequence


class ModelError(Exception):
    """Base of all errors of this package. `code` is stable; arguments are positional and pickle."""

    code = "model_error"


class UnknownModel(ModelError):
    """No model has this name."""

    code = "unknown_model"

    def __init__(self, name: str, existing: Sequence[str] = ()) -> None:
        super().__init__(name, tuple(existing))
        self.name = name
        self.existing = tuple(existing)

    def __str__(self) -> str:
        return f"there is no model {self.name!r}; there is: {', '.join(self.existing) or 'none'}"


class UnknownVersion(ModelError):
    """The model exists, but not in this version."""

    code = "unknown_version"

    def __init__(self, name: str, version: str, existing: Sequence[str] = ()) -> None:
        super().__init__(name, version, tuple(existing))
        self.name = name
        self.version = version
        self.existing = tuple(existing)

    def __str__(self) -> str:
        return (
            f"model {self.name!r} has no version {self.version!r}; "
            f"there is: {', '.join(self.existing) or 'none'}"
        )


class VersionRetired(ModelError):
    """The version exists, and is not served any more."""

    code = "version_retired"

    def __init__(self, name: str, version: str, served: Sequence[str] = ()) -> None:
        super().__init__(name, version, tuple(served))
        self.name = name
        self.version = version
        self.served = tuple(served)

    def __str__(self) -> str:
        return (
            f"version {self.version!r} of model {self.name!r} is retired; "
            f"there is: {', '.join(self.served)}"
        )


class RolloutInvalid(ModelError):
    """A `rollout.json` cannot be read, contradicts itself, or names versions that do not exist."""

    code = "rollout_invalid"


class RolloutRefused(ModelError):
    """The step does not follow from the model's present state."""

    code = "rollout_refused"


class RegistryBusy(ModelError):
    """Another command has been writing to the folder of models for too long."""

    code = "registry_busy"


class PublishRefused(ModelError):
    """A folder is not fit to be published: its golden answers, its name, its version."""

    code = "publish_refused"


class SignatureInvalid(ModelError):
    """A version is not signed by the key that this installation trusts."""

    code = "signature_invalid"


class ManifestInvalid(ModelError):
    """A manifest is missing, cannot be read, or contradicts itself or its place."""

    code = "manifest_invalid"


class ArtifactMismatch(ModelError):
    """An artifact is not what its manifest says: other bytes, other features, another kind."""

    code = "artifact_mismatch"


class RuntimeLibraryMissing(ModelError):
    """A shared library that a model needs is not installed on this machine."""

    code = "runtime_library_missing"


class ExplanationUnsupported(ModelError):
    """Models of this kind cannot say what contributed to a probability."""

    code = "explanation_unsupported"

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind

    def __str__(self) -> str:
        return f"a model of the kind {self.kind!r} cannot explain its predictions"


class PredictionFailed(ModelError):
    """No probability for `rows` (indices into the matrix); the rows beside them are sound."""

    code = "prediction_failed"

    def __init__(self, reason: str, rows: Sequence[int]) -> None:
        super().__init__(reason, tuple(rows))
        self.reason = reason
        self.rows = tuple(rows)

    def __str__(self) -> str:
        return f"{self.reason} (rows {', '.join(map(str, self.rows))})"
