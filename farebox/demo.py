"""The demo account: made once, found again on every later start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from billing.accounts import create_key
from billing.credits import MICROCREDITS_PER_CREDIT, Credits
from billing.database import Database
from billing.directory import Directory
from billing.keys import parse_key
from billing.settings import BillingSettings
from farebox.home import Home, read_env_file, write_private

DEMO_ACCOUNT = "demo"
URL = "FAREBOX_URL"
API_KEY = "FAREBOX_API_KEY"
EXAMPLE = ["SEND_SMS", "RECEIVE_BOOT_COMPLETED", "INTERNET"]


@dataclass(frozen=True, slots=True)
class Demo:
    """Where to send the first request, and the key to send it with."""

    base_url: str
    api_key: str

    @property
    def curl(self) -> str:
        """One line that scores an app."""
        instance = ", ".join(f'"{name}"' for name in EXAMPLE)
        return (
            f"curl -s {self.base_url}/v1/predictions -H 'Authorization: Bearer {self.api_key}' "
            f"-H 'Content-Type: application/json' "
            f'-d \'{{"model": "android-malware", "instances": [[{instance}]]}}\''
        )


async def ensure_demo(
    home: Home, settings: BillingSettings, base_url: str, credits_granted: int
) -> Demo:
    """The demo account's key: the one of `demo.env` while it is good, else a fresh one.

    Credits are granted with the first key alone.
    """
    database = Database(settings)
    try:
        api_key = await _known_key(home, database, settings)
        if api_key is None:
            granted = Credits(credits_granted * MICROCREDITS_PER_CREDIT)
            created = await create_key(database, settings.key_hash_secret, DEMO_ACCOUNT, granted)
            api_key = created.api_key.reveal()
    finally:
        await database.close()
    write_private(home.demo, f"{URL}={base_url}\n{API_KEY}={api_key}\n")
    return Demo(base_url, api_key)


async def _known_key(home: Home, database: Database, settings: BillingSettings) -> str | None:
    text = read_env_file(home.demo).get(API_KEY, "")
    key = parse_key(text)
    if key is None:
        return None
    directory = Directory(database, settings.key_hash_secret)
    principal = await directory.fetch_principal(key)
    return text if principal and not principal.is_expired(datetime.now(UTC)) else None
