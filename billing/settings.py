"""Billing's settings, read from the environment (`FAREBOX_*`) where the root asks for them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_SCHEME = re.compile(r"(postgres|postgresql|postgresql\+asyncpg)://")


def _normal_database_url(url: str) -> str:
    """The URL with the one scheme that the driver reads; query parameters are left to it."""
    if not _SCHEME.match(url):
        raise ValueError("a database URL starts with postgresql://")
    return _SCHEME.sub("postgresql://", url, count=1)


DatabaseUrl = Annotated[str, AfterValidator(_normal_database_url)]


class BillingSettings(BaseSettings):
    """What billing must be told. Every queue, pool, wait and transaction has its bound here."""

    model_config = SettingsConfigDict(
        env_prefix="FAREBOX_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    database_url: DatabaseUrl = Field(repr=False)
    """`postgresql://...`, a socket folder as `?host=/folder`. Not shown: it may hold a password."""

    key_hash_secret: Annotated[SecretStr, Field(min_length=32)]
    """Key of the HMAC over API keys: a stolen table of hashes is of no use without it."""

    pool_size: Annotated[int, Field(ge=1, le=100)] = 4
    """Connections held by one process. Charges need one (group commit); reads share the others."""

    pool_timeout_seconds: Annotated[float, Field(gt=0)] = 2.0
    """Longest wait for a free connection; longer means that the database cannot keep up."""

    connect_timeout_seconds: Annotated[float, Field(gt=0)] = 3.0
    """A server in the same network answers in milliseconds; a dead one must not hold a request."""

    lock_timeout_ms: Annotated[int, Field(gt=0)] = 2_000
    """A charge waits for the same charge id or account in another transaction: milliseconds."""

    statement_timeout_ms: Annotated[int, Field(gt=0)] = 5_000
    """Above the lock's wait, below the charge's deadline: one attempt cannot use it all."""

    idle_transaction_timeout_ms: Annotated[int, Field(gt=0)] = 10_000
    """A process that hangs inside a transaction loses its locks after this."""

    answer_retention_hours: Annotated[int, Field(ge=1)] = 24
    """How long a paid answer can be fetched again; the charge id is kept for ever."""

    charge_deadline_seconds: Annotated[float, Field(gt=0)] = 10.0
    """How long a charge is tried again while the database is away; covers a quick restart."""
