"""A user, their address and what a password must be. All of it pure."""

from __future__ import annotations

import hmac
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from email_validator import EmailNotValidError, validate_email
from pydantic import SecretStr

from billing.credits import Credits
from billing.sessions.values import Role
from billing.users.errors import PasswordUnfit

EMAIL_CHARACTERS_MAX = 254
PASSWORD_CHARACTERS_MIN = 10
PASSWORD_CHARACTERS_MAX = 200
"""Far more than anyone types; a bound on what is hashed."""

_WELCOME_PURPOSE = b"farebox: address that was welcomed"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in, and what they may do."""

    account_id: uuid.UUID
    email: str
    role: Role
    email_verified_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password is checked against."""

    account_id: uuid.UUID
    email: str
    password_hash: str
    role: Role


class Purpose(StrEnum):
    """What a token sent by mail is good for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - not a password


@dataclass(frozen=True, slots=True)
class Welcome:
    """Credits for a new address, once ever."""

    amount: Credits
    expires_after: timedelta | None
    key: bytes
    """Of the HMAC by which an address is remembered."""

    @classmethod
    def of(cls, amount: Credits, expires_after: timedelta | None, secret: SecretStr) -> Welcome:
        """`secret` is the server's; addresses get a key of their own from it."""
        key = hmac.digest(secret.get_secret_value().encode(), _WELCOME_PURPOSE, "sha256")
        return cls(amount, expires_after, key)

    def hash_address(self, email: str) -> bytes:
        """HMAC-SHA256 of the canonical address, 32 bytes."""
        return hmac.digest(self.key, canonical_address(email).encode(), "sha256")


def normalise_email(text: str) -> str:
    """The address in its one stored form, in lower case. Raises ValueError with the reason.

    Its form alone is checked: nobody is asked whether the domain exists.
    """
    try:
        address = validate_email(text.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error
    return address.normalized.lower()


def canonical_address(email: str) -> str:
    """The mailbox behind an address: `anna+test@example.com` is Anna's, too."""
    local, _, domain = email.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def check_new_password(password: str, email: str) -> None:
    """Raises PasswordUnfit unless it has the right length and is not the address."""
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        raise PasswordUnfit(
            f"A password has {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters."
        )
    if password.strip().lower() == email:
        raise PasswordUnfit("The password is the e-mail address: choose another.")
