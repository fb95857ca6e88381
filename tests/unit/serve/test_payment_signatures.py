"""Webhook signatures: one right `v1`, and a time that is near."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.top_ups.errors import BadSignature
from serve.accounts.top_ups.signatures import sign, verify

SECRET = b"whsec_test"
BODY = b'{"id": "evt_1"}'
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def is_good(header: str | None, body: bytes = BODY, now: datetime = NOW) -> bool:
    try:
        verify(SECRET, header, body, now, 300)
    except BadSignature:
        return False
    return True


def test_the_scheme_is_an_hmac_over_the_time_a_point_and_the_body() -> None:
    seconds = int(NOW.timestamp())
    digest = hmac.new(SECRET, f"{seconds}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert sign(SECRET, BODY, NOW) == f"t={seconds},v1={digest}"


def test_a_right_one_among_others_is_enough() -> None:
    time, right = sign(SECRET, BODY, NOW).split(",")
    assert is_good(f"{time},v1={'0' * 64},{right},v0=abc")
    assert not is_good(f"{time},v1={'0' * 64},v0={right[3:]}")


def test_another_body_secret_or_time_is_refused() -> None:
    good = sign(SECRET, BODY, NOW)
    assert is_good(good)
    assert not is_good(good, body=BODY + b" ")
    assert not is_good(sign(b"other", BODY, NOW))
    assert not is_good(good.replace("t=1", "t=2", 1))


@pytest.mark.parametrize(
    ("away", "taken"),
    [(0, True), (300, True), (301, False), (-300, True), (-301, False)],
)
def test_old_and_future_signatures_are_refused(away: int, taken: bool) -> None:
    assert is_good(sign(SECRET, BODY, NOW), now=NOW + timedelta(seconds=away)) is taken


@pytest.mark.parametrize("header", [None, "", "t=", "t=1", "v1=abc", "t=1,t=2,v1=abc", "t=x,v1=ü"])
def test_what_is_no_signature_is_refused(header: str | None) -> None:
    assert not is_good(header)


@given(st.text())
def test_no_text_passes_by_chance_or_breaks(header: str) -> None:
    assert not is_good(header)
