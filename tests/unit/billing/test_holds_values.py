"""How a hold may end."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billing.credits import Credits
from billing.holds.errors import CaptureTooLarge, HoldExpired, HoldResolved
from billing.holds.values import Hold, Status, may_capture, may_release

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOLD = Hold(uuid.uuid4(), uuid.uuid4(), Credits(10), "job", NOW, NOW + timedelta(hours=1))
CAPTURED = replace(HOLD, status=Status.CAPTURED, captured=Credits(4))
RELEASED = replace(HOLD, status=Status.RELEASED)
EXPIRED = replace(HOLD, status=Status.EXPIRED)


def test_open_is_captured_or_released() -> None:
    assert may_capture(HOLD, Credits(10), NOW)
    assert may_capture(HOLD, Credits(1), NOW)
    assert may_release(HOLD)


def test_more_than_is_held_is_not_captured() -> None:
    with pytest.raises(CaptureTooLarge):
        may_capture(HOLD, Credits(11), NOW)


def test_the_last_moment_of_a_hold_is_before_its_expiry() -> None:
    assert may_capture(HOLD, Credits(10), HOLD.expires_at - timedelta(microseconds=1))
    with pytest.raises(HoldExpired):
        may_capture(HOLD, Credits(10), HOLD.expires_at)


def test_the_same_end_again_changes_nothing_even_later() -> None:
    assert not may_capture(CAPTURED, Credits(4), NOW + timedelta(days=9))
    assert not may_release(RELEASED)


def test_another_end_is_refused() -> None:
    with pytest.raises(HoldResolved):
        may_capture(CAPTURED, Credits(5), NOW)
    with pytest.raises(HoldResolved):
        may_capture(RELEASED, Credits(4), NOW)
    with pytest.raises(HoldResolved):
        may_release(CAPTURED)
    with pytest.raises(HoldExpired):
        may_capture(EXPIRED, Credits(4), NOW)
    with pytest.raises(HoldExpired):
        may_release(EXPIRED)
