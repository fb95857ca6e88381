"""Sets the price of a version that is about to be published.

Apart from the commands on models, which otherwise need no database.
"""

from __future__ import annotations

from datetime import UTC, datetime

from billing.audit.actions import COMMAND_LINE
from billing.credits import Credits
from billing.database import Database
from billing.prices import Price, set_price
from billing.settings import BillingSettings
from farebox.store import with_database
from models.manifest import Manifest


def set_version_price(manifest: Manifest, amount: Credits) -> None:
    """From now on an instance of this version costs `amount`."""

    async def store(database: Database, _settings: BillingSettings) -> None:
        price = Price(manifest.name, manifest.version, amount, datetime.now(UTC))
        await set_price(database, price, COMMAND_LINE)

    with_database(store)
