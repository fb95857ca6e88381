"""Who asks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """An account, and the key by which it came in."""

    account_id: uuid.UUID
    account_name: str
    key_id: str
    """The public part of the key: safe to log."""
