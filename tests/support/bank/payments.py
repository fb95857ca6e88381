"""Top-ups, what providers tell of them, and debts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from billing.credits import ZERO, Credits
from billing.grants.adding import PAID_PRIORITY, Origin
from billing.posting import Kind
from billing.top_ups.values import EventKind, Status
from tests.support.bank.book import Book, Part
from tests.support.bank.errors import Refused


@dataclass(eq=False)
class TopUp:
    """Credits that are bought at a price in minor units."""

    id: uuid.UUID
    book: Book
    amount: Credits
    price: int
    status: Status = Status.PENDING
    is_credited: bool = False
    charged_back: Credits = ZERO
    money_back: int = 0


@dataclass(eq=False)
class Debt:
    """What a chargeback found spent."""

    top_up: TopUp
    amount: Credits
    repaid: Credits = ZERO


class Payments:
    """All top-ups, and the debts, oldest first."""

    def __init__(self) -> None:
        self.top_ups: list[TopUp] = []
        self.debts: list[Debt] = []
        self.heard: set[str] = set()

    def begin(self, top_up_id: uuid.UUID, book: Book, amount: Credits, price: int) -> bool:
        """Whether it was begun before."""
        for top_up in self.top_ups:
            if top_up.id == top_up_id:
                if (top_up.book, top_up.amount) != (book, amount):
                    raise Refused("idempotency_conflict")
                return True
        self.top_ups.append(TopUp(top_up_id, book, amount, price))
        return False

    def hear(self, event_id: str, top_up: TopUp, kind: EventKind, money: int | None) -> None:
        """A webhook; `money` left out: the whole price."""
        if event_id in self.heard:
            return
        if kind is EventKind.PAID and money is not None and money < top_up.price:
            raise Refused("payment_mismatch")
        self.heard.add(event_id)
        if kind is EventKind.FAILED and top_up.status is Status.PENDING:
            top_up.status = Status.FAILED
        if kind is EventKind.PAID:
            self._pay(top_up)
        if kind is EventKind.CHARGED_BACK:
            self._charge_back(top_up, top_up.price if money is None else money)

    def _pay(self, top_up: TopUp) -> None:
        if top_up.is_credited or top_up.charged_back == top_up.amount:
            return
        top_up.is_credited = True
        if top_up.status is not Status.CHARGED_BACK:
            top_up.status = Status.PAID
        part = Part(top_up.amount, PAID_PRIORITY)
        top_up.book.credit(Kind.TOP_UP, Origin.TOP_UP, [part], top_up.id)
        self._take_back(top_up, top_up.charged_back)
        self._repay(top_up, top_up.amount - top_up.charged_back)

    def _charge_back(self, top_up: TopUp, money: int) -> None:
        """In proportion to the price, rounded up; never more than the whole."""
        money_back = min(top_up.money_back + money, top_up.price)
        charged_back = top_up.amount
        if money_back < top_up.price:
            microcredits, rest = divmod(top_up.amount.microcredits * money_back, top_up.price)
            charged_back = Credits(microcredits + (1 if rest else 0))
        more = charged_back - top_up.charged_back
        if more <= ZERO:
            return
        top_up.status = Status.CHARGED_BACK
        top_up.money_back, top_up.charged_back = money_back, charged_back
        if top_up.is_credited:
            self._take_back(top_up, more)

    def _take_back(self, top_up: TopUp, amount: Credits) -> None:
        taken = min(amount, top_up.book.available)
        if taken > ZERO:
            top_up.book.debit(Kind.ADJUSTMENT, taken, top_up.id)
        if taken < amount:
            self._owe(top_up, amount - taken)

    def _owe(self, top_up: TopUp, amount: Credits) -> None:
        for debt in self.debts:
            if debt.top_up is top_up:
                debt.amount += amount
                return
        self.debts.append(Debt(top_up, amount))

    def _repay(self, top_up: TopUp, available: Credits) -> None:
        for debt in self.debts:
            part = min(debt.amount - debt.repaid, available)
            if debt.top_up.book is top_up.book and part > ZERO:
                debt.repaid += part
                available -= part
                top_up.book.debit(Kind.ADJUSTMENT, part, top_up.id)
