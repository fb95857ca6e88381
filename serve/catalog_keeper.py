"""Follows the folder of models: what is published, promoted or retired there is served soon."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from models.registry import Catalog
from models.watching import CatalogWatch

POLL_SECONDS = 1.0

Warm = Callable[[str, str], Awaitable[None]]
"""Has a model's version loaded wherever it will be asked for; never raises."""

logger = structlog.get_logger(__name__)


async def keep_polled(watch: CatalogWatch) -> None:
    """Poll again and again until cancelled, for who reads `watch.catalog` whenever it is needed."""
    while True:
        await asyncio.sleep(POLL_SECONDS)
        # In a thread: the folder may be a slow one, shared over the network.
        await asyncio.to_thread(watch.poll)


class CatalogKeeper:
    """Hands on each new catalogue, once the scorers were told to load what is new in it.

    Without that, the first batch of a new champion would wait for its loading, and every batch
    behind it too.
    """

    def __init__(self, watch: CatalogWatch, take: Callable[[Catalog], None], warm: Warm) -> None:
        self._watch = watch
        self._take = take
        self._warm = warm
        self._taken = watch.catalog

    async def keep_current(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self.look()
            except Exception:
                logger.exception("catalog_not_taken")

    async def look(self) -> None:
        """Take what changed since the last look."""
        await asyncio.to_thread(self._watch.poll)
        catalog = self._watch.catalog
        if catalog is self._taken:
            return
        await asyncio.gather(*(self._warm(*key) for key in _served(catalog) - _served(self._taken)))
        self._take(catalog)
        self._taken = catalog
        champions = {name: rollout.champion for name, rollout in catalog.rollouts.items()}
        # Not INFO, which is dropped: who reads the log should find when answers changed.
        logger.warning("catalog_taken", champions=champions)


def _served(catalog: Catalog) -> set[tuple[str, str]]:
    return {(one.name, one.version) for one in catalog.served}
