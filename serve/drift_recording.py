"""What a scorer replica has for drift: its counts, a connection of its own, and a task."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial

from billing.database import Database
from billing.reports.drift import add_scored
from billing.settings import BillingSettings
from serve.drift_counts import ScoredCounts
from serve.drift_log import DriftLog
from serve.settings import ServeSettings


class DriftRecording:
    """Stores `counts` again and again. Nothing connects before there is something to store."""

    def __init__(self, billing: BillingSettings, settings: ServeSettings) -> None:
        """To be made where a loop runs."""
        self.counts = ScoredCounts()
        self._database = Database(billing.model_copy(update={"pool_size": 1}))
        self._log = DriftLog(
            self.counts,
            partial(add_scored, self._database),
            settings.drift_flush_seconds,
            lambda: datetime.now(UTC),
        )
        self._flushing = asyncio.create_task(self._log.keep_flushed())

    async def close(self) -> None:
        """Store what is left, as far as the database takes it."""
        self._flushing.cancel()
        await asyncio.wait([self._flushing])
        await self._log.close()
        await self._database.close()
