"""Golden answers: inputs kept with a model, and the probabilities it must give to them.

They show that a model is the one that was meant, and runs here as it did where it was made. A
flipped byte is the checksum's to find; a library that computes something else is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import Field, ValidationError

from data.schema import FeatureSchema
from models.errors import ManifestInvalid, PredictionFailed, PublishRefused
from models.manifest import Artifact, Kind, Manifest, Part, Probability, describe_faults
from models.prediction import Matrix, Model

GOLDEN_FILE = "golden.json"
INSTANCES_MAX = 1_000
TOLERANCE_MAX = 0.01
DEFAULT_TOLERANCE: dict[Kind, float] = {"lightgbm": 1e-9, "onnx": 1e-5}
"""LightGBM adds float64; onnxruntime float32, in an order that depends on the processor."""

Bit = Annotated[int, Field(ge=0, le=1)]
Instance: TypeAlias = tuple[str, ...] | tuple[Bit, ...]
"""The names of the features that are present, or a zero or one for each feature."""


class Golden(Part):
    """The content of a `golden.json`."""

    tolerance: Annotated[float, Field(gt=0, le=TOLERANCE_MAX)]
    instances: Annotated[tuple[Instance, ...], Field(min_length=1, max_length=INSTANCES_MAX)]
    probabilities: tuple[Probability, ...]


def record_golden(model: Model, instances: Sequence[Sequence[str] | Sequence[int]]) -> Golden:
    """What `model` answers to these now, to be kept with it.

    Raises PublishRefused for instances that do not fit its features, or that it fails on.
    """
    matrix = rows_of(instances, model.manifest.feature_schema)
    found = [round(value, 12) for value in _predict(model, matrix).tolist()]
    try:
        return Golden(
            tolerance=DEFAULT_TOLERANCE[model.manifest.kind],
            instances=tuple(tuple(one) for one in instances),  # type: ignore[misc]
            probabilities=tuple(found),
        )
    except ValidationError as error:
        raise PublishRefused(f"golden answers: {describe_faults(error)}") from error


def write_golden(folder: Path, golden: Golden) -> bytes:
    """Write `golden.json` into `folder`; the bytes, for the manifest's checksum."""
    content = (golden.model_dump_json(indent=1) + "\n").encode()
    (folder / GOLDEN_FILE).write_bytes(content)
    return content


def parse_golden(content: bytes, file: Artifact) -> Golden:
    """The golden answers that these bytes are; raises ManifestInvalid."""
    try:
        return Golden.model_validate_json(content)
    except ValidationError as error:
        raise ManifestInvalid(f"{file.file}: {describe_faults(error)}") from error


def check_golden(model: Model, golden: Golden) -> None:
    """Raise PublishRefused naming the first instance that `model` answers otherwise."""
    matrix = rows_of(golden.instances, model.manifest.feature_schema)
    expected = np.array(golden.probabilities)
    if len(expected) != len(matrix):
        raise PublishRefused(
            f"{len(matrix)} golden inputs have {len(expected)} expected probabilities"
        )
    found = _predict(model, matrix)
    wrong = np.flatnonzero(np.abs(found - expected) > golden.tolerance)
    if len(wrong):
        first = int(wrong[0])
        raise PublishRefused(
            f"{len(wrong)} of {len(matrix)} golden inputs are answered otherwise; input {first}: "
            f"{found[first]!s}, expected {expected[first]!s} within {golden.tolerance!s}"
        )


def rows_of(instances: Sequence[Sequence[str] | Sequence[int]], schema: FeatureSchema) -> Matrix:
    """The instances as a matrix; raises PublishRefused naming one that does not fit."""
    return np.array(
        [_row_of(instance, number, schema) for number, instance in enumerate(instances)],
        dtype=np.uint8,
    ).reshape(len(instances), len(schema))


def _row_of(instance: Sequence[Any], number: int, schema: FeatureSchema) -> list[int]:
    if all(isinstance(name, str) for name in instance):
        columns = [schema.column(name) for name in instance]
        for name, column in zip(instance, columns, strict=True):
            if column is None:
                raise PublishRefused(f"golden input {number}: the model has no feature {name!r}")
        present = set(columns)
        return [int(column in present) for column in range(len(schema))]
    if len(instance) != len(schema):
        raise PublishRefused(
            f"golden input {number} has {len(instance)} values for {len(schema)} features"
        )
    if any(type(value) is not int or value not in (0, 1) for value in instance):
        raise PublishRefused(f"golden input {number} is not of zeros and ones, or of names")
    return list(instance)


def _predict(model: Model, matrix: Matrix) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        return model.predict(matrix)
    except PredictionFailed as failure:
        raise PublishRefused(f"the model fails on its golden inputs: {failure}") from failure


def golden_of(manifest: Manifest) -> Artifact:
    """The manifest's golden part; raises PublishRefused where it has none."""
    if manifest.golden is None:
        raise PublishRefused(
            f"{manifest.name} {manifest.version} has no golden answers; `farebox models draft` "
            "records them from examples"
        )
    return manifest.golden
