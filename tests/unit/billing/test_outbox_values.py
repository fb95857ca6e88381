"""How long a delivery is tried."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billing.outbox.values import Patience, next_attempt_at

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATIENCE = Patience(
    attempts_max=12,
    age_max=timedelta(hours=24),
    pause_first=timedelta(seconds=10),
    pause_max=timedelta(hours=1),
)


def pause_after(attempt: int, jitter: float = 0.0) -> timedelta | None:
    moment = next_attempt_at(PATIENCE, attempt, NOW, NOW, jitter)
    return None if moment is None else moment - NOW


def test_pauses_double_up_to_the_longest() -> None:
    pauses = [pause_after(attempt) for attempt in (1, 2, 3, 9, 10, 11)]
    assert pauses == [timedelta(seconds=s) for s in (10, 20, 40, 2560, 3600, 3600)]


def test_the_last_attempt_is_the_last() -> None:
    assert pause_after(11) is not None
    assert pause_after(12) is None
    assert pause_after(13) is None


def test_what_is_too_old_is_given_up() -> None:
    created_at = NOW - timedelta(hours=24)
    assert next_attempt_at(PATIENCE, 1, created_at, NOW, 0.0) is None


@given(st.integers(1, 11), st.floats(0, 1, exclude_max=True))
def test_jitter_takes_up_to_a_half_off(attempt: int, jitter: float) -> None:
    longest, pause = pause_after(attempt), pause_after(attempt, jitter)
    assert longest is not None
    assert pause is not None
    assert longest / 2 <= pause <= longest
