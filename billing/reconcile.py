"""Check the whole ledger against what must always hold."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from billing.database import Database
from billing.top_ups.values import CHARGED_BACK, DEBT_REPAID

_EXAMPLES_MAX = 20

# Reads everything: minutes on a large ledger, where a charge has seconds.
_STATEMENT_TIMEOUT_SECONDS = 600

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
    """Check every rule on one snapshot; charges go on meanwhile."""
    async with (
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT_SECONDS}s'")
        rows = {table: await _count_rows(connection, table) for table in _TABLES}
        found = [await _check(connection, rule, query) for rule, query in _RULES.items()]
    return Report(rows, tuple(_RULES), tuple(breach for breach in found if breach is not None))


async def _count_rows(connection: asyncpg.Connection, table: str) -> int:
    query = f"SELECT count(*) FROM {table}"  # noqa: S608  # the names are ours
    rows: int = await connection.fetchval(query, timeout=_STATEMENT_TIMEOUT_SECONDS)
    return rows


async def _check(connection: asyncpg.Connection, rule: str, query: str) -> Breach | None:
    rows = await connection.fetch(
        f"SELECT id, count(*) OVER () FROM ({query}) AS breaches (id) ORDER BY id LIMIT $1",  # noqa: S608
        _EXAMPLES_MAX,
        timeout=_STATEMENT_TIMEOUT_SECONDS,
    )
    if not rows:
        return None
    return Breach(rule, rows[0]["count"], tuple(row["id"] for row in rows))
