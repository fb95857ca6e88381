"""The load test's own accounts, and whether their money agrees with what the users saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from loadtest.commands import reconcile_problem
from loadtest.keys import ensure_keys
from loadtest.ledger import Books, Mark, fetch_books, fetch_marks
from loadtest.money import Money, settle, sum_balances
from loadtest.tally import Tally

ACCOUNTS = 10
CREDITS_EACH = 10_000_000
CARELESS_ACCOUNTS = 1
CARELESS_CREDITS = 1_000
"""Never spent: enough that bad input is not refused for want of credits."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Keys, and where the accounts behind them stood before the run."""

    base_url: str
    paying: list[str]
    careless: list[str]
    balance: Decimal
    """Of all paying accounts together."""
    paying_marks: list[Mark]
    careless_marks: list[Mark]


@dataclass(frozen=True, slots=True)
class Settlement:
    """The same money three times: by balances, by the books, and by what users were answered."""

    money: Money
    books: Books
    careless: Books
    ledger_problem: str | None

    def misses(self, tally: Tally) -> list[str]:
        """Whatever does not agree, in words."""
        found = [] if self.money.agrees else [f"money: {self.money}"]
        found += _count_misses(self.books, tally)
        if self.books.balance_min < 0:
            found.append(f"money: a balance fell to {self.books.balance_min}")
        if self.careless != Books():
            found.append(f"money: bad input was charged: {self.careless}")
        if tally.wrong:
            found.append(f"{len(tally.wrong)} wrong answers, such as: {tally.wrong[0]}")
        return [*found, f"ledger: {self.ledger_problem}"] if self.ledger_problem else found


def open_accounts(base_url: str, folder: Path) -> Accounts:
    """Accounts of earlier runs where they still have credits, else fresh ones."""
    paying = ensure_keys(base_url, folder / "load-keys.json", ACCOUNTS, CREDITS_EACH)
    careless = ensure_keys(
        base_url, folder / "load-careless-keys.json", CARELESS_ACCOUNTS, CARELESS_CREDITS
    )
    return Accounts(
        base_url,
        paying,
        careless,
        sum_balances(base_url, paying),
        fetch_marks(base_url, paying),
        fetch_marks(base_url, careless),
    )


def close_accounts(accounts: Accounts, tally: Tally) -> Settlement:
    """Read what became of the money, once nothing is under way any more."""
    base_url = accounts.base_url
    money = settle(
        accounts.balance,
        tally.charged,
        tally.unknown,
        lambda: sum_balances(base_url, accounts.paying),
    )
    return Settlement(
        money,
        fetch_books(base_url, accounts.paying, accounts.paying_marks),
        fetch_books(base_url, accounts.careless, accounts.careless_marks),
        reconcile_problem(),
    )


def _count_misses(books: Books, tally: Tally) -> list[str]:
    """Answers, charges and predictions are as many, but for requests that nobody saw answered."""
    misses: list[str] = []
    most = tally.answers_200 + tally.unknown_requests
    if not tally.answers_200 <= books.charges <= most:
        misses.append(f"money: {tally.answers_200:,} answers 200, but {books.charges:,} charges")
    if books.charges != books.predictions:
        misses.append(f"money: {books.charges:,} charges, {books.predictions:,} prediction rows")
    if not tally.charged <= books.charged <= tally.charged + tally.unknown:
        misses.append(f"money: {tally.charged} credits answered, {books.charged} in the books")
    if books.instances != tally.instances and not tally.unknown_requests:
        misses.append(
            f"money: {tally.instances:,} instances answered, {books.instances:,} in the books"
        )
    return misses


def coverage_misses(names: Sequence[str], tally: Tally) -> list[str]:
    """What this shape's users should have done and nobody did: nothing would have been checked."""
    wanted = {
        "RetryingCustomer": [
            (tally.replays, "no retry was replayed"),
            (tally.conflicts, "no reuse of a key was refused"),
        ],
        "CarelessCustomer": [(tally.refusals, "no bad input was refused")],
        "Reader": [(tally.reads, "no history was read")],
    }
    return [words for name in names for count, words in wanted.get(name, []) if not count]
