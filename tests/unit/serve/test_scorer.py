"""The pool of models: sound rows get their probability whatever stands beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ArtifactMismatch, PredictionFailed
from models.lightgbm_model import LightGBMModel
from models.registry import artifact_folder
from serve.scorer import ModelPool, predict_or_nan
from serve.settings import ServeSettings
from tests.support import explained_model
from tests.support.explained_model import write_explained_model
from tests.support.fragile_model import MODEL_FILE, NAME, VERSION, write_fragile_model
from tests.support.serving import Models

Matrix = np.ndarray[Any, Any]
POISON, PLAIN, SEND_SMS = [1, 0, 0], [0, 0, 0], [0, 0, 1]


class WholeBatches:
    """A model that blames all rows where one is bad (its first value is 1)."""

    def __init__(self) -> None:
        self.calls = 0

    def predict(self, matrix: Matrix) -> Matrix:
        self.calls += 1
        if matrix[:, 0].any():
            raise PredictionFailed("something in here", range(len(matrix)))
        return matrix[:, 1] / 2


class NamedRows(WholeBatches):
    """A model that names the bad rows."""

    def predict(self, matrix: Matrix) -> Matrix:
        self.calls += 1
        bad = np.flatnonzero(matrix[:, 0])
        if len(bad):
            raise PredictionFailed("these", bad.tolist())
        return matrix[:, 1] / 2


def score(model: WholeBatches, rows: list[list[int]]) -> list[float]:
    matrix = np.array(rows, dtype=np.uint8).reshape(-1, 2)
    found: list[float] = predict_or_nan(cast("LightGBMModel", model), matrix).tolist()
    return found


@pytest.mark.parametrize("kind", [WholeBatches, NamedRows])
@given(rows=st.lists(st.lists(st.integers(0, 1), min_size=2, max_size=2), min_size=1, max_size=40))
def test_rows_are_nan_exactly_where_the_model_fails(
    kind: type[WholeBatches], rows: list[list[int]]
) -> None:
    expected = [np.nan if bad else value / 2 for bad, value in rows]
    np.testing.assert_array_equal(score(kind(), rows), expected)


def test_one_bad_row_of_many_is_found_by_halving() -> None:
    model = WholeBatches()
    rows = [[0, 1]] * 1023 + [[1, 1]]
    assert np.isnan(score(model, rows)).sum() == 1
    assert model.calls <= 2 * 10 + 1


def test_named_rows_are_left_out_at_once() -> None:
    model = NamedRows()
    score(model, [[0, 1], [1, 1]] * 100)
    assert model.calls == 2


def test_a_sound_batch_is_one_call() -> None:
    model = WholeBatches()
    assert score(model, [[0, 1], [0, 0]]) == [0.5, 0.0]
    assert model.calls == 1


def test_the_pool_scores_packed_rows(models: Models) -> None:
    rows = np.array([PLAIN, SEND_SMS, POISON, SEND_SMS], dtype=np.uint8)
    packed = np.packbits(rows, axis=1).tobytes()
    found = models.pool.predict(NAME, VERSION, packed, len(rows))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, [0.268941, 0.731059, np.nan, 0.731059], atol=1e-6)


def test_a_pool_with_another_artifact_than_was_described_does_not_start(tmp_path: Path) -> None:
    write_fragile_model(tmp_path)
    artifact = artifact_folder(tmp_path, NAME, VERSION) / MODEL_FILE
    artifact.write_text(artifact.read_text().replace("leaf_value=0 2", "leaf_value=0 3"))
    with pytest.raises(ArtifactMismatch, match="sha256"):
        ModelPool(ServeSettings(models_dir=tmp_path))


def test_the_pool_explains_packed_rows(tmp_path: Path) -> None:
    write_explained_model(tmp_path)
    pool = ModelPool(ServeSettings(models_dir=tmp_path))
    found = pool.explain(explained_model.NAME, VERSION, b"\x20\x00", 2, 1)
    np.testing.assert_allclose(found["probability"], [0.880797, 0.268941], atol=1e-6)
    assert found["features"].tolist() == [[2], [2]]
    assert found["rest"].tolist() == [-explained_model.INTERNET] * 2


def test_drift_counts_what_is_explained_once(tmp_path: Path) -> None:
    write_explained_model(tmp_path)
    pool = ModelPool(ServeSettings(models_dir=tmp_path))
    pool.explain(explained_model.NAME, VERSION, b"\x20", 1, 1, counts=False)
    assert pool.scored.take() == {}
    pool.explain(explained_model.NAME, VERSION, b"\x20", 1, 1)
    assert len(pool.scored.take()) == 1
