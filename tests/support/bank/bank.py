"""The whole bank: accounts, gifts, charges and refunds, and the clock."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.charges import (
    Charge,
    Charged,
    ChargeRejected,
    InsufficientCredits,
    KeyConflict,
    Outcome,
    Replayed,
    SpendingCapReached,
    StoredAnswer,
)
from billing.credits import ZERO, Credits
from billing.grants.adding import PAID_PRIORITY, PROMOTION_PRIORITY, Origin
from billing.posting import Kind
from tests.support.bank.book import Book, Entry, Part, total
from tests.support.bank.caps import Caps
from tests.support.bank.errors import Refused
from tests.support.bank.holds import Holds
from tests.support.bank.payments import Payments


@dataclass(eq=False)
class Paid:
    """A charge that was made."""

    charge: Charge
    entry: Entry


@dataclass(frozen=True)
class Refund:
    """Credits of a charge that went back."""

    id: uuid.UUID
    charge_id: uuid.UUID
    amount: Credits
    reason: str


class Bank:
    """What the ledger should be. Methods raise Refused where it refuses."""

    def __init__(self, now: datetime, *, welcome: Credits, grace: timedelta) -> None:
        self.now = now
        self.books: dict[uuid.UUID, Book] = {}
        self.emails: list[str] = []
        self.paid: list[Paid] = []
        self.refunds: list[Refund] = []
        self.adjustments: dict[uuid.UUID, tuple[Book, Credits]] = {}
        self.caps = Caps()
        self.payments = Payments()
        self.holds = Holds()
        self._welcome = welcome
        self._grace = grace

    def sign_up(self, email: str, account_id: uuid.UUID, grant_id: uuid.UUID) -> Book:
        """Open an account with the welcome credits; the product made the ids."""
        assert email not in self.emails
        self.emails.append(email)
        book = Book(account_id)
        self.books[account_id] = book
        welcome = Part(self._welcome, PROMOTION_PRIORITY, id=grant_id)
        book.credit(Kind.GRANT, Origin.GRANT, [welcome], grant_id)
        return book

    def give(self, book: Book, gift: Part) -> bool:
        """Promotional credits; whether they were given before."""
        for other in self.books.values():
            for grant in other.grants:
                if grant.id == gift.id:
                    same = Part(grant.amount, grant.priority, grant.expires_at, grant.id)
                    if (other, same) != (book, gift):
                        raise Refused("idempotency_conflict")
                    return True
        book.credit(Kind.GRANT, Origin.GRANT, [gift], gift.id)
        return False

    def adjust(self, book: Book, adjustment_id: uuid.UUID, amount: Credits) -> bool:
        """By hand, in or out; whether it was done before."""
        if adjustment_id in self.adjustments:
            if self.adjustments[adjustment_id] != (book, amount):
                raise Refused("idempotency_conflict")
            return True
        if book.available + amount < ZERO:
            raise Refused("credits_missing")
        self.adjustments[adjustment_id] = (book, amount)
        if amount < ZERO:
            book.debit(Kind.ADJUSTMENT, -amount, adjustment_id)
        else:
            part = Part(amount, PAID_PRIORITY, id=adjustment_id)
            book.credit(Kind.ADJUSTMENT, Origin.ADJUSTMENT, [part], adjustment_id)
        return False

    def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        """One after another; what was paid before is answered by the balance after them all."""
        outcomes = [self._charge(charge) for charge in charges]
        return [
            self._answer_again(charge) if outcome is None else outcome
            for charge, outcome in zip(charges, outcomes, strict=True)
        ]

    def find_paid(self, charge_id: uuid.UUID) -> Paid | None:
        """The charge of that id, whoever made it."""
        for paid in self.paid:
            if paid.charge.charge_id == charge_id:
                return paid
        return None

    def refunded(self, charge_id: uuid.UUID) -> Credits:
        """What went back of a charge so far."""
        return total(refund.amount for refund in self.refunds if refund.charge_id == charge_id)

    def refund(
        self, refund_id: uuid.UUID, charge_id: uuid.UUID, amount: Credits | None, reason: str
    ) -> bool:
        """`amount`, or all that is left; whether it was refunded before."""
        paid = self.find_paid(charge_id)
        if paid is None:
            raise Refused("prediction_missing")
        for refund in self.refunds:
            if refund.id == refund_id:
                is_same = (refund.charge_id, refund.reason) == (charge_id, reason)
                if not is_same or amount not in (None, refund.amount):
                    raise Refused("idempotency_conflict")
                return True
        before = self.refunded(charge_id)
        amount = paid.charge.amount - before if amount is None else amount
        if amount <= ZERO or before + amount > paid.charge.amount:
            raise Refused("refund_exceeds_charge")
        book = self.books[paid.charge.account_id]
        parts = self._find_parts(paid.entry, before, amount)
        self.refunds.append(Refund(refund_id, charge_id, amount, reason))
        book.credit(Kind.REFUND, Origin.REFUND, parts, refund_id)
        return False

    def expire_grants(self) -> None:
        """Take out what has expired, as far as it is not held."""
        for book in self.books.values():
            for grant in sorted(book.grants, key=lambda grant: grant.rank):
                if grant.expires_at is not None and grant.expires_at <= self.now:
                    amount = min(book.remaining(grant), book.available)
                    if amount > ZERO:
                        book.debit(Kind.EXPIRY, amount, grant.id)

    def _charge(self, charge: Charge) -> Outcome | None:
        if self.find_paid(charge.charge_id) is not None:
            return None
        book = self.books.get(charge.account_id)
        available = ZERO if book is None else book.available
        if book is None or charge.amount > available:
            return InsufficientCredits(charge.charge_id, charge.amount, available)
        left = self.caps.left(charge.key_id, self.now)
        if left is not None and charge.amount > left:
            return SpendingCapReached(charge.charge_id, charge.amount, left)
        self.caps.spend(charge.key_id, charge.amount, self.now)
        entry = book.debit(Kind.CHARGE, charge.amount)
        self.paid.append(Paid(charge, entry))
        return Charged(charge.charge_id, book.available)

    def _answer_again(self, charge: Charge) -> Outcome:
        paid = self.find_paid(charge.charge_id)
        assert paid is not None
        first = paid.charge
        if first.account_id != charge.account_id:
            return ChargeRejected(charge.charge_id)
        if first.body_sha256 != charge.body_sha256:
            return KeyConflict(charge.charge_id)
        answer = StoredAnswer(
            first.charge_id, first.model, first.version, first.predictions, first.amount
        )
        return Replayed(answer, self.books[first.account_id].available)

    def _find_parts(self, entry: Entry, before: Credits, amount: Credits) -> list[Part]:
        """Microcredit by microcredit: the last burnt goes back first."""
        burnt = []
        for grant, used in sorted(entry.uses, key=lambda use: use[0].rank):
            burnt += [grant] * used.microcredits
        burnt.reverse()
        back = burnt[before.microcredits : (before + amount).microcredits]
        parts = []
        for grant in dict.fromkeys(back):
            expires_at = grant.expires_at
            if expires_at is not None and expires_at <= self.now:
                expires_at = self.now + self._grace
            parts.append(Part(Credits(back.count(grant)), grant.priority, expires_at))
        return parts
