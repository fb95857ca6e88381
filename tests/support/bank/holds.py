"""Holds: credits set aside, until each ends once."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.credits import ZERO, Credits
from billing.holds.values import Status
from billing.posting import Kind
from tests.support.bank.book import Book
from tests.support.bank.errors import Refused


@dataclass(eq=False)
class Hold:
    """Credits of `book` that nothing else may spend while it is open."""

    id: uuid.UUID
    book: Book
    amount: Credits
    lifetime: timedelta
    expires_at: datetime
    status: Status = Status.OPEN
    captured: Credits = ZERO


class Holds:
    """All holds."""

    def __init__(self) -> None:
        self.holds: list[Hold] = []

    def find(self, hold_id: uuid.UUID) -> Hold:
        """The hold of that id, which there is."""
        [hold] = [hold for hold in self.holds if hold.id == hold_id]
        return hold

    def reserve(
        self, hold_id: uuid.UUID, book: Book, amount: Credits, lifetime: timedelta, now: datetime
    ) -> bool:
        """Whether it was reserved before."""
        for hold in self.holds:
            if hold.id == hold_id:
                if (hold.book, hold.amount, hold.lifetime) != (book, amount, lifetime):
                    raise Refused("idempotency_conflict")
                return True
        if amount > book.available:
            raise Refused("credits_missing")
        book.held += amount
        self.holds.append(Hold(hold_id, book, amount, lifetime, now + lifetime))
        return False

    def capture(self, hold: Hold, amount: Credits | None, now: datetime) -> None:
        """All, or `amount` of it; the same again changes nothing."""
        amount = hold.amount if amount is None else amount
        if hold.status is Status.CAPTURED and hold.captured == amount:
            return
        _refuse_ended(hold)
        if now >= hold.expires_at:
            raise Refused("hold_expired")
        if amount > hold.amount:
            raise Refused("capture_too_large")
        hold.status, hold.captured = Status.CAPTURED, amount
        hold.book.held -= hold.amount
        hold.book.debit(Kind.CAPTURE, amount, hold.id)

    def release(self, hold: Hold) -> None:
        """The same again changes nothing."""
        if hold.status is Status.RELEASED:
            return
        _refuse_ended(hold)
        hold.status = Status.RELEASED
        hold.book.held -= hold.amount

    def expire(self, now: datetime) -> None:
        """Give back what is held past its time."""
        for hold in self.holds:
            if hold.status is Status.OPEN and hold.expires_at <= now:
                hold.status = Status.EXPIRED
                hold.book.held -= hold.amount


def _refuse_ended(hold: Hold) -> None:
    if hold.status is Status.EXPIRED:
        raise Refused("hold_expired")
    if hold.status is not Status.OPEN:
        raise Refused("hold_resolved")
