"""Who asks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from billing.api_keys.values import Scope


@dataclass(frozen=True, slots=True)
class Principal:
    """An account, and the key or the session by which it came in."""

    account_id: uuid.UUID
    account_name: str
    key_id: str
    """The public part of the key, safe to log; SESSION_KEY_ID of a session."""
    scopes: frozenset[Scope]
    """What the key may be used for; a session for everything."""
    expires_at: datetime | None = None
    """From then on the key is nobody's. It is remembered with the key, so ask `is_expired`."""

    def is_expired(self, now: datetime) -> bool:
        """Whether the key has had its time."""
        return self.expires_at is not None and self.expires_at <= now
