"""Takes messages out of the outbox, sends them outside of any transaction, notes what became."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from billing.database import Database
from billing.outbox.actions import claim_delivery, mark_delivered, mark_failed, put_off
from billing.outbox.values import Channel, Claimed, Patience, next_attempt_at
from serve.accounts.outbox.sending import NotSent, Send

logger = structlog.get_logger(__name__)


class Deliverer:
    """One channel's. `deliver_one` runs several times at once; an account has a bounded share."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        send: Send,
        *,
        patience: Patience,
        lease: timedelta,
        account_share: int,
        now: Callable[[], datetime],
    ) -> None:
        """`lease` is longer than any attempt takes: after it, another worker sends again."""
        self._database = database
        self._channel = channel
        self._send = send
        self._patience = patience
        self._lease = lease
        self._account_share = account_share
        self._now = now
        self._claiming = asyncio.Lock()
        self._under_way: Counter[uuid.UUID] = Counter()

    async def deliver_one(self) -> bool:
        """Whether there was a message to send."""
        async with self._claiming:
            claimed = await self._claim()
            if claimed is None:
                return False
            self._under_way[claimed.account_id] += 1
        try:
            await self._attempt(claimed)
        finally:
            self._under_way[claimed.account_id] -= 1
            self._under_way += Counter()  # forgets those at zero
        return True

    async def _claim(self) -> Claimed | None:
        busy = [
            account_id
            for account_id, sending in self._under_way.items()
            if sending >= self._account_share
        ]
        return await claim_delivery(
            self._database,
            self._channel,
            lease=self._lease,
            now=self._now(),
            except_accounts=busy,
        )

    async def _attempt(self, claimed: Claimed) -> None:
        if claimed.attempt > self._patience.attempts_max:
            # Every attempt was begun, and whoever made the last one did not live to note its end.
            await self._fail(claimed, "Given up: the last attempt was cut off.")
            return
        try:
            await self._send(claimed, self._now())
        except NotSent as error:
            await self._note(claimed, error)
        else:
            await mark_delivered(self._database, claimed.id, now=self._now())

    async def _note(self, claimed: Claimed, error: NotSent) -> None:
        now = self._now()
        until = next_attempt_at(
            self._patience,
            claimed.attempt,
            claimed.created_at,
            now,
            random.random(),  # noqa: S311 - spreads retries, keeps no secret
        )
        if error.is_final or until is None:
            await self._fail(claimed, error.reason)
        else:
            await put_off(self._database, claimed, error.reason, until=until)

    async def _fail(self, claimed: Claimed, reason: str) -> None:
        logger.warning(
            "delivery_failed",
            channel=self._channel,
            delivery_id=str(claimed.id),
            attempts=claimed.attempt,
            reason=reason,
        )
        await mark_failed(self._database, claimed.id, reason, now=self._now())
