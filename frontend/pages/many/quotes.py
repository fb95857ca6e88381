"""What a job costs, exactly, and whether the balance has it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Quote:
    """Of the rows still to be paid: at most `due_rows`, and `sure_rows` of them for certain."""

    model: str
    version: str
    each: Decimal
    rows: int
    due_rows: int
    sure_rows: int
    available: Decimal

    @property
    def amount(self) -> Decimal:
        """At most."""
        return self.each * self.due_rows

    @property
    def after(self) -> Decimal:
        """The balance afterwards, at least."""
        return self.available - self.amount

    @property
    def lacking(self) -> Decimal:
        """What has to be bought first. Rows that were sent count as paid: were they not, the job
        ends with the server's word and goes on later."""
        return max(Decimal(0), self.each * self.sure_rows - self.available)

    @property
    def is_begun(self) -> bool:
        return self.sure_rows < self.rows
