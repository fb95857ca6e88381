"""Settings of the registry, from `FAREBOX_` variables."""

from __future__ import annotations

from pydantic_settings import BaseSettings, SettingsConfigDict


class ModelsSettings(BaseSettings):
    """What every process that loads or publishes models reads from its environment."""

    model_config = SettingsConfigDict(env_prefix="FAREBOX_", frozen=True, extra="ignore")

    models_public_key: str = ""
    """Ed25519 public key: a PEM file's path, or its text. Set: only what it signed is used."""
