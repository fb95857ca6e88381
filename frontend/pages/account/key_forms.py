"""What the forms of API keys ask of the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from frontend.days import end_of, last_day

PERIODS = ("day", "month", "total")
"""That caps count over."""


def key_request(
    name: str, scopes: list[str], day: str | None, caps: Mapping[str, str | None]
) -> dict[str, Any]:
    """A key to be made; the last day is one that it still works on. Raises NotADay."""
    return {
        "name": name.strip(),
        "scopes": scopes,
        "expires_at": end_of(day),
        "caps": {period: cap for period, cap in caps.items() if cap is not None},
    }


def key_changes(
    key: Mapping[str, Any], name: str, day: str | None, caps: Mapping[str, str | None]
) -> dict[str, Any]:
    """Only what differs from `key`: a cap that is sent anew counts anew, and an expiry has a time
    that the form does not show. Raises NotADay."""
    changes: dict[str, Any] = {}
    if name.strip() != key["name"]:
        changes["name"] = name.strip()
    if (day or "").strip() != last_day(key["expires_at"]):
        changes["expires_at"] = end_of(day)
    changed = {period: caps[period] for period in PERIODS if caps[period] != cap_of(key, period)}
    if changed:
        changes["caps"] = changed
    return changes


def cap_of(key: Mapping[str, Any], period: str) -> str | None:
    """The cap of a key over that period; None: there is none."""
    cap = key["caps"][period]
    return None if cap is None else str(cap["cap"])


def rotation_request(old_key_hours: int, now: datetime) -> dict[str, Any]:
    """How long the old key still works; 0: until it is revoked."""
    if not old_key_hours:
        return {}
    return {"old_expires_at": (now.astimezone(UTC) + timedelta(hours=old_key_hours)).isoformat()}


def is_live(key: Mapping[str, Any], now: datetime) -> bool:
    """Whether a key still opens anything."""
    expiry = key["expires_at"]
    return key["revoked_at"] is None and (expiry is None or datetime.fromisoformat(expiry) > now)
