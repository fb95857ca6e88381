"""What contributed to a probability adds up to it, or the row has failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import PredictionFailed
from models.explanations import TOLERANCE, agree, explain_rows, row_type
from models.lightgbm_model import LightGBMModel
from models.loading import load_model
from models.prediction import Model
from models.registry import ARTIFACTS_ROOT, read_catalog
from tests.support import explained_model
from tests.support.explained_model import BASE, INTERNET, SEND_SMS, write_explained_model

Matrix = np.ndarray[Any, Any]


def sigmoid(scores: Matrix) -> Matrix:
    result: Matrix = 1 / (1 + np.exp(-scores))
    return result


class Told(Model):
    """A model whose contributions are what it is told, by the first value of a row."""

    def __init__(self, *contributions: list[float]) -> None:
        self.contributions = np.array(contributions)
        self.calls = 0

    def explain(self, matrix: Matrix) -> Matrix:
        self.calls += 1
        found: Matrix = self.contributions[matrix[:, 0]]
        return found


class FailsOn(Told):
    """The same; it fails on the whole matrix where a row's second value is 1."""

    def explain(self, matrix: Matrix) -> Matrix:
        if matrix[:, 1].any():
            raise PredictionFailed("something in here", range(len(matrix)))
        return super().explain(matrix)


def rows(*values: list[int]) -> Matrix:
    return np.array(values, dtype=np.uint8).reshape(len(values), -1)


@pytest.fixture(scope="module")
def model() -> LightGBMModel:
    loaded = load_model(ARTIFACTS_ROOT, read_catalog().find("android-malware", "1"))
    assert isinstance(loaded, LightGBMModel)
    return loaded


@pytest.fixture
def small_model(tmp_path: Path) -> LightGBMModel:
    write_explained_model(tmp_path)
    loaded = load_model(tmp_path, read_catalog(tmp_path).find(explained_model.NAME))
    assert isinstance(loaded, LightGBMModel)
    return loaded


@pytest.mark.parametrize("features_max", [1, 10, 100])
def test_contributions_and_rest_add_up_to_lightgbms_raw_score(
    model: LightGBMModel, features_max: int
) -> None:
    matrix = (np.random.default_rng(1).random((50, 241)) < 0.1).astype(np.uint8)
    probabilities = model.predict(matrix)
    explained = explain_rows(model, matrix, probabilities, features_max)
    sums = explained["base"] + explained["contributions"].sum(axis=1) + explained["rest"]
    raw_scores = model.booster.predict(matrix, raw_score=True)
    np.testing.assert_allclose(sums, raw_scores, atol=1e-12)
    np.testing.assert_allclose(explained["raw_score"], raw_scores, atol=1e-12)
    np.testing.assert_array_equal(explained["probability"], probabilities)


def test_the_largest_are_told_and_are_lightgbms_own(model: LightGBMModel) -> None:
    matrix = (np.random.default_rng(2).random((50, 241)) < 0.1).astype(np.uint8)
    explained = explain_rows(model, matrix, model.predict(matrix), 10)
    every = np.asarray(model.booster.predict(matrix, pred_contrib=True))
    for row, contributions in zip(explained, every, strict=True):
        columns = row["features"].tolist()
        assert len(set(columns)) == 10
        np.testing.assert_array_equal(row["contributions"], contributions[columns])
        sizes = np.abs(row["contributions"])
        assert (np.diff(sizes) <= 0).all()
        left_out = np.delete(np.abs(contributions[:-1]), columns)
        assert left_out.max() <= sizes.min()
        assert row["base"] == contributions[-1]


def test_a_small_model_is_explained_as_by_hand(small_model: LightGBMModel) -> None:
    matrix = rows([0, 1, 1], [1, 0, 1], [0, 0, 0])
    explained = explain_rows(small_model, matrix, small_model.predict(matrix), 5)
    assert explained["base"].tolist() == [BASE] * 3
    assert explained["raw_score"].tolist() == [3.0, 2.0, -1.0]
    assert explained["features"].tolist() == [[2, 1, 0, 0, 0]] * 3
    assert explained["contributions"].tolist() == [
        [SEND_SMS, INTERNET, 0, 0, 0],
        [SEND_SMS, -INTERNET, 0, 0, 0],
        [-SEND_SMS, -INTERNET, 0, 0, 0],
    ]
    assert explained["rest"].tolist() == [0.0] * 3


def test_of_equal_contributions_the_earlier_feature_comes_first() -> None:
    model = Told([-1.0, 1.0, 0.0, 1.0, -1.0, 0.5])
    explained = explain_rows(model, rows([0, 0, 0, 0, 0]), sigmoid(np.array([0.5])), 3)
    assert explained["features"].tolist() == [[0, 1, 3]]
    assert explained["rest"].tolist() == [-1.0]


def test_a_row_that_does_not_add_up_fails_alone() -> None:
    model = Told([1.0, 0.0, 0.0], [1.0, 0.0, 0.01])
    matrix = rows([0, 0], [1, 0], [0, 0])
    explained = explain_rows(model, matrix, sigmoid(np.ones(3)), 2)
    assert np.isnan(explained["probability"]).tolist() == [False, True, False]


def test_a_row_that_was_not_predicted_is_not_explained() -> None:
    model = Told([1.0, 0.0, 0.0], [np.nan, np.nan, np.nan])
    probabilities = np.array([*sigmoid(np.ones(1)), np.nan])
    explained = explain_rows(model, rows([0, 0], [1, 0]), probabilities, 2)
    assert np.isnan(explained["probability"]).tolist() == [False, True]


def test_nothing_is_asked_where_no_row_was_predicted() -> None:
    model = Told([1.0, 0.0, 0.0])
    assert np.isnan(explain_rows(model, rows([0, 0]), np.array([np.nan]), 2)["probability"]).all()
    assert model.calls == 0


def test_a_row_that_the_model_fails_on_is_found_among_many() -> None:
    model = FailsOn([1.0, 0.0, 0.0])
    matrix = rows(*[[0, int(place == 41)] for place in range(64)])
    explained = explain_rows(model, matrix, sigmoid(np.ones(64)), 2)
    assert np.flatnonzero(np.isnan(explained["probability"])).tolist() == [41]


@pytest.mark.parametrize("off", [2 * TOLERANCE, -2 * TOLERANCE, np.nan, np.inf])
def test_a_raw_score_that_is_off_is_seen_wherever_it_lies(off: float) -> None:
    scores = np.array([-15.0, -5.0, 0.0, 5.0, 15.0])
    assert agree(scores, sigmoid(scores)).all()
    assert not agree(scores + off, sigmoid(scores)).any()


@pytest.mark.parametrize("score", [-800.0, -40.0, 40.0, 800.0])
def test_where_a_probability_is_as_good_as_certain_it_alone_is_compared(score: float) -> None:
    with np.errstate(over="ignore"):
        probabilities = sigmoid(np.array([score]))
    assert agree(np.array([score + 1]), probabilities).all()
    assert not agree(np.array([-score]), probabilities).any()


def test_an_explained_row_is_small() -> None:
    assert row_type(10).itemsize == 152
