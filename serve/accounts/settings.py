"""Settings of the accounts application, from `FAREBOX_` variables; built where a replica starts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from billing.credits import Credits
from billing.outbox.values import Patience
from billing.sessions.settings import SessionSettings
from billing.users.mails import MailLinks
from billing.users.passwords import HashCost
from models.drift import ALERT
from serve.accounts.origins import Origin, origin_of
from serve.accounts.top_ups.settings import PaymentSettings
from serve.rates import Rate

_CONSOLE_ORIGINS = ("http://127.0.0.1:7860", "http://localhost:7860")
_SLASHES_OF_AN_ORIGIN = 2


def _split(value: object) -> object:
    """Items by commas, as a variable holds them."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _check_origin(text: str) -> str:
    if origin_of(text) is None or text.count("/") != _SLASHES_OF_AN_ORIGIN:
        raise ValueError("an origin is a scheme, a host and a port: `https://console.example.com`")
    return text


class AccountsSettings(PaymentSettings, SessionSettings):
    """What people get, how long they stay signed in, and where they reach us."""

    model_config = SettingsConfigDict(
        env_prefix="FAREBOX_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    public_url: str = "http://127.0.0.1:8000"
    """Where clients reach the API: in links, and as the origin that browsers may send from."""

    return_origins: Annotated[
        tuple[Annotated[str, AfterValidator(_check_origin)], ...],
        NoDecode,
        BeforeValidator(_split),
    ] = ()
    """Origins, by commas, that a browser may be sent back to once a top-up's payment has ended, so
    that no payment's page leads to a stranger's. Left out: the public URL's own, and those of a
    console on this machine, http://127.0.0.1:7860 and http://localhost:7860."""

    @property
    def origins_returned_to(self) -> frozenset[Origin]:
        urls = self.return_origins or (self.public_url, *_CONSOLE_ORIGINS)
        return frozenset(origin for url in urls if (origin := origin_of(url)) is not None)

    request_bytes_max: Annotated[int, Field(ge=1024)] = 256 * 1024
    """Of any request's body. Providers' events are the largest, and have some kilobytes."""

    hold_seconds_max: Annotated[int, Field(ge=1, le=31_536_000)] = 7 * 24 * 3600
    """The longest that credits can be set aside by one hold."""

    welcome_credits: Annotated[str, Field(pattern=r"^\d{1,9}(\.\d{1,6})?$")] = "100"
    """Given once to each address that signs up."""

    refund_grace_days: Annotated[float, Field(gt=0, le=3_650)] = 30.0
    """What is refunded to credits that have expired since can be used for so long."""
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

    alerts_per_account_max: Annotated[int, Field(ge=1)] = 20

    webhook_allow_http: bool = False
    """Take alert URLs without TLS: the balance is readable on its way."""

    webhook_allow_private: bool = False
    """Let alerts reach loopback and private addresses: for tests and closed networks alone."""

    webhook_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    """Of one attempt, from the look-up of the name to the status of the answer."""

    webhook_senders: Annotated[int, Field(ge=1, le=64)] = 8
    """Webhooks sent at once by one bookkeeper; one account has a quarter of them at most."""

    smtp_host: str | None = None
    """Where mail goes out; left out: none is sent, and no address is verified."""

    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str = "farebox@localhost"
    smtp_tls: Literal["none", "starttls", "tls"] = "starttls"
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    """Of each step of the conversation with the mail server."""

    smtp_senders: Annotated[int, Field(ge=1, le=16)] = 2
    """Mails sent at once by one bookkeeper."""

    delivery_attempts_max: Annotated[int, Field(ge=1, le=100)] = 12
    delivery_hours_max: Annotated[float, Field(gt=0)] = 24.0
    """A webhook or a mail is given up after so many attempts, or when it is so old."""

    delivery_pause_seconds: Annotated[float, Field(gt=0)] = 10.0
    """Before the second attempt; doubled before each further one."""

    delivery_pause_max_seconds: Annotated[float, Field(gt=0)] = 3600.0
    delivery_retention_days: Annotated[float, Field(gt=0)] = 30.0
    """Deliveries that ended are listed for so long."""

    @property
    def patience(self) -> Patience:
        return Patience(
            attempts_max=self.delivery_attempts_max,
            age_max=timedelta(hours=self.delivery_hours_max),
            pause_first=timedelta(seconds=self.delivery_pause_seconds),
            pause_max=timedelta(seconds=self.delivery_pause_max_seconds),
        )

    rollup_pause_seconds: Annotated[float, Field(gt=0)] = 2.0
    """How late reports are where little is new: longer is cheaper."""

    rollup_rows_max: Annotated[int, Field(ge=1, le=200_000)] = 20_000
    """Entries added to the rollups by one transaction: 0.3 s at the measured rate."""

    reconcile_hours: Annotated[float, Field(ge=0)] = 24.0
    """How often the bookkeeper checks the whole ledger; 0: never. Two checks never run at once, and
    none at a start: an hour later at the earliest. A check reads every table once for each of some
    twenty rules, by one process of PostgreSQL, so it takes minutes of a processor on twenty million
    charges; it locks nothing, and no snapshot outlives its rule."""

    minutes_kept_hours: Annotated[float, Field(ge=2)] = 24.0
    """What replicas counted is kept by the minute for so long, then by the hour. A replica sends
    no minute older than half an hour again."""

    drift_psi_alert: Annotated[float, Field(gt=0)] = ALERT
    """From this PSI of the scores, or of any feature, a model's input counts as drifted."""

    drift_kept_days: Annotated[int, Field(ge=2, le=3_650)] = 400
    """What was scored is kept by the day for so long: some kilobytes a model version and day."""

    refund_requests_open_max: Annotated[int, Field(ge=1)] = 100
    """Refund requests of one account that wait for a decision: operators read each of them."""

    account_keys_max: Annotated[int, Field(ge=1)] = 50
    """Live API keys of one account."""

    exports_max: Annotated[int, Field(ge=1)] = 2
    """Exports at once in one process: each uses a connection of its pool for most of its time."""

    @property
    def refund_grace(self) -> timedelta:
        return timedelta(days=self.refund_grace_days)

    @property
    def welcome(self) -> Credits:
        return Credits.parse(self.welcome_credits)
