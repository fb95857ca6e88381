"""Settings of the accounts application, from `FAREBOX_` variables; built where a replica starts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from billing.credits import Credits
from billing.sessions.values import Lifetimes


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

    exports_max: Annotated[int, Field(ge=1)] = 2
    """Exports at once in one process: each uses a connection of its pool for most of its time."""

    @property
    def lifetimes(self) -> Lifetimes:
        return Lifetimes(
            timedelta(hours=self.session_idle_hours), timedelta(days=self.session_days)
        )

    @property
    def welcome(self) -> Credits:
        return Credits.parse(self.welcome_credits)
