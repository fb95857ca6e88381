"""Settings of the console, from `FAREBOX_CONSOLE_` variables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ConsoleSettings(BaseSettings):
    """Where the console listens, and the server whose client it is."""

    model_config = SettingsConfigDict(env_prefix="FAREBOX_CONSOLE_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    """Loopback: TLS and the outside world come through a proxy of yours in front."""

    port: Annotated[int, Field(ge=1, le=65_535)] = 7860

    server_url: str = "http://127.0.0.1:8000"
    """Where the console reaches the API."""

    public_url: str | None = None
    """Where people's own programs reach it, as shown in examples; left out: `server_url`."""

    trusted_proxies: str = "127.0.0.1"
    """Addresses, by commas, whose `X-Forwarded-For` and `-Proto` are believed."""

    work_dir: Path | None = None
    """Where uploads and results lie for a while; left out: the system's temporary folder."""

    files_kept_hours: Annotated[float, Field(gt=0)] = 24.0
    """Uploads and results are removed after so long, as the server's stored answers are."""

    request_seconds: Annotated[float, Field(gt=0)] = 30.0
    """How long one request to the API may take."""

    upload_bytes_max: Annotated[int, Field(ge=1024)] = 128 * 1024 * 1024
    """Of one uploaded file: 100,000 rows of 241 features are 48 MB as CSV."""

    rows_max: Annotated[int, Field(ge=1)] = 100_000
    """Of one uploaded file."""

    job_requests_at_once: Annotated[int, Field(ge=1, le=32)] = 4
    """Parts of one file bought at a time; the server bounds what an account has waiting."""

    handlers_at_once: Annotated[int, Field(ge=1)] = 64
    """Events of pages worked on at a time, of each kind; more wait in line."""

    tabs_max: Annotated[int, Field(ge=10)] = 400
    """Open pages, of each language, whose state is kept: 0.6 MB each beside what a file holds. The
    one that was not used for the longest is forgotten first."""

    @property
    def shown_url(self) -> str:
        """The server's address in examples to copy."""
        return (self.public_url or self.server_url).rstrip("/")
