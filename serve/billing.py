"""The Billing deployment: group commit behind one handle call a batch."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from billing.database import Database
from billing.errors import BillingError
from billing.group_commit import GroupCommit
from billing.ledger import PostgresLedger
from billing.retention import keep_pruned
from billing.settings import BillingSettings
from serve.garbage import collect_rarely
from serve.lanes import LaneAddress, LaneServer
from serve.logs import configure_logs
from serve.node import lane_host
from serve.settings import BillingConfig, ServeSettings
from serve.transfer import decode_charges, encode_failure, encode_outcomes


class Billing:
    """Merges the batches of all validators into one transaction at a time."""

    async def __init__(self) -> None:  # type: ignore[misc] # Ray awaits it: pruning is a task
        configure_logs()
        collect_rarely()
        settings = BillingSettings()
        self._database = Database(settings)
        self._group_commit = GroupCommit(
            PostgresLedger(self._database),
            **BillingConfig().model_dump(),
            charge_deadline_seconds=settings.charge_deadline_seconds,
        )
        retention = timedelta(hours=settings.answer_retention_hours)
        self._lanes = LaneServer(self.take)
        self._address = await self._lanes.start(lane_host(ServeSettings()))
        self._pruning = asyncio.create_task(keep_pruned(self._database, retention))

    def reconfigure(self, user_config: dict[str, int]) -> None:
        """Take new bounds without a restart."""
        self._group_commit.set_bounds(**BillingConfig.model_validate(user_config).model_dump())

    async def take(self, charges: bytes) -> bytes:
        """Outcomes in the order of the charges; the code of a BillingError when there are none."""
        try:
            outcomes = await self._group_commit.charge(decode_charges(charges))
        except BillingError as error:
            return encode_failure(error.code)
        return encode_outcomes(outcomes)

    async def lane(self) -> LaneAddress:
        """Where this replica takes calls without Ray in between."""
        return self._address

    async def ready(self) -> str | None:
        """Whether the database is a writable primary; the code of a BillingError if not."""
        try:
            await self._database.check_writable()
        except BillingError as error:
            return error.code
        return None

    async def __del__(self) -> None:
        await self._lanes.close()
        await self._group_commit.close()
        self._pruning.cancel()
        await asyncio.wait([self._pruning])
        await self._database.close()
