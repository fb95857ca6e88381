"""Charges for tests."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable

from billing.charges import Charge, Outcome
from billing.credits import Credits


def make_charge(
    account_id: uuid.UUID,
    amount: str = "1",
    *,
    charge_id: uuid.UUID | None = None,
    key_id: str = "key",
    body: bytes = b"body",
    predictions: bytes = b"[0.5]",
) -> Charge:
    """A sound charge of one instance under an id of its own."""
    return Charge(
        charge_id=charge_id or uuid.uuid4(),
        account_id=account_id,
        key_id=key_id,
        request_id="request",
        model="malware",
        version="1",
        instances=1,
        amount=Credits.parse(amount),
        body_sha256=hashlib.sha256(body).digest(),
        inputs=b"\x01" * 31,
        predictions=predictions,
    )


def make_poison(account_id: uuid.UUID, amount: str = "1") -> Charge:
    """A charge that the tables' constraints refuse: no instances."""
    return make_charge(account_id, amount)._replace(instances=0)


def count_kinds(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many outcomes there are of each class, by its name."""
    return dict(Counter(type(outcome).__name__ for outcome in outcomes))
