"""Training: deterministic, and what is committed is what it makes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ml_task.card import render_card
from ml_task.evaluate import Plan
from ml_task.recipe import weigh_vectors
from ml_task.train import CARD_FILE, app, train
from models.loading import load_model
from models.manifest import Manifest
from models.registry import ARTIFACTS_ROOT, artifact_folder, read_catalog
from tests.support.datasets import load_real_dataset

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
SMALL = Plan(seeds=(0,), folds=2, resamples=20)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Manifest, bytes]]:
    """What two runs at different moments made."""
    made = []
    for run in range(2):
        root = tmp_path_factory.mktemp("artifacts")
        manifest = train(load_real_dataset(), root, "1", MOMENT + timedelta(days=run), SMALL)
        folder = artifact_folder(root, manifest.name, "1")
        made.append((manifest, (folder / manifest.artifact.file).read_bytes()))
    return made


def test_two_runs_make_the_same_model_to_the_byte(trained: list[tuple[Manifest, bytes]]) -> None:
    (_, first), (_, second) = trained
    assert first == second


def test_two_manifests_differ_in_their_moment_only(trained: list[tuple[Manifest, bytes]]) -> None:
    (first, _), (second, _) = trained
    assert first.created_at != second.created_at
    assert first.model_copy(update={"created_at": second.created_at}) == second


def test_committed_model_predicts_as_a_new_one(
    trained: list[tuple[Manifest, bytes]], tmp_path: Path
) -> None:
    manifest, content = trained[0]
    folder = artifact_folder(tmp_path, manifest.name, "1")
    folder.mkdir(parents=True)
    (folder / manifest.artifact.file).write_bytes(content)
    matrix = load_real_dataset().matrix
    committed = load_model(ARTIFACTS_ROOT, read_catalog().find(manifest.name, "1"))
    new = load_model(tmp_path, manifest)
    np.testing.assert_allclose(new.predict(matrix), committed.predict(matrix), atol=1e-9)


def test_committed_card_is_that_of_the_committed_manifest() -> None:
    manifest = read_catalog().find("android-malware", "1")
    card = artifact_folder(ARTIFACTS_ROOT, manifest.name, "1") / CARD_FILE
    assert card.read_text(encoding="utf-8") == render_card(manifest)


def test_committed_honest_scores_are_no_worse_than_the_reference() -> None:
    metrics = read_catalog().find("android-malware", "1").metrics
    # Untuned LightGBM on the same splits, from the data set's measurements.
    assert metrics["unique_vectors"].roc_auc.mean > 0.977
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


def test_missing_data_set_ends_with_a_message_and_not_a_trace(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--dataset", str(tmp_path / "no.csv"), "--out", "unused"])
    assert result.exit_code == 1
    assert "no such file" in result.output
    assert isinstance(result.exception, SystemExit)
