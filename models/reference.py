"""What a model was trained on, as counts to hold the served rows against: `reference.json`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from models.errors import ArtifactMismatch
from models.loading import read_checked
from models.manifest import Manifest, Part
from models.registry import artifact_folder

REFERENCE_FILE = "reference.json"
REFERENCE_ROLE = "reference"
"""The file's name among the `files` of a manifest."""

BINS = 20
"""Of equal width from 0 to 1. Changing it makes what is stored incomparable."""

Count = Annotated[float, Field(ge=0)]
Matrix: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float64]


class Reference(Part):
    """The training data as a distribution: the content of a `reference.json`.

    Counts are sums of weights: what weighs 1 is said by `weighting`. `feature_ones` are in the
    order of the manifest's features; bin i of `probability_bins` counts probabilities from i/20 to
    below (i+1)/20, the last one 1 too.
    """

    format: Literal[1] = 1
    weighting: Annotated[str, Field(min_length=1, max_length=200)]
    rows: Annotated[float, Field(gt=0)]
    feature_ones: tuple[Count, ...]
    probability_bins: Annotated[tuple[Count, ...], Field(min_length=BINS, max_length=BINS)]

    @model_validator(mode="after")
    def check_counts(self) -> Self:
        """Refuse counts that cannot be those of so many rows."""
        slack = 1e-6 * self.rows
        if any(ones > self.rows + slack for ones in self.feature_ones):
            raise ValueError("a feature is present more often than there are rows")
        if abs(sum(self.probability_bins) - self.rows) > slack:
            raise ValueError("the bins do not add up to the rows")
        return self


def bin_probabilities(probabilities: Floats, weights: Floats | None = None) -> NDArray[Any]:
    """How many (or how much weight) fall into each of the bins, (20,); none may be NaN.

    `np.histogram` finds the same and takes ten times as long.
    """
    bins = (probabilities * BINS).astype(np.int64)
    counts = np.bincount(bins, weights=weights, minlength=BINS + 1)
    counts[BINS - 1] += counts[BINS]
    return counts[:BINS]


def make_reference(
    matrix: Matrix, probabilities: Floats, weighting: str, weights: Floats | None = None
) -> Reference:
    """The reference of a training set, for `write_reference`.

    `matrix`: uint8 (n, features) of zeros and ones, columns as in the manifest. `probabilities`:
    float64 (n,) of the positive label, each by a model that has not seen the row (out of fold):
    a model is surer of rows that it was fitted on than of any it will serve. `weights`: float64
    (n,), 1 for each row if left out. `weighting` says in words what weighs 1, such as "each app of
    the data set weighs 1": with it the class balance that served rows are held against.
    """
    given = np.ones(len(matrix)) if weights is None else weights
    return Reference(
        weighting=weighting,
        rows=float(given.sum()),
        feature_ones=tuple((given @ matrix).tolist()),
        probability_bins=tuple(bin_probabilities(probabilities, given).tolist()),
    )


def write_reference(reference: Reference, folder: Path) -> str:
    """Write `reference.json` into `folder`; its sha256, for the manifest's `files`."""
    content = (reference.model_dump_json(indent=1) + "\n").encode()
    (folder / REFERENCE_FILE).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def read_reference(root: Path, manifest: Manifest) -> Reference | None:
    """The version's reference; None where its manifest names none. Raises ArtifactMismatch."""
    named = manifest.files.get(REFERENCE_ROLE)
    if named is None:
        return None
    folder = artifact_folder(root, manifest.name, manifest.version)
    content, path = read_checked(folder, named), folder / named.file
    try:
        reference = Reference.model_validate_json(content)
    except ValidationError as error:
        raise ArtifactMismatch(f"{path}: {error.error_count()} faults, {error}") from error
    if len(reference.feature_ones) != len(manifest.features):
        raise ArtifactMismatch(f"{path}: the manifest has another number of features")
    return reference
