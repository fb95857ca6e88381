"""Which charges of a batch can be paid: pure arithmetic on balances read a moment ago."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from billing.charges import Charge
from billing.credits import Credits


def choose_payable(
    charges: Sequence[Charge], available: Mapping[uuid.UUID, int]
) -> tuple[list[Charge], list[Charge]]:
    """Split into (payable, refused): greedily in arrival order, each account by itself.

    `available` is in microcredits; an account missing from it does not exist and pays nothing.
    """
    left = dict(available)
    payable: list[Charge] = []
    refused: list[Charge] = []
    for charge in charges:
        amount = charge.amount.microcredits
        if charge.account_id in left and left[charge.account_id] >= amount:
            left[charge.account_id] -= amount
            payable.append(charge)
        else:
            refused.append(charge)
    return payable, refused


def due_by_account(charges: Sequence[Charge]) -> dict[uuid.UUID, int]:
    """Microcredits that each account owes, in the order of the account ids."""
    due: dict[uuid.UUID, int] = {}
    for charge in sorted(charges, key=lambda charge: charge.account_id):
        due[charge.account_id] = due.get(charge.account_id, 0) + charge.amount.microcredits
    return due


def running_balances(
    charges: Sequence[Charge], left_at_the_end: Mapping[uuid.UUID, int]
) -> list[Credits]:
    """What each account had left right after each of its charges, in the order of `charges`."""
    owed = due_by_account(charges)
    balance = {account: left + owed[account] for account, left in left_at_the_end.items()}
    balances = []
    for charge in charges:
        balance[charge.account_id] -= charge.amount.microcredits
        balances.append(Credits(balance[charge.account_id]))
    return balances
