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


class ManifestInvalid(ModelError):
    """A manifest is missing, cannot be read, or contradicts itself or its place."""

    code = "manifest_invalid"


class ArtifactMismatch(ModelError):
    """An artifact is not what its manifest says: other bytes, other features, another kind."""

    code = "artifact_mismatch"


class RuntimeLibraryMissing(ModelError):
    """A shared library that LightGBM needs is not installed on this machine."""

    code = "runtime_library_missing"


class PredictionFailed(ModelError):
    """No probability for `rows` (indices into the matrix); the rows beside them are sound."""

    code = "prediction_failed"

    def __init__(self, reason: str, rows: Sequence[int]) -> None:
        super().__init__(reason, tuple(rows))
        self.reason = reason
        self.rows = tuple(rows)

    def __str__(self) -> str:
        return f"{self.reason} (rows {', '.join(map(str, self.rows))})"
