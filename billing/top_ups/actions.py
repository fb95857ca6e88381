"""Begin a top-up, and act on what its provider tells. Each is one transaction."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.credits import ZERO, Credits
from billing.database import Database
from billing.errors import IdempotencyConflict
from billing.grants.adding import PAID_PRIORITY, NewGrant, Origin, add_credits
from billing.posting import Kind, lock_balance, post_entry
from billing.top_ups.errors import PaymentMismatch
from billing.top_ups.queries import make_debt, make_top_up
from billing.top_ups.tables import debts, payment_events, top_ups
from billing.top_ups.values import (
    CHARGED_BACK,
    DEBT_REPAID,
    Change,
    Checkout,
    EventKind,
    PaymentEvent,
    TopUp,
    change_by,
    is_short,
    share,
)


async def begin_top_up(database: Database, new: TopUp) -> tuple[TopUp, bool]:
    """Note a pending top-up; one of that id that is there already, and True, where it is equal.

    The price stays as it was at first. Raises IdempotencyConflict for another amount or
    return URL.
    """
    made = (
        insert(top_ups)
        .values(
            id=new.id,
            account_id=new.account_id,
            provider=new.provider,
            amount_microcredits=new.amount.microcredits,
            price_minor_units=new.price.minor_units,
            currency=new.price.currency,
            created_at=new.created_at,
            return_url=new.return_url,
        )
        .on_conflict_do_nothing(index_elements=["id"])
    )
    async with database.begin() as connection:
        if (await connection.execute(made)).rowcount == 1:
            return new, False
        found = await connection.execute(select(top_ups).where(top_ups.c.id == new.id))
        top_up = make_top_up(found.one())
    if _content(top_up) != _content(new):
        raise IdempotencyConflict(f"top-up {new.id} is another one")
    return top_up, True


def _content(top_up: TopUp) -> tuple[object, ...]:
    """What makes two requests for a top-up the same."""
    return top_up.account_id, top_up.amount, top_up.provider, top_up.return_url


async def store_checkout(database: Database, top_up_id: uuid.UUID, checkout: Checkout) -> TopUp:
    """Note where a top-up is paid; the first checkout stays where two were made."""
    async with database.begin() as connection:
        await connection.execute(
            update(top_ups)
            .where(top_ups.c.id == top_up_id, top_ups.c.provider_reference.is_(None))
            .values(provider_reference=checkout.reference, checkout_url=checkout.url)
        )
        found = await connection.execute(select(top_ups).where(top_ups.c.id == top_up_id))
        return make_top_up(found.one())


async def apply_event(database: Database, event: PaymentEvent, now: datetime) -> TopUp | None:
    """Act on what a provider told, once; the top-up as it is then. None: no top-up of ours.

    Raises PaymentMismatch where less than the price was paid.
    """
    async with database.begin() as connection:
        top_up = await _lock_top_up(connection, event)
        if top_up is None or not await _note_event(connection, event):
            return top_up
        if event.kind is EventKind.PAID and is_short(top_up, event.money):
            raise PaymentMismatch(f"top-up {top_up.id} was paid with less than its price")
        change = change_by(top_up, event)
        if change is None:
            return top_up
        changed = await _store_change(connection, top_up, change, now)
        await _move_credits(connection, top_up, change)
    return changed


async def _lock_top_up(connection: AsyncConnection, event: PaymentEvent) -> TopUp | None:
    found = await connection.execute(
        select(top_ups)
        .where(top_ups.c.id == event.top_up_id, top_ups.c.provider == event.provider)
        .with_for_update()
    )
    row = found.one_or_none()
    return None if row is None else make_top_up(row)


async def _note_event(connection: AsyncConnection, event: PaymentEvent) -> bool:
    """Whether it is heard for the first time."""
    noted = await connection.execute(
        insert(payment_events)
        .values(
            provider=event.provider,
            event_id=event.event_id,
            top_up_id=event.top_up_id,
            kind=event.kind,
        )
        .on_conflict_do_nothing()
    )
    return noted.rowcount == 1


async def _store_change(
    connection: AsyncConnection, top_up: TopUp, change: Change, now: datetime
) -> TopUp:
    stored = await connection.execute(
        update(top_ups)
        .where(top_ups.c.id == top_up.id)
        .values(
            status=change.status,
            paid_at=now if change.credited > ZERO else top_up.paid_at,
            charged_back_microcredits=change.charged_back.microcredits,
            charged_back_minor_units=change.charged_back_minor_units,
        )
        .returning(*top_ups.c)
    )
    return make_top_up(stored.one())


async def _move_credits(connection: AsyncConnection, top_up: TopUp, change: Change) -> None:
    if change.credited > ZERO:
        await add_credits(
            connection,
            top_up.account_id,
            Kind.TOP_UP,
            Origin.TOP_UP,
            [NewGrant(change.credited, PAID_PRIORITY)],
            source_id=top_up.id,
            reason="top-up",
        )
    # Before debts are paid: credits that were charged back pay for nothing.
    if change.taken_back > ZERO:
        await _take_back(connection, top_up, change.taken_back)
    if change.credited > change.taken_back:
        await _repay_debts(connection, top_up, change.credited - change.taken_back)


async def _take_back(connection: AsyncConnection, top_up: TopUp, amount: Credits) -> None:
    """As far as there are credits; the rest is a debt."""
    balance = await lock_balance(connection, top_up.account_id)
    taken = min(amount, balance.available)
    if amount > taken:
        owed = (amount - taken).microcredits
        debt = insert(debts).values(
            top_up_id=top_up.id, account_id=top_up.account_id, amount_microcredits=owed
        )
        await connection.execute(
            debt.on_conflict_do_update(
                index_elements=["top_up_id"],
                set_={"amount_microcredits": debts.c.amount_microcredits + owed},
            )
        )
    if taken > ZERO:
        await post_entry(
            connection,
            top_up.account_id,
            Kind.ADJUSTMENT,
            -taken,
            source_id=top_up.id,
            reason=CHARGED_BACK,
        )


async def _repay_debts(connection: AsyncConnection, top_up: TopUp, available: Credits) -> None:
    """The oldest first. The lock of the balance, held since the credits came in, guards debts."""
    found = await connection.execute(
        select(debts)
        .where(
            debts.c.account_id == top_up.account_id,
            debts.c.repaid_microcredits < debts.c.amount_microcredits,
        )
        .order_by(debts.c.created_at, debts.c.top_up_id)
    )
    for debt, part in share([make_debt(row) for row in found], available):
        await connection.execute(
            update(debts)
            .where(debts.c.top_up_id == debt.top_up_id)
            .values(repaid_microcredits=(debt.repaid + part).microcredits)
        )
        await post_entry(
            connection,
            top_up.account_id,
            Kind.ADJUSTMENT,
            -part,
            source_id=top_up.id,
            reason=DEBT_REPAID,
        )
