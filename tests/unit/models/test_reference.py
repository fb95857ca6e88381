"""A reference says what the training data was like, and is read only as it was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.errors import ArtifactMismatch
from models.manifest import Artifact, Manifest
from models.reference import (
    BINS,
    REFERENCE_FILE,
    REFERENCE_ROLE,
    Reference,
    bin_probabilities,
    make_reference,
    read_reference,
    write_reference,
)
from models.registry import ARTIFACTS_ROOT, artifact_folder, read_catalog

NAME = "android-malware"


@pytest.fixture
def manifest() -> Manifest:
    return read_catalog(ARTIFACTS_ROOT).find(NAME, "1")


def invent(features: int) -> Reference:
    random = np.random.default_rng(3)
    matrix = random.integers(0, 2, (50, features), dtype=np.uint8)
    return make_reference(matrix, random.random(50), "each row weighs 1")


def place(root: Path, manifest: Manifest, reference: Reference) -> Manifest:
    """The manifest as it names that reference, which lies where it should."""
    folder = artifact_folder(root, manifest.name, manifest.version)
    folder.mkdir(parents=True)
    file = Artifact(file=REFERENCE_FILE, sha256=write_reference(reference, folder))
    return manifest.model_copy(update={"files": {REFERENCE_ROLE: file}})


@given(st.lists(st.floats(0, 1), max_size=200))
def test_bins_are_those_of_a_histogram(values: list[float]) -> None:
    counts = bin_probabilities(np.array(values, dtype=np.float64))
    edges = np.arange(BINS + 1) / BINS
    expected = np.bincount(
        np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1).astype(np.int64),
        minlength=BINS,
    )
    assert counts.sum() == len(values)
    # A value within rounding of an edge may fall to either side of it.
    if not any(abs(value * BINS - round(value * BINS)) < 1e-9 for value in values):
        np.testing.assert_array_equal(counts, expected)


def test_the_ends_are_in_the_outer_bins() -> None:
    counts = bin_probabilities(np.array([0.0, 0.049, 0.05, 0.95, 1.0]))
    assert (counts[0], counts[1], counts[-1]) == (2, 1, 2)


def test_weights_count_rows_of_a_vector_together() -> None:
    matrix = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.uint8)
    made = make_reference(
        matrix, np.array([0.9, 0.9, 0.1]), "each vector", np.array([0.5, 0.5, 1.0])
    )
    assert (made.rows, made.feature_ones) == (2.0, (1.0, 1.0))
    assert (made.probability_bins[2], made.probability_bins[18]) == (1.0, 1.0)


def test_what_is_written_is_read_again(tmp_path: Path, manifest: Manifest) -> None:
    reference = invent(len(manifest.features))
    assert read_reference(tmp_path, place(tmp_path, manifest, reference)) == reference


def test_a_model_without_a_reference_has_none(tmp_path: Path, manifest: Manifest) -> None:
    assert read_reference(tmp_path, manifest.model_copy(update={"files": {}})) is None


def test_another_reference_than_the_manifests_is_refused(
    tmp_path: Path, manifest: Manifest
) -> None:
    placed = place(tmp_path, manifest, invent(len(manifest.features)))
    path = artifact_folder(tmp_path, NAME, "1") / REFERENCE_FILE
    path.write_text(path.read_text().replace("each row", "every row"))
    with pytest.raises(ArtifactMismatch, match="sha256"):
        read_reference(tmp_path, placed)
    path.unlink()
    with pytest.raises(ArtifactMismatch, match="No such file"):
        read_reference(tmp_path, placed)


def test_a_reference_of_other_features_is_refused(tmp_path: Path, manifest: Manifest) -> None:
    placed = place(tmp_path, manifest, invent(3))
    with pytest.raises(ArtifactMismatch, match="number of features"):
        read_reference(tmp_path, placed)


def test_counts_that_cannot_be_are_refused() -> None:
    good = invent(3).model_dump()
    for fault in (
        {"rows": 40.0},
        {"feature_ones": (60.0, 1.0, 1.0)},
        {"probability_bins": good["probability_bins"][:-1]},
    ):
        with pytest.raises(ValidationError):
            Reference.model_validate({**good, **fault})


def test_the_committed_model_has_a_reference_of_its_training_rows(manifest: Manifest) -> None:
    reference = read_reference(ARTIFACTS_ROOT, manifest)
    assert reference is not None
    assert manifest.training is not None
    assert reference.rows == manifest.training.rows
    assert reference.probability_bins[-1] > 0.5 * reference.rows
