"""What people are written, and where the links in it lead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from billing.users.values import Purpose


@dataclass(frozen=True, slots=True)
class Mail:
    """A plain message to one address."""

    to: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class MailLinks:
    """Where the links of mails lead, and how long they work."""

    base_url: str
    """What `/accounts/v1/...` is appended to."""
    verification_lifetime: timedelta
    reset_lifetime: timedelta

    def lifetime(self, purpose: Purpose) -> timedelta:
        """How long a token of that purpose can be used."""
        if purpose is Purpose.VERIFY_EMAIL:
            return self.verification_lifetime
        return self.reset_lifetime

    def write(self, purpose: Purpose, to: str, token: str) -> Mail:
        """The mail that brings the token."""
        if purpose is Purpose.VERIFY_EMAIL:
            return self._verification(to, token)
        return self._reset(to, token)

    def _verification(self, to: str, token: str) -> Mail:
        link = f"{self.base_url}/accounts/v1/email-verifications/{token}"
        return Mail(
            to,
            "Verify your address for Farebox",
            f"Follow this link to verify your address:\n\n{link}\n\n"
            f"It works once, for {_in_words(self.verification_lifetime)}. "
            "If you did not sign up, ignore this mail.\n",
        )

    def _reset(self, to: str, token: str) -> Mail:
        link = f"{self.base_url}/accounts/v1/password-resets/{token}"
        return Mail(
            to,
            "Set a new password for Farebox",
            f"Follow this link to set a new password:\n\n{link}\n\n"
            f"It works once, for {_in_words(self.reset_lifetime)}. "
            "If you did not ask for it, ignore this mail: your password stays as it is.\n",
        )


def _in_words(lifetime: timedelta) -> str:
    hours = round(lifetime.total_seconds() / 3600)
    return f"{hours} hours" if hours > 1 else "one hour"
