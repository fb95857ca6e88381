"""Verdicts on the whole ledger as operators see them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from billing.reconciliations.values import Source, Verdict
from serve.wire import Wire


class BreachView(Wire):
    """A rule that does not hold."""

    rule: str = Field(examples=["balance_equals_sum_of_entries"])
    count: int
    examples: list[str] = Field(description="Ids of the first accounts or charges that breach it")


class VerdictView(Wire):
    """What one check of the whole ledger found."""

    started_at: datetime
    seconds: float
    rows: dict[str, int] = Field(description="Rows by table")
    rules: int = Field(description="How many rules were checked")
    clean: bool
    breaches: list[BreachView]
    source: Source = Field(description="cli: `farebox reconcile`")

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """As the wire has it."""
        return cls(
            started_at=verdict.started_at,
            seconds=verdict.seconds,
            rows=dict(verdict.rows),
            rules=verdict.rules,
            clean=verdict.is_clean,
            breaches=[
                BreachView(rule=each.rule, count=each.count, examples=list(each.examples))
                for each in verdict.breaches
            ],
            source=verdict.source,
        )


class ReconciliationReport(Wire):
    """The last verdicts, newest first; none where the ledger was never checked."""

    every_hours: float = Field(description="How often the bookkeeper checks; 0: never")
    verdicts: list[VerdictView]
