"""Webhook signatures as Stripe makes them: `t=<seconds>,v1=<HMAC-SHA256 of "t.body">`."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime

from billing.top_ups.errors import BadSignature

_TIME = re.compile(r"\d{1,12}", re.ASCII)


def sign(secret: bytes, body: bytes, at: datetime) -> str:
    """The header's value."""
    seconds = str(int(at.timestamp()))
    return f"t={seconds},v1={_digest(secret, seconds, body)}"


def verify(
    secret: bytes, header: str | None, body: bytes, now: datetime, tolerance_seconds: int
) -> None:
    """Raise BadSignature unless one `v1` is right and the time is near.

    There are several while a provider changes its secret; other schemes are passed over.
    """
    parts = [part.strip().partition("=") for part in (header or "").split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]) or not given:
        raise BadSignature("there is no signature that can be read")
    expected = _digest(secret, times[0], body).encode()
    if not any(hmac.compare_digest(expected, value.encode()) for value in given):
        raise BadSignature("the signature is wrong")
    if abs(now.timestamp() - int(times[0])) > tolerance_seconds:
        raise BadSignature("the signature is too old, or a clock is wrong")


def _digest(secret: bytes, seconds: str, body: bytes) -> str:
    return hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
