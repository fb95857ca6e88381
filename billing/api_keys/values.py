"""What a key may do and spend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from billing.credits import Credits


class Scope(StrEnum):
    """What a key may be used for."""

    SCORE = "score"
    """To predict and to be charged for it."""
    READ = "read"
    """To read what its account did and has."""


ALL_SCOPES = frozenset(Scope)


class Period(StrEnum):
    """What a cap counts over: days and months are UTC's."""

    DAY = "day"
    MONTH = "month"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key is made with."""

    name: str
    scopes: frozenset[Scope] = ALL_SCOPES
    expires_at: datetime | None = None
    caps: Mapping[Period, Credits] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """What is to be different; all else stays."""

    name: str | None = None
    """None: as it is."""
    sets_expiry: bool = False
    expires_at: datetime | None = None
    """With `sets_expiry`; None: never."""
    caps: Mapping[Period, Credits | None] = field(default_factory=dict)
    """None: no cap. A period that is left out stays as it is."""


@dataclass(frozen=True, slots=True)
class CapState:
    """A cap and what was spent of it in the period of now, by all keys of the lineage."""

    cap: Credits
    spent: Credits


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key as its owner sees it, without its secret."""

    id: str
    lineage_id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    """To the minute."""
    caps: Mapping[Period, CapState]

    def is_live(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)
