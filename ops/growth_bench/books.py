"""Whether the money agrees with the answers, and the whole ledger with itself."""

from __future__ import annotations

import asyncpg

from billing.database import Database
from billing.reconcile import reconcile
from billing.settings import BillingSettings

_CHARGES = "SELECT count(*) FROM entries WHERE kind = 'charge'"
_COUNT_SECONDS = 600


async def count_charges(url: str) -> int:
    """Every charge there is, counted one by one."""
    connection = await asyncpg.connect(url)
    try:
        charges: int = await connection.fetchval(_CHARGES, timeout=_COUNT_SECONDS)
        return charges
    finally:
        await connection.close()


def charge_fault(name: str, charged: int, answered: int, unanswered: int) -> str | None:
    """None where every answer was charged, and beside them at most what nobody saw answered."""
    if answered <= charged <= answered + unanswered:
        return None
    return f"{name}: {charged:,} charges, {answered:,} answers, {unanswered:,} unanswered"


async def ledger_faults(name: str, settings: BillingSettings) -> list[str]:
    """The rules of the ledger that are broken."""
    database = Database(settings)
    try:
        report = await reconcile(database)
    finally:
        await database.close()
    return [f"{name}: {breach.rule} is broken {breach.count} times" for breach in report.breaches]
