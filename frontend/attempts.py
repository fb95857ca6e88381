"""Something that is done once, however often it is sent: the request keeps its key meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from frontend.server import new_key


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was asked, kept in the tab until it is answered: a retry after a broken line is the
    same request."""

    asked: object
    key: str
    """The Idempotency-Key."""
    began_at: datetime


def attempt_of(before: Attempt | None, asked: object) -> Attempt:
    """The one before while the same is asked, otherwise another."""
    if before is not None and before.asked == asked:
        return before
    return Attempt(asked, new_key(), datetime.now(UTC))
