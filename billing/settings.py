"""Settings of billing, from `FAREBOX_` variables; built at a composition root and passed down."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class BillingSettings(BaseSettings):
    """Where the ledger is and what bounds its use."""

    model_config = SettingsConfigDict(env_prefix="FAREBOX_", frozen=True, extra="ignore")

    database_url: str
    """`postgresql://...`; the connecting user owns the schema, the application drops to a role."""
    key_hash_secret: SecretStr = Field(min_length=32)
    """Keys the hash of API keys: who reads the database cannot test guesses without it."""

    pool_size: int = Field(default=4, ge=1, le=100)
    """Connections a process holds. One carries the charges, the others reads."""
    pool_timeout_seconds: float = Field(default=5.0, gt=0)
    """How long a read waits for a connection before it counts as out of reach."""
    connect_timeout_seconds: float = Field(default=3.0, gt=0)
    lock_timeout_ms: int = Field(default=2_000, ge=1)
    """A hot balance is held for one transaction of some 20 ms; 2 s is a stuck holder."""
    statement_timeout_ms: int = Field(default=5_000, ge=1)
    """The largest charge statement takes some 50 ms."""
    idle_transaction_timeout_ms: int = Field(default=5_000, ge=1)
    """A client that stopped inside a transaction must not keep its locks."""

    transaction_charges_max: int = Field(default=512, ge=1)
    """Charges in one transaction: the gain flattens past 256."""
    waiting_charges_max: int = Field(default=16_384, ge=1)
    """Charges that may wait in a process; past it LedgerBusy."""
    charge_deadline_seconds: float = Field(default=20.0, gt=0)
    """How long an outcome is sought before it is called unknown."""
    answer_retention_hours: int = Field(default=24, ge=1)
    """How long a stored answer can be replayed."""

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: str) -> str:
        scheme, separator, rest = url.partition("://")
        if not separator or scheme.split("+")[0] not in ("postgresql", "postgres"):
            raise ValueError("FAREBOX_DATABASE_URL must start with postgresql://")
        return f"postgresql://{rest}"

    @property
    def sqlalchemy_url(self) -> str:
        """The same database through SQLAlchemy's asyncpg dialect."""
        return sqlalchemy_url(self.database_url)


def sqlalchemy_url(database_url: str) -> str:
    """`postgresql://...` through SQLAlchemy's asyncpg dialect."""
    return "postgresql+asyncpg://" + database_url.partition("://")[2]
