"""Check the whole ledger against what must always hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg

from billing.database import Database
from billing.top_ups.values import CHARGED_BACK, DEBT_REPAID

_EXAMPLES_MAX = 20

# Reads everything: minutes on a large ledger, where a charge has seconds.
_STATEMENT_TIMEOUT_SECONDS = 600
_PREPARE = f"""
SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT_SECONDS}s';
SET LOCAL max_parallel_workers_per_gather = 0;
"""

# Each finds the ids that breach the rule it is named for; none finds nothing.
_RULES = {
    "balance_equals_sum_of_entries": """
        SELECT account_id::text
        FROM balances
        FULL JOIN (
            SELECT account_id, sum(amount_microcredits) AS total FROM entries GROUP BY account_id
        ) AS sums USING (account_id)
        WHERE balances.account_id IS NULL OR posted <> coalesce(total, 0)
    """,
    "entries_have_no_gap": """
        SELECT account_id::text
        FROM balances
        LEFT JOIN (
            SELECT account_id, count(*) AS entries, max(sequence) AS last
            FROM entries GROUP BY account_id
        ) AS counts USING (account_id)
        WHERE (coalesce(entries, 0), coalesce(last, 0)) <> (sequence, sequence)
    """,
    "entries_carry_the_balance": """
        SELECT account_id || ' ' || sequence
        FROM (
            SELECT
                account_id, sequence, balance_microcredits,
                sum(amount_microcredits) OVER (PARTITION BY account_id ORDER BY sequence) AS total
            FROM entries
        ) AS running
        WHERE balance_microcredits <> total
    """,
    "account_has_balance": """
        SELECT coalesce(accounts.id, balances.account_id)::text
        FROM accounts
        FULL JOIN balances ON balances.account_id = accounts.id
        WHERE accounts.id IS NULL OR balances.account_id IS NULL
    """,
    "available_not_negative": """
        SELECT account_id::text FROM balances WHERE posted - held < 0 OR held < 0
    """,
    "one_entry_per_charge": """
        SELECT charge_id::text
        FROM entries
        WHERE charge_id IS NOT NULL
        GROUP BY charge_id
        HAVING count(*) > 1
    """,
    "one_prediction_per_charge": """
        SELECT charge_id::text FROM predictions GROUP BY charge_id HAVING count(*) > 1
    """,
    "prediction_if_and_only_if_charge": """
        SELECT coalesce(predictions.charge_id, charged.charge_id)::text
        FROM predictions
        FULL JOIN (SELECT * FROM entries WHERE kind = 'charge') AS charged
            ON charged.charge_id = predictions.charge_id
        WHERE charged.charge_id IS NULL OR predictions.charge_id IS NULL
    """,
    "prediction_agrees_with_charge": """
        SELECT predictions.charge_id::text
        FROM predictions
        JOIN entries USING (charge_id)
        WHERE (predictions.account_id, predictions.amount_microcredits)
            IS DISTINCT FROM (entries.account_id, -entries.amount_microcredits)
    """,
    "answer_has_prediction": """
        SELECT answers.charge_id::text
        FROM answers
        LEFT JOIN predictions USING (charge_id)
        WHERE predictions.charge_id IS NULL
    """,
    "credits_come_as_grants": """
        SELECT account_id || ' ' || sequence
        FROM (SELECT * FROM entries WHERE amount_microcredits > 0) AS credits
        FULL JOIN (
            SELECT account_id, sequence, sum(amount_microcredits) AS total
            FROM grants GROUP BY account_id, sequence
        ) AS granted USING (account_id, sequence)
        WHERE amount_microcredits IS DISTINCT FROM total
    """,
    "grant_has_left_what_was_not_used": """
        SELECT coalesce(grants.id, used.grant_id)::text
        FROM grants
        FULL JOIN (
            SELECT account_id, grant_id, sum(amount_microcredits) AS total
            FROM grant_uses GROUP BY account_id, grant_id
        ) AS used ON (used.account_id, used.grant_id) = (grants.account_id, grants.id)
        WHERE remaining_microcredits IS DISTINCT FROM amount_microcredits - coalesce(total, 0)
    """,
    "grants_have_left_what_the_balance_was": """
        SELECT settled.account_id::text
        FROM settled
        LEFT JOIN entries USING (account_id, sequence)
        LEFT JOIN (
            SELECT grants.account_id, sum(remaining_microcredits) AS total
            FROM grants
            JOIN settled USING (account_id)
            WHERE grants.sequence <= settled.sequence
            GROUP BY grants.account_id
        ) AS sums USING (account_id)
        WHERE coalesce(total, 0) IS DISTINCT FROM
            CASE settled.sequence WHEN 0 THEN 0 ELSE balance_microcredits END
    """,
    "uses_add_up_to_their_debits": """
        WITH running AS (
            SELECT
                account_id, sequence,
                sum(-least(amount_microcredits, 0))
                    OVER (PARTITION BY account_id ORDER BY sequence) AS total
            FROM entries
        )
        SELECT grant_id || ' ' || first_sequence
        FROM grant_uses
        LEFT JOIN running AS first
            ON (first.account_id, first.sequence) = (grant_uses.account_id, first_sequence)
        LEFT JOIN running AS before_last
            ON (before_last.account_id, before_last.sequence)
                = (grant_uses.account_id, last_sequence - 1)
        WHERE grant_uses.amount_microcredits IS DISTINCT FROM
            CASE WHEN first_sequence = last_sequence THEN first_microcredits
            ELSE first_microcredits + before_last.total - first.total + last_microcredits END
    """,
    "refunds_within_the_charge": """
        SELECT coalesce(refund_totals.charge_id, sums.charge_id)::text
        FROM refund_totals
        FULL JOIN (
            SELECT charge_id, sum(amount_microcredits) AS total FROM refunds GROUP BY charge_id
        ) AS sums USING (charge_id)
        LEFT JOIN predictions USING (charge_id)
        WHERE refunded_microcredits IS DISTINCT FROM total
            OR charged_microcredits IS DISTINCT FROM predictions.amount_microcredits
            OR refunded_microcredits > charged_microcredits
    """,
    "refund_has_its_entry": """
        SELECT coalesce(refunds.id, posted.source_id)::text
        FROM refunds
        FULL JOIN (SELECT * FROM entries WHERE kind = 'refund') AS posted
            ON posted.source_id = refunds.id
        WHERE (refunds.account_id, refunds.amount_microcredits)
            IS DISTINCT FROM (posted.account_id, posted.amount_microcredits)
    """,
    "held_equals_open_holds": """
        SELECT coalesce(balances.account_id, sums.account_id)::text
        FROM balances
        FULL JOIN (
            SELECT account_id, sum(amount_microcredits) AS total
            FROM holds WHERE status = 'open' GROUP BY account_id
        ) AS sums USING (account_id)
        WHERE balances.account_id IS NULL OR held <> coalesce(total, 0)
    """,
    "captured_hold_has_one_entry": """
        SELECT coalesce(captured.id, captures.source_id)::text
        FROM (SELECT * FROM holds WHERE status = 'captured') AS captured
        FULL JOIN (
            SELECT source_id, account_id, count(*) AS entries, sum(amount_microcredits) AS total
            FROM entries WHERE kind = 'capture' GROUP BY source_id, account_id
        ) AS captures ON captures.source_id = captured.id
        WHERE (captured.account_id, captured.captured_microcredits, 1)
            IS DISTINCT FROM (captures.account_id, -captures.total, captures.entries)
    """,
    "paid_top_up_has_one_entry": """
        SELECT coalesce(paid.id, bought.source_id)::text
        FROM (SELECT * FROM top_ups WHERE paid_at IS NOT NULL) AS paid
        FULL JOIN (
            SELECT source_id, account_id, count(*) AS entries, sum(amount_microcredits) AS total
            FROM entries WHERE kind = 'top_up' GROUP BY source_id, account_id
        ) AS bought ON bought.source_id = paid.id
        WHERE (paid.account_id, paid.amount_microcredits, 1)
            IS DISTINCT FROM (bought.account_id, bought.total, bought.entries)
    """,
    "charged_back_was_taken_or_is_owed": f"""
        SELECT coalesce(charged_back.id, taken.source_id, debts.top_up_id)::text
        FROM (
            SELECT id, charged_back_microcredits AS total
            FROM top_ups WHERE paid_at IS NOT NULL AND charged_back_microcredits > 0
        ) AS charged_back
        FULL JOIN (
            SELECT source_id, -sum(amount_microcredits) AS total
            FROM entries
            WHERE kind = 'adjustment' AND reason = '{CHARGED_BACK}'
            GROUP BY source_id
        ) AS taken ON taken.source_id = charged_back.id
        FULL JOIN debts ON debts.top_up_id = coalesce(charged_back.id, taken.source_id)
        WHERE coalesce(charged_back.total, 0)
            <> coalesce(taken.total, 0) + coalesce(debts.amount_microcredits, 0)
    """,  # noqa: S608 - the reason is ours
    "repaid_debts_equal_entries": f"""
        SELECT coalesce(repaid.account_id, paid.account_id)::text
        FROM (
            SELECT account_id, sum(repaid_microcredits) AS total FROM debts GROUP BY account_id
        ) AS repaid
        FULL JOIN (
            SELECT account_id, -sum(amount_microcredits) AS total
            FROM entries
            WHERE kind = 'adjustment' AND reason = '{DEBT_REPAID}'
            GROUP BY account_id
        ) AS paid USING (account_id)
        WHERE coalesce(repaid.total, 0) <> coalesce(paid.total, 0)
    """,  # noqa: S608 - the reason is ours
}

_TABLES = ("accounts", "balances", "entries", "predictions", "answers")


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that does not hold."""

    rule: str
    count: int
    examples: tuple[str, ...]
    """Ids of the first accounts or charges that breach it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was read, and every rule that was found broken."""

    rows: dict[str, int]
    """Rows by table."""
    rules: tuple[str, ...]
    """Everything that was checked."""
    breaches: tuple[Breach, ...]

    @property
    def is_clean(self) -> bool:
        """Whether all rules hold."""
        return not self.breaches


async def reconcile(database: Database) -> Report:
    """Check every rule while charges go on."""
    async with database.connection() as connection:
        return await check_rules(connection)


async def check_rules(connection: asyncpg.Connection) -> Report:
    """Each rule is one statement with a snapshot of its own.

    One over all of them would keep dead versions of the balances that are charged meanwhile, and
    every charge would wade through them.
    """
    rows = {table: await _count_rows(connection, table) for table in _TABLES}
    found = [await _check(connection, rule, query) for rule, query in _RULES.items()]
    return Report(rows, tuple(_RULES), tuple(breach for breach in found if breach is not None))


async def _count_rows(connection: asyncpg.Connection, table: str) -> int:
    [row] = await _fetch(connection, f"SELECT count(*) FROM {table}")  # noqa: S608 - our own names
    rows: int = row[0]
    return rows


async def _check(connection: asyncpg.Connection, rule: str, query: str) -> Breach | None:
    rows = await _fetch(
        connection,
        f"SELECT id, count(*) OVER () FROM ({query}) AS breaches (id) ORDER BY id LIMIT $1",  # noqa: S608
        _EXAMPLES_MAX,
    )
    if not rows:
        return None
    return Breach(rule, rows[0]["count"], tuple(row["id"] for row in rows))


async def _fetch(connection: asyncpg.Connection, query: str, *values: object) -> list[Any]:
    """By one process of the server: the other processors are the charges'."""
    async with connection.transaction(readonly=True):
        await connection.execute(_PREPARE)
        rows: list[Any] = await connection.fetch(query, *values, timeout=_STATEMENT_TIMEOUT_SECONDS)
        return rows
