"""Runs chores again and again, each on its own, until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from billing.errors import LedgerUnavailable

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Work that comes back. `run` says whether more of it is waiting: it is then done at once."""

    name: str
    pause_seconds: float
    run: Callable[[], Awaitable[bool]]


class Bookkeeping:
    """A task a chore. One that fails is logged and tried again after its pause."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self._chores = chores
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin every chore."""
        self._tasks = [
            asyncio.create_task(_repeat(chore), name=chore.name) for chore in self._chores
        ]

    async def stop(self) -> None:
        """Cancel the chores and wait for their end; a transaction under way is rolled back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _repeat(chore: Chore) -> None:
    while True:
        has_more = False
        try:
            has_more = await chore.run()
        except asyncio.CancelledError:
            if _is_stopping():
                raise
            # Something the chore waited for was cancelled, not the chore.
            logger.exception("chore_failed", chore=chore.name)
        except LedgerUnavailable as error:
            logger.warning("chore_put_off", chore=chore.name, reason=str(error))
        except Exception:
            logger.exception("chore_failed", chore=chore.name)
        await asyncio.sleep(0 if has_more else chore.pause_seconds)


def _is_stopping() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
