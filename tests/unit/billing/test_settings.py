"""Settings are read where they are asked for, and are complete or refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from billing.settings import BillingSettings

_SECRET = "s" * 32
_URL = "postgresql://farebox:hunter2@db.internal/farebox?sslmode=require"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_every_spelling_of_the_scheme_is_one(scheme: str) -> None:
    url = _URL.replace("postgresql", scheme)
    settings = BillingSettings(database_url=url, key_hash_secret=_SECRET)
    assert settings.database_url == _URL


def test_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAREBOX_DATABASE_URL", "postgresql:///farebox?host=/run/pg")
    monkeypatch.setenv("FAREBOX_KEY_HASH_SECRET", _SECRET)
    monkeypatch.setenv("FAREBOX_POOL_SIZE", "7")
    settings = BillingSettings()
    assert settings.database_url == "postgresql:///farebox?host=/run/pg"
    assert settings.pool_size == 7


def test_secrets_are_not_shown() -> None:
    settings = BillingSettings(database_url=_URL, key_hash_secret=_SECRET)
    assert "hunter2" not in repr(settings)
    assert _SECRET not in repr(settings)


def test_fault_does_not_show_the_secret() -> None:
    with pytest.raises(ValidationError) as raised:
        BillingSettings(database_url=_URL.replace("postgresql", "mysql"), key_hash_secret="short")
    assert "hunter2" not in str(raised.value)
    assert raised.value.error_count() == 2


def test_settings_do_not_change() -> None:
    settings = BillingSettings(database_url=_URL, key_hash_secret=_SECRET)
    with pytest.raises(ValidationError):
        settings.pool_size = 9
