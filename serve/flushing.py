"""The life of what a replica counts in memory: stored again and again, and once more at the end."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

import structlog

from billing.errors import LedgerUnavailable

FLUSH_SECONDS = 10.0

logger = structlog.get_logger(__name__)


class Flushed(ABC):
    """Counts that are stored by `flush`, which keeps for the next time what it could not store."""

    counts: str
    """What they are called in the log."""

    @abstractmethod
    async def flush(self) -> None:
        """Store all there is; raises where that fails."""

    def pause_seconds(self) -> float:
        """Until the next flush."""
        return FLUSH_SECONDS

    async def keep_flushed(self) -> None:
        """Flush again and again until cancelled."""
        while True:
            await asyncio.sleep(self.pause_seconds())
            await self._try_to_flush()

    async def close(self) -> None:
        """Flush for the last time."""
        await self._try_to_flush()

    async def _try_to_flush(self) -> None:
        try:
            await self.flush()
        except LedgerUnavailable as error:
            logger.warning("counts_put_off", counts=self.counts, reason=str(error))
        except Exception:
            logger.exception("counts_not_stored", counts=self.counts)
