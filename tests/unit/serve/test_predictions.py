"""How predictions are kept and shown."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serve.predictions import (
    PACKED_FROM,
    Decision,
    keep_predictions,
    predictions_json,
    predictions_packed,
)
from tests.support.fragile_model import describe

MANIFEST = describe(b"")
DECISION = Decision.of(MANIFEST)
VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=2 * PACKED_FROM)


@given(VALUES)
def test_predictions_are_labelled_by_the_models_own_threshold(values: list[float]) -> None:
    decoded = json.loads(predictions_json(keep_predictions(np.array(values), DECISION)))
    assert [each["probability"] for each in decoded] == values
    assert [each["label"] for each in decoded] == [MANIFEST.label_of(value) for value in values]


def test_the_threshold_itself_is_positive() -> None:
    values = np.array([0.5, np.nextafter(0.5, 0)])
    decoded = json.loads(predictions_json(keep_predictions(values, DECISION)))
    assert [each["label"] for each in decoded] == ["malware", "goodware"]


@given(VALUES)
def test_packed_predictions_are_the_probabilities_to_the_last_bit(values: list[float]) -> None:
    kept = keep_predictions(np.array(values), DECISION)
    assert predictions_packed(kept) == np.array(values, dtype="<f8").tobytes()


def test_many_predictions_are_kept_in_few_bytes() -> None:
    kept = keep_predictions(np.full(1024, 1 / 3), DECISION)
    assert len(kept) < 1024 * 8 + 64
    assert len(predictions_json(kept)) > 5 * len(kept)


def test_a_few_are_kept_as_the_json_that_is_answered() -> None:
    kept = keep_predictions(np.full(PACKED_FROM - 1, 0.25), DECISION)
    assert predictions_json(kept) is kept
