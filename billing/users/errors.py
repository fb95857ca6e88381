"""What people are refused, apart from money."""

from __future__ import annotations

from billing.credits import Credits
from billing.errors import BillingError


class EmailTaken(BillingError):
    """A user with this e-mail exists."""

    code = "email_taken"


class SignInFailed(BillingError):
    """No user has this e-mail, or the password is another: which of them is not told."""

    code = "sign_in_failed"


class PasswordWrong(BillingError):
    """A signed-in user gave a password that is not theirs."""

    code = "password_wrong"


class PasswordUnfit(BillingError):
    """The password cannot be taken as a new one."""

    code = "password_unfit"


class PasswordsBusy(BillingError):
    """More passwords are waiting to be hashed than the bound allows."""

    code = "passwords_busy"


class LinkExpired(BillingError):
    """The token of a mail's link is unknown, was used, or is too old."""

    code = "link_expired"


class UserMissing(BillingError):
    """No user has this account."""

    code = "user_missing"


class LastAdmin(BillingError):
    """Nobody would be left to give roles."""

    code = "last_admin"


class HoldsOpen(BillingError):
    """Credits are held for work under way."""

    code = "holds_open"


class ConfirmationNeeded(BillingError):
    """Credits would be forfeited that the user did not name."""

    code = "confirmation_needed"

    def __init__(self, available: Credits) -> None:
        super().__init__(available)
        self.available = available
