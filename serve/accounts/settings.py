"""Settings of the accounts application, from `FAREBOX_` variables; built where a replica starts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import limits
from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from billing.credits import Credits
from billing.sessions.values import Lifetimes
from billing.users.mails import MailLinks
from billing.users.passwords import HashCost


def _split(value: object) -> object:
    """Items by commas, as a variable holds them."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _check_rate(text: str) -> str:
    if len(limits.parse_many(text)) != 1:
        raise ValueError("one rate, such as `10 per 15 minutes`")
    return text


Rate = Annotated[str, AfterValidator(_check_rate)]
"""In the words of the `limits` library: `10 per 15 minutes`, `5/hour`."""


class AccountsSettings(BaseSettings):
    """What people get, how long they stay signed in, and where they reach us."""

    model_config = SettingsConfigDict(
        env_prefix="FAREBOX_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    public_url: str = "http://127.0.0.1:8000"
    """Where clients reach the API: in links, and as the origin that browsers may send from."""

    session_idle_hours: Annotated[float, Field(gt=0)] = 24.0
    """A session that was not used for so long has ended."""

    session_days: Annotated[float, Field(gt=0)] = 30.0
    """A session ends after so long, used or not."""

    welcome_credits: Annotated[str, Field(pattern=r"^\d{1,9}(\.\d{1,6})?$")] = "100"
    """Given once to each address that signs up."""

    welcome_expiry_days: Annotated[float, Field(gt=0)] | None = None
    """Welcome credits that were not used expire after so long."""

    password_time_cost: Annotated[int, Field(ge=1, le=100)] = 3
    password_memory_kib: Annotated[int, Field(ge=8, le=4_194_304)] = 65_536
    password_parallelism: Annotated[int, Field(ge=1, le=64)] = 4
    """Argon2id's parameters: RFC 9106's second recommendation, 64 MiB for a hash."""

    password_hashes_at_once: Annotated[int, Field(ge=1, le=64)] = 2
    """Passwords hashed at the same time by one replica: each takes the memory above."""

    password_hashes_waiting_max: Annotated[int, Field(ge=0)] = 32
    """Two seconds of work or so; more get 429."""

    sign_in_rate_per_email: Rate = "10 per 15 minutes"
    sign_in_rate_per_address: Rate = "60 per 15 minutes"
    sign_in_rate_in_all: Rate = "600 per minute"
    """Tries at passwords that one replica takes; those that succeed clear the e-mail's count."""

    sign_up_rate_per_email: Rate = "5 per hour"
    sign_up_rate_per_address: Rate = "20 per hour"
    sign_up_rate_in_all: Rate = "300 per minute"
    """Sign-ups, and mails asked for, that one replica takes."""

    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_split)] = ()
    """Networks, by commas, whose `X-Forwarded-For` is believed; nobody's if empty."""

    smtp_host: str | None = None
    """The server that takes our mails; without one no address is verified and no mail is sent."""
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str = "Farebox <noreply@localhost>"
    smtp_tls: Literal["starttls", "implicit", "none"] = "starttls"

    verification_link_hours: Annotated[float, Field(gt=0)] = 48.0
    reset_link_hours: Annotated[float, Field(gt=0)] = 1.0

    reset_answer_seconds: Annotated[float, Field(ge=0)] = 0.5
    """When a password reset is answered, whether there is such a user or not."""

    @property
    def hash_cost(self) -> HashCost:
        return HashCost(
            time_cost=self.password_time_cost,
            memory_kib=self.password_memory_kib,
            parallelism=self.password_parallelism,
            at_once=self.password_hashes_at_once,
            waiting_max=self.password_hashes_waiting_max,
        )

    @property
    def welcome_expires_after(self) -> timedelta | None:
        days = self.welcome_expiry_days
        return None if days is None else timedelta(days=days)

    @property
    def mail_links(self) -> MailLinks | None:
        """None where no mail is sent."""
        if self.smtp_host is None:
            return None
        return MailLinks(
            self.public_url.rstrip("/"),
            timedelta(hours=self.verification_link_hours),
            timedelta(hours=self.reset_link_hours),
        )

    @property
    def lifetimes(self) -> Lifetimes:
        return Lifetimes(
            timedelta(hours=self.session_idle_hours), timedelta(days=self.session_days)
        )

    @property
    def welcome(self) -> Credits:
        return Credits.parse(self.welcome_credits)
