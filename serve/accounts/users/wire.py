"""Users as clients see them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from billing.sessions.values import Role
from billing.users.values import (
    EMAIL_CHARACTERS_MAX,
    PASSWORD_CHARACTERS_MAX,
    PASSWORD_CHARACTERS_MIN,
    User,
    normalise_email,
)
from serve.wire import Amount, Wire

EmailAddress = Annotated[
    str, Field(max_length=EMAIL_CHARACTERS_MAX), AfterValidator(normalise_email)
]


def _check_encodable(password: SecretStr) -> SecretStr:
    """JSON can hold one half of a surrogate pair (`"\\ud800"`), which no bytes stand for."""
    try:
        password.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("a password is made of whole characters") from None
    return password


Password = Annotated[
    SecretStr, Field(max_length=PASSWORD_CHARACTERS_MAX), AfterValidator(_check_encodable)
]
NewPassword = Annotated[
    SecretStr,
    Field(min_length=PASSWORD_CHARACTERS_MIN, max_length=PASSWORD_CHARACTERS_MAX),
    AfterValidator(_check_encodable),
]
Token = Annotated[str, Field(min_length=1, max_length=100)]


class SignUp(Wire):
    """Who signs up."""

    email: EmailAddress
    password: NewPassword = Field(description="Not the e-mail address")


class UserView(Wire):
    """A user of the product; `account_id` is the account they pay from."""

    account_id: uuid.UUID
    email: str
    role: Role
    email_verified: bool
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> UserView:
        """What is shown of that user."""
        return cls(
            account_id=user.account_id,
            email=user.email,
            role=user.role,
            email_verified=user.email_verified_at is not None,
            created_at=user.created_at,
        )


class EmailVerification(Wire):
    """The token of the mail's link."""

    token: Token


class ResetRequest(Wire):
    """Who forgot their password."""

    email: EmailAddress


class ResetPassword(Wire):
    """What it is from now on."""

    password: NewPassword


class PasswordChange(Wire):
    """What it is, and what it is to be."""

    current_password: Password
    new_password: NewPassword = Field(description="Not the e-mail address")


class AccountDeletion(Wire):
    """Who it is, and that the credits are known to be lost."""

    password: Password
    forfeit_credits: Amount = Field(description="Exactly what is available: it is lost")


class RoleChange(Wire):
    """What a user may do from now on."""

    role: Role
