"""Checks the whole ledger in one snapshot: what must always hold, as queries that find breaches."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from billing.database import Database

_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, a count of what it is checked on, and a query for what breaks it."""

    name: str
    checked: str
    breaches: str


_RULES = (
    Rule(
        "balance = sum of entries",
        "SELECT count(*) FROM balances",
        """
        SELECT coalesce(balances.account_id, sums.account_id)::text
               || ': balance ' || coalesce(posted, 0) || ', entries ' || coalesce(total, 0)
          FROM balances
          FULL JOIN (SELECT account_id, sum(amount_microcredits) AS total
                       FROM entries GROUP BY account_id) AS sums USING (account_id)
         WHERE coalesce(posted, 0) <> coalesce(total, 0)
        """,
    ),
    Rule(
        "no negative balance",
        "SELECT count(*) FROM balances",
        """
        SELECT account_id::text || ': posted ' || posted || ', held ' || held
          FROM balances WHERE posted - held < 0 OR held < 0
        """,
    ),
    Rule(
        "one charge for each charge id",
        "SELECT count(*) FROM entries WHERE kind = 'charge'",
        """
        SELECT charge_id::text || ': ' || count(*) || ' charges'
          FROM entries WHERE kind = 'charge' GROUP BY charge_id HAVING count(*) > 1
        """,
    ),
    Rule(
        "a prediction if and only if a charge",
        "SELECT count(*) FROM predictions",
        """
        SELECT coalesce(predictions.charge_id, charges.charge_id)::text
               || CASE WHEN charges.charge_id IS NULL THEN ': a prediction without its charge'
                       WHEN predictions.charge_id IS NULL THEN ': a charge without its prediction'
                       ELSE ': account or amount differ' END
          FROM predictions
          FULL JOIN (SELECT * FROM entries WHERE kind = 'charge') AS charges USING (charge_id)
         WHERE (predictions.account_id, predictions.amount_microcredits)
               IS DISTINCT FROM (charges.account_id, -charges.amount_microcredits)
        """,
    ),
    Rule(
        "every answer belongs to a prediction",
        "SELECT count(*) FROM answers",
        """
        SELECT charge_id::text || ': an answer without its prediction'
          FROM answers WHERE NOT EXISTS (
               SELECT FROM predictions WHERE predictions.charge_id = answers.charge_id)
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class RuleResult:
    """How one rule fared. `examples` are the first 20 breaches, in words."""

    name: str
    checked: int
    breaches: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """How the ledger fared."""

    rules: tuple[RuleResult, ...]

    @property
    def clean(self) -> bool:
        """Whether every rule holds."""
        return not any(rule.breaches for rule in self.rules)


async def reconcile(database: Database) -> Report:
    """Check every rule in one repeatable-read snapshot, beside running charges.

    Takes seconds on millions of entries: the statement timeout is lifted for it.
    """
    async with (
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute("SET LOCAL statement_timeout = 0")
        return Report(tuple([await _check(connection, rule) for rule in _RULES]))


async def _check(connection: asyncpg.Connection, rule: Rule) -> RuleResult:
    checked = await connection.fetchval(rule.checked)
    breaches = await connection.fetchval(f"SELECT count(*) FROM ({rule.breaches}) AS found")  # noqa: S608 - our own text
    examples = await connection.fetch(f"{rule.breaches} LIMIT {_SHOWN_MAX}") if breaches else []
    return RuleResult(rule.name, checked, breaches, tuple(row[0] for row in examples))
