"""Which keys were used: a set add a request, written down once a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

from billing.errors import LedgerUnavailable
from billing.sessions.values import SESSION_KEY_ID

_FLUSH_SECONDS = 60.0


class KeyUses:
    """Ids of keys used since the last flush; never more than there are keys."""

    def __init__(self, write: Callable[[Collection[str]], Awaitable[None]]) -> None:
        self._write = write
        self._key_ids: set[str] = set()
        self.note = self._key_ids.add
        """Called for every request: the set's own method."""

    async def keep_flushed(self, pause_seconds: float = _FLUSH_SECONDS) -> None:
        """Flush again and again until cancelled."""
        while True:
            await asyncio.sleep(pause_seconds)
            await self.flush()

    async def flush(self) -> None:
        """Write down what was noted, sessions left out; where that fails it is kept for the next
        time.
        """
        self._key_ids.discard(SESSION_KEY_ID)  # here, not by `note`: that is called for all
        key_ids = tuple(self._key_ids)
        if not key_ids:
            return
        self._key_ids.clear()
        try:
            await self._write(key_ids)
        except LedgerUnavailable:
            self._key_ids.update(key_ids)
