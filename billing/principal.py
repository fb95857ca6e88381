"""Who asks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """The account behind an API key."""

    account_id: uuid.UUID
    account_name: str
    key_id: str
