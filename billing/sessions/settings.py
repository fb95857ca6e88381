"""How long sessions last: the same wherever a session is looked up."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from billing.sessions.values import Lifetimes


class SessionSettings(BaseSettings):
    """From `FAREBOX_` variables; built where a replica starts."""

    model_config = SettingsConfigDict(env_prefix="FAREBOX_", frozen=True, extra="ignore")

    session_idle_hours: Annotated[float, Field(gt=0)] = 24.0
    """A session that was not used for so long has ended."""

    session_days: Annotated[float, Field(gt=0)] = 30.0
    """A session ends after so long, used or not."""

    @property
    def lifetimes(self) -> Lifetimes:
        return Lifetimes(
            timedelta(hours=self.session_idle_hours), timedelta(days=self.session_days)
        )
