"""Training: deterministic, and what is committed is what it makes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ml_task.card import render_card
from ml_task.evaluate import Plan
from ml_task.published import BOOSTED, PUBLISHED
from ml_task.recipe import weigh_vectors
from ml_task.train import CARD_FILE, count_fits, train
from models.loading import load_model
from models.manifest import Manifest
from models.registry import ARTIFACTS_ROOT, artifact_folder, read_catalog
from tests.support.datasets import load_real_dataset

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
SMALL = Plan(seeds=(0,), folds=2, resamples=20)


@dataclass(frozen=True, slots=True)
class Run:
    """One training: below which root, the manifest, the files' bytes, and what it told."""

    root: Path
    manifest: Manifest
    files: dict[str, bytes]
    told: list[str]


@pytest.fixture(scope="module", params=sorted(PUBLISHED))
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Two trainings of the same model at different moments."""
    made = []
    for day in range(2):
        root, told = tmp_path_factory.mktemp("artifacts"), list[str]()
        manifest = train(
            load_real_dataset(),
            PUBLISHED[request.param],
            root,
            MOMENT + timedelta(days=day),
            plan=SMALL,
            tell=told.append,
        )
        folder = artifact_folder(root, manifest.name, manifest.version)
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        made.append(Run(root, manifest, files, told))
    return made


def test_two_runs_make_the_same_files_to_the_byte(runs: list[Run]) -> None:
    first, second = ({**run.files, "manifest.json": b"", "card.md": b""} for run in runs)
    assert first == second
    assert len(first) > 2


def test_two_manifests_differ_in_their_moment_only(runs: list[Run]) -> None:
    first, second = (run.manifest for run in runs)
    assert first.created_at != second.created_at
    assert first.model_copy(update={"created_at": second.created_at}) == second


def test_every_fit_is_told(runs: list[Run]) -> None:
    assert len(runs[0].told) == count_fits(SMALL)


def test_committed_model_predicts_as_a_new_one(runs: list[Run]) -> None:
    new = load_model(runs[0].root, runs[0].manifest)
    known = read_catalog().find(runs[0].manifest.name, runs[0].manifest.version)
    committed = load_model(ARTIFACTS_ROOT, known)
    matrix = load_real_dataset().matrix
    np.testing.assert_allclose(new.predict(matrix), committed.predict(matrix), atol=1e-6)


def test_exported_file_predicts_as_what_was_measured(runs: list[Run]) -> None:
    published = PUBLISHED[runs[0].manifest.name]
    dataset = load_real_dataset()
    measured = published.fit(dataset.matrix, dataset.labels)(dataset.matrix)
    served = load_model(runs[0].root, runs[0].manifest).predict(dataset.matrix)
    np.testing.assert_allclose(served, measured, atol=1e-5)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_committed_card_is_that_of_the_committed_manifest(name: str) -> None:
    manifest = read_catalog().find(name, PUBLISHED[name].version)
    card = artifact_folder(ARTIFACTS_ROOT, name, manifest.version) / CARD_FILE
    assert card.read_text(encoding="utf-8") == render_card(manifest)


def test_committed_honest_scores_are_no_worse_than_the_reference() -> None:
    metrics = read_catalog().find(BOOSTED.name, BOOSTED.version).metrics
    # The untuned random forest's macro F1 and the linear model's Brier score on the same split.
    assert metrics["unique_vectors"].f1_macro.high >= 0.934
    assert metrics["unique_vectors"].brier.mean <= 0.036
    assert metrics["held_out_clusters"].roc_auc.mean > 0.962
    assert metrics["random_rows"].leaks
    assert not metrics["held_out_clusters"].leaks


def test_each_vector_weighs_one_however_often_it_is_repeated() -> None:
    matrix = np.array([[0, 1]] * 4 + [[1, 0]], dtype=np.uint8)
    labels = np.array([1, 1, 1, 0, 1], dtype=np.uint8)
    vectors, targets, weights = weigh_vectors(matrix, labels)
    assert vectors.tolist() == [[0, 1], [0, 1], [1, 0]]
    assert targets.tolist() == [0, 1, 1]
    assert weights.tolist() == [0.25, 0.75, 1.0]
