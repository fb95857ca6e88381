"""Sessions as clients see them."""

from __future__ import annotations

import uuid
from datetime import datetime

from pydantic import Field

from billing.sessions.values import Role
from serve.accounts.users.wire import Password
from serve.wire import Text, Wire


class SignIn(Wire):
    """Who signs in, and whether a browser does."""

    email: Text = Field(max_length=320)
    password: Password
    cookie: bool = Field(
        default=False,
        description="Set the session as a cookie, and leave the token out of the answer",
    )


class SignedInView(Wire):
    """A new session."""

    token: str | None = Field(
        default=None, description="Shown this once: `Authorization: Bearer fb_sess_...`"
    )
    session_id: uuid.UUID
    expires_at: datetime
    account_id: uuid.UUID
    role: Role


class SessionView(Wire):
    """Where somebody is signed in."""

    id: uuid.UUID
    user_agent: str
    created_at: datetime
    last_seen_at: datetime = Field(description="To the minute")
    expires_at: datetime = Field(description="Earlier if it is not used")
    current: bool = Field(description="Whether this request came by it")
