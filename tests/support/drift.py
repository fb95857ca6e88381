"""Rows as a scorer would have counted them: like the committed model's training data, or not."""

from __future__ import annotations

import shutil
import uuid
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from billing.database import Database
from billing.reports.drift import ScoredRows, add_scored
from models.loading import load_model
from models.manifest import MANIFEST_FILE, Artifact, write_manifest
from models.reference import (
    BINS,
    REFERENCE_FILE,
    REFERENCE_ROLE,
    Reference,
    make_reference,
    read_reference,
    write_reference,
)
from models.registry import ARTIFACTS_ROOT, artifact_folder, read_catalog

MODEL, VERSION = "android-malware", "1"
MANIFEST = read_catalog(ARTIFACTS_ROOT).find(MODEL, VERSION)


def read_committed_reference() -> Reference:
    """The committed model's."""
    reference = read_reference(ARTIFACTS_ROOT, MANIFEST)
    assert reference is not None
    return reference


def usual_rows(day: date) -> ScoredRows:
    """Exactly the training data."""
    reference = read_committed_reference()
    return ScoredRows(
        day,
        MODEL,
        VERSION,
        round(reference.rows),
        tuple(map(round, reference.feature_ones)),
        tuple(map(round, reference.probability_bins)),
    )


def odd_rows(day: date, rows: int = 1_000) -> ScoredRows:
    """Nothing is present in them, and all of them get the same probability."""
    bins = [0] * BINS
    bins[3] = rows
    return ScoredRows(day, MODEL, VERSION, rows, (0,) * len(MANIFEST.features), tuple(bins))


async def add_rows(database: Database, *scored: ScoredRows) -> None:
    """As from a replica of its own."""
    await add_scored(database, uuid.uuid4(), 1, scored)


TWIN = "android-malware-twin"
"""The committed model under another name, which nobody but the tests of drift asks."""


def write_twin_model(root: Path) -> None:
    """With `draw_usual` for its training data."""
    manifest = MANIFEST.model_copy(update={"name": TWIN})
    folder = artifact_folder(root, TWIN, VERSION)
    shutil.copytree(artifact_folder(ARTIFACTS_ROOT, MODEL, VERSION), folder)
    matrix = draw_usual(5_000, seed=0)
    probabilities = load_model(ARTIFACTS_ROOT, MANIFEST).predict(matrix)
    sha256 = write_reference(make_reference(matrix, probabilities, "each row weighs 1"), folder)
    file = Artifact(file=REFERENCE_FILE, sha256=sha256)
    files = {**manifest.files, REFERENCE_ROLE: file}
    write_manifest(manifest.model_copy(update={"files": files}), folder / MANIFEST_FILE)


def draw_usual(rows: int, seed: int) -> NDArray[np.uint8]:
    """Rows whose features are as common as in the committed model's data, each by itself."""
    reference = read_committed_reference()
    shares = np.array(reference.feature_ones) / reference.rows
    drawn: NDArray[np.uint8] = (
        np.random.default_rng(seed).random((rows, len(shares))) < shares
    ).astype(np.uint8)
    return drawn
