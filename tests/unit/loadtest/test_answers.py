"""What counts as a right answer and as a right replay."""

from typing import Any

import pytest

from loadtest.answers import answer_fault, replay_fault

RIGHT: dict[str, Any] = {
    "id": "one",
    "predictions": [{"label": "malware", "probability": 0.75}],
    "credits_charged": "1",
}


def test_a_right_answer_has_no_fault() -> None:
    assert answer_fault(RIGHT, 1) is None


@pytest.mark.parametrize(
    "change",
    [
        {"predictions": []},
        {"predictions": [{"label": "unknown", "probability": 0.75}]},
        {"predictions": [{"label": "malware", "probability": 1.01}]},
        {"predictions": [{"label": "malware"}]},
        {"predictions": ["malware"]},
        {"credits_charged": "0"},
        {"id": ""},
    ],
)
def test_a_wrong_answer_has_a_fault(change: dict[str, Any]) -> None:
    assert answer_fault({**RIGHT, **change}, 1) is not None


def test_the_same_answer_again_is_a_replay_where_it_is_marked() -> None:
    assert replay_fault(RIGHT, dict(RIGHT), "true") is None
    assert replay_fault(RIGHT, dict(RIGHT), "") is not None


@pytest.mark.parametrize("name", ["id", "predictions", "credits_charged"])
def test_a_replay_repeats_what_was_answered(name: str) -> None:
    assert name in str(replay_fault(RIGHT, {**RIGHT, name: "another"}, "true"))
