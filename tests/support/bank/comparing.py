"""What stands in the database and what should, in the same words."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.credits import ZERO, Credits
from tests.support.bank.bank import Bank
from tests.support.bank.book import describe
from tests.support.bank.world import World

Rows = dict[Any, Any]
Uses = dict[tuple[uuid.UUID, int], dict[uuid.UUID, Credits]]


@dataclass
class Standing:
    """Everything that counts, by what identifies it."""

    balances: Rows
    """By account: posted, held, sequence."""
    entries: Rows
    """By account and sequence: kind, amount, balance, the source or the charge."""
    predictions: Rows
    grants: Rows
    remaining: Rows
    uses: Uses
    """By account and sequence: what each grant paid, as far as is settled."""
    debts: Rows
    refunded: Rows
    holds: Rows
    top_ups: Rows
    caps: Rows
    """By key and period."""
    spent: Rows
    """By lineage and period, in the period of now."""


def fetch_settled(world: World, bank: Bank) -> dict[uuid.UUID, int]:
    """Up to which entry each account is settled."""
    known = dict(world.fetch("SELECT account_id, sequence FROM settled"))
    return {account_id: known.get(account_id, 0) for account_id in bank.books}


def tell_ids(world: World, bank: Bank) -> None:
    """Let the bank know the ids of grants that the product has made."""
    made: dict[uuid.UUID, Any] = defaultdict(lambda: defaultdict(list))
    rows = world.fetch(
        "SELECT id, account_id, sequence, origin, priority, expires_at, amount_microcredits,"
        " source_id FROM grants ORDER BY id"
    )
    for grant_id, account_id, sequence, origin, priority, expires_at, amount, source_id in rows:
        shape = (sequence, origin, priority, expires_at, Credits(amount), source_id)
        made[account_id][sequence].append((grant_id, shape))
    for account_id, book in bank.books.items():
        book.name_grants(made[account_id])


def read_world(world: World, now: datetime) -> Standing:
    """What there is."""
    entries = {
        row[:2]: row[2:]
        for row in world.fetch(
            "SELECT account_id, sequence, kind, amount_microcredits, balance_microcredits,"
            " coalesce(source_id, charge_id) FROM entries"
        )
    }
    return Standing(
        balances=_by_id(world, "SELECT account_id, posted, held, sequence FROM balances"),
        entries=entries,
        predictions=_by_id(
            world, "SELECT charge_id, account_id, key_id, amount_microcredits FROM predictions"
        ),
        grants=_by_id(
            world,
            "SELECT id, account_id, sequence, origin, priority, expires_at, amount_microcredits,"
            " source_id FROM grants",
        ),
        remaining=_by_id(world, "SELECT id, remaining_microcredits FROM grants"),
        uses=_expand_uses(world, entries),
        debts=_by_id(
            world,
            "SELECT top_up_id, account_id, amount_microcredits, repaid_microcredits FROM debts",
        ),
        refunded=_by_id(
            world,
            "SELECT charge_id, charged_microcredits, refunded_microcredits FROM refund_totals",
        ),
        holds=_by_id(
            world,
            "SELECT id, account_id, amount_microcredits, status, captured_microcredits, expires_at,"
            " resolved_at IS NOT NULL FROM holds",
        ),
        top_ups=_by_id(
            world,
            "SELECT id, account_id, amount_microcredits, status, paid_at IS NOT NULL,"
            " charged_back_microcredits FROM top_ups",
        ),
        caps={
            row[:2]: row[2:]
            for row in world.fetch("SELECT key_id, period, cap_microcredits FROM key_caps")
        },
        spent={
            row[:2]: row[2:]
            for row in world.fetch(
                "SELECT lineage_id, period, spent_microcredits FROM key_spending"
                " WHERE period_start = farebox_period_start(period, $1) AND spent_microcredits > 0",
                now,
            )
        },
    )


def read_bank(bank: Bank, settled: dict[uuid.UUID, int]) -> Standing:
    """What there should be, with grants as far as each account is settled."""
    books = bank.books.values()
    charge_ids = {id(paid.entry): paid.charge.charge_id for paid in bank.paid}
    return Standing(
        balances={
            book.account_id: (
                book.posted.microcredits,
                book.held.microcredits,
                len(book.entries),
            )
            for book in books
        },
        entries={
            (book.account_id, entry.sequence): (
                str(entry.kind),
                entry.amount.microcredits,
                entry.balance.microcredits,
                entry.source_id or charge_ids.get(id(entry)),
            )
            for book in books
            for entry in book.entries
        },
        predictions={
            paid.charge.charge_id: (
                paid.charge.account_id,
                paid.charge.key_id,
                paid.charge.amount.microcredits,
            )
            for paid in bank.paid
        },
        grants={
            grant.id: (
                book.account_id,
                *describe(grant)[:4],
                grant.amount.microcredits,
                grant.source_id,
            )
            for book in books
            for grant in book.grants
        },
        remaining={
            grant.id: (book.remaining(grant, settled[book.account_id]).microcredits,)
            for book in books
            for grant in book.grants
        },
        uses={
            (book.account_id, entry.sequence): {grant.id: paid for grant, paid in entry.uses}
            for book in books
            for entry in book.entries
            if entry.uses and entry.sequence <= settled[book.account_id]
        },
        debts={
            debt.top_up.id: (
                debt.top_up.book.account_id,
                debt.amount.microcredits,
                debt.repaid.microcredits,
            )
            for debt in bank.payments.debts
        },
        refunded={
            paid.charge.charge_id: (paid.charge.amount.microcredits, refunded.microcredits)
            for paid in bank.paid
            if (refunded := bank.refunded(paid.charge.charge_id)) > ZERO
        },
        holds={
            hold.id: (
                hold.book.account_id,
                hold.amount.microcredits,
                str(hold.status),
                hold.captured.microcredits,
                hold.expires_at,
                hold.status != "open",
            )
            for hold in bank.holds.holds
        },
        top_ups={
            top_up.id: (
                top_up.book.account_id,
                top_up.amount.microcredits,
                str(top_up.status),
                top_up.is_credited,
                top_up.charged_back.microcredits,
            )
            for top_up in bank.payments.top_ups
        },
        caps={
            (key_id, str(period)): (cap.microcredits,)
            for key_id, lineage in bank.caps.lineages.items()
            for (capped, period), cap in bank.caps.caps.items()
            if capped == lineage
        },
        spent={
            (lineage, str(period)): (spent.microcredits,)
            for lineage, period in bank.caps.caps
            if (spent := bank.caps.spent(lineage, period, bank.now)) > ZERO
        },
    )


def check_invariants(standing: Standing) -> None:
    """What must hold of the database whatever the bank says."""
    for account_id, (posted, held, sequence) in standing.balances.items():
        lines = sorted(
            (number, line)
            for (owner, number), line in standing.entries.items()
            if owner == account_id
        )
        assert [number for number, _ in lines] == list(range(1, sequence + 1))
        running = 0
        for _, (_, amount, balance, _) in lines:
            running += amount
            assert balance == running >= 0
        assert posted == running
        assert posted - held >= 0
        is_open = [row for row in standing.holds.values() if row[:3:2] == (account_id, "open")]
        assert held == sum(row[1] for row in is_open)
    charged = {line[3] for line in standing.entries.values() if line[0] == "charge"}
    assert charged == set(standing.predictions)
    for charge_id, (amount, refunded) in standing.refunded.items():
        assert standing.predictions[charge_id][2] == amount >= refunded


def _by_id(world: World, query: str) -> Rows:
    return {row[0]: row[1:] for row in world.fetch(query)}


def _expand_uses(world: World, entries: Rows) -> Uses:
    """Runs of debits, taken apart again."""
    uses: Uses = defaultdict(dict)
    spans = world.fetch(
        "SELECT account_id, grant_id, first_sequence, first_microcredits, last_sequence,"
        " last_microcredits, amount_microcredits FROM grant_uses"
    )
    for account_id, grant_id, first, first_amount, last, last_amount, amount in spans:
        paid = {first: first_amount, last: last_amount}
        for sequence in range(first + 1, last):
            entry_amount = entries[account_id, sequence][1]
            if entry_amount < 0:
                paid[sequence] = -entry_amount
        assert sum(paid.values()) == amount
        for sequence, part in paid.items():
            assert grant_id not in uses[account_id, sequence]
            uses[account_id, sequence][grant_id] = Credits(part)
    return dict(uses)
