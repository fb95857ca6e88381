"""A session, its token, and who comes in by it."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

TOKEN_PREFIX = "fb_sess_"  # noqa: S105 - what every token begins with
_TOKEN_BYTES = 32

SESSION_KEY_ID = "session"
"""Stands for the key in what is scored by a session: in charges, in histories and in reports. No
API key has this id: theirs are 17 characters."""


class Role(StrEnum):
    """What a user may do; each may do what those before it may."""

    USER = "user"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what `other` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session lasts."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in session, without its token."""

    id: uuid.UUID
    account_id: uuid.UUID
    role: Role
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


def make_token() -> str:
    """A new opaque token of 256 bits."""
    return TOKEN_PREFIX + make_random_text()


def make_random_text() -> str:
    """256 unpredictable bits that can stand in a URL."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """SHA-256, 32 bytes. 256 random bits need neither salt nor a slow hash."""
    return hashlib.sha256(token.encode()).digest()
