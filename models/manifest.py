"""What a committed artifact is: its features, labels, threshold, origin and measured quality."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from data.schema import FeatureSchema
from models.errors import ManifestInvalid

MANIFEST_FILE = "manifest.json"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Version = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=64)]
Role = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$", max_length=32)]
Kind = Literal["lightgbm", "onnx"]
_EXPLAINED_KINDS: frozenset[Kind] = frozenset({"lightgbm"})
Probability = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """Base of the manifest's parts: frozen, exact types, no unknown fields, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Labels(Part):
    """The words for the two classes; the model's probability is that of `positive`."""

    negative: str
    positive: str


class Decision(Part):
    """From which probability on the label is positive, and what that does on `measured_on`."""

    threshold: Probability
    cost_ratio: Annotated[float, Field(gt=0)] | None = None
    """Cost of a miss, in false alarms."""
    measured_on: str | None = None
    recall: Probability | None = None
    false_positive_rate: Probability | None = None


class Artifact(Part):
    """A file beside the manifest."""

    file: FileName
    sha256: Sha256


class Training(Part):
    """What the artifact was made from and how."""

    data_sha256: Sha256
    rows: Annotated[int, Field(gt=0)]
    vectors: Annotated[int, Field(gt=0, description="unique feature vectors among the rows")]
    weighting: str
    seed: int
    library: str
    parameters: dict[str, int | float | str | bool]


class Estimate(Part):
    """A mean over seeds with a 95 % bootstrap interval over groups."""

    mean: float
    low: float
    high: float


class SplitMetrics(Part):
    """Out-of-fold quality on one way to split, labels decided at probability 0.5."""

    about: str
    leaks: bool
    rows: int
    groups: int
    accuracy: Estimate
    f1_macro: Estimate
    f1_positive: Estimate
    roc_auc: Estimate
    pr_auc: Estimate
    mcc: Estimate
    brier: Estimate


class Manifest(Part):
    """The content of a `manifest.json`."""

    name: Name
    version: Version
    kind: Kind
    created_at: AwareDatetime
    labels: Labels
    decision: Decision
    artifact: Artifact
    golden: Artifact | None = None
    """Inputs with the answers that the model must give to them."""
    files: dict[Role, Artifact] = {}
    """Other files of this version by what they are for, such as `reference`."""
    training: Training | None = None
    metrics: dict[str, SplitMetrics] = {}
    features_sha256: Sha256
    features: tuple[str, ...]

    @model_validator(mode="after")
    def check_features(self) -> Self:
        """Refuse names that are empty, repeated or not those that were hashed."""
        if self.feature_schema.sha256 != self.features_sha256:
            raise ValueError("features_sha256 is not that of the features")
        return self

    @cached_property
    def feature_schema(self) -> FeatureSchema:
        """The features as what requests are validated against."""
        return FeatureSchema(self.features)

    @property
    def every_file(self) -> tuple[Artifact, ...]:
        """All files that the manifest holds a checksum of, the model itself first."""
        golden = () if self.golden is None else (self.golden,)
        return (self.artifact, *golden, *self.files.values())

    @property
    def version_number(self) -> int:
        """The version as a number: 10 comes after 9."""
        return int(self.version)

    @property
    def threshold(self) -> float:
        """The probability from which on the label is the positive one."""
        return self.decision.threshold

    @property
    def can_explain(self) -> bool:
        """Whether the contributions of the features can be told, which not every kind can."""
        return self.kind in _EXPLAINED_KINDS

    def label_of(self, probability: float) -> str:
        """The word for a row of this probability."""
        positive = probability >= self.decision.threshold
        return self.labels.positive if positive else self.labels.negative


def read_manifest(path: Path) -> Manifest:
    """Read one `manifest.json`; raises ManifestInvalid naming the file and every fault."""
    try:
        return parse_manifest(path.read_bytes(), path)
    except OSError as error:
        raise ManifestInvalid(f"{path}: {error.strerror}") from error


def parse_manifest(content: bytes, path: Path) -> Manifest:
    """The manifest that these bytes, read from `path`, are; raises ManifestInvalid."""
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise ManifestInvalid(f"{path}: {describe_faults(error)}") from error


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write `manifest` as indented JSON; equal manifests give equal bytes."""
    text = manifest.model_dump_json(indent=1, exclude_none=True)
    path.write_text(text + "\n", encoding="utf-8")


def describe_faults(error: ValidationError) -> str:
    """Every fault with its place, in one line."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'manifest'}: {fault['msg']}" for fault in faults
    )
