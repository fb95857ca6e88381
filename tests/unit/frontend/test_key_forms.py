"""What the forms of API keys ask of the API."""

from datetime import UTC, datetime
from typing import Any

from frontend.pages.account.key_forms import is_live, key_changes, key_request, rotation_request

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
KEY: dict[str, Any] = {
    "name": "scanner",
    "expires_at": "2026-05-31T15:30:00Z",
    "revoked_at": None,
    "caps": {"day": {"cap": "10.5", "spent": "3"}, "month": None, "total": None},
}
SAME = {"day": "10.5", "month": None, "total": None}


def test_a_new_key_works_on_its_last_day() -> None:
    assert key_request(" scanner ", ["read"], "2026-05-31", {"day": "5", "month": None}) == {
        "name": "scanner",
        "scopes": ["read"],
        "expires_at": "2026-06-01T00:00:00Z",
        "caps": {"day": "5"},
    }


def test_what_was_not_changed_is_not_sent() -> None:
    assert key_changes(KEY, "scanner", "2026-05-31", SAME) == {}


def test_an_emptied_day_or_cap_is_lifted() -> None:
    changes = key_changes(KEY, "scanner", "", {**SAME, "day": None})
    assert changes == {"expires_at": None, "caps": {"day": None}}


def test_only_the_cap_that_differs_is_sent() -> None:
    changes = key_changes(KEY, "renamed", "2026-05-31", {**SAME, "total": "100"})
    assert changes == {"name": "renamed", "caps": {"total": "100"}}


def test_an_old_key_ends_in_so_many_hours_or_never() -> None:
    assert rotation_request(24, NOW) == {"old_expires_at": "2026-05-02T12:00:00+00:00"}
    assert rotation_request(0, NOW) == {}


def test_a_key_lives_until_it_is_revoked_or_expires() -> None:
    assert is_live(KEY, NOW)
    assert not is_live({**KEY, "revoked_at": "2026-04-01T00:00:00Z"}, NOW)
    assert not is_live({**KEY, "expires_at": "2026-05-01T12:00:00Z"}, NOW)
    assert is_live({**KEY, "expires_at": None}, NOW)
