"""Which charges of a batch an account can pay and a key may spend: pure, in arrival order.

It counts in plain microcredits: with an object for each sum a batch of 256 took 1 ms longer.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from billing.charges import Charge, InsufficientCredits, SpendingCapReached
from billing.credits import Credits


@dataclass(frozen=True, slots=True)
class Available:
    """What can be spent now."""

    accounts: Mapping[uuid.UUID, Credits]
    """By each known account."""
    keys: Mapping[str, Credits] = field(default_factory=dict)
    """By each key that has a cap, never below zero."""
    lineages: Mapping[str, str] = field(default_factory=dict)
    """By each such key; keys of one lineage spend together. One left out is its own lineage."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to do with each charge of a batch, by its place in the batch."""

    chosen: tuple[int, ...]
    """To be charged now, each id once; together payable from what was available."""
    repeated: tuple[int, ...]
    """Paid before, in the ledger or by an earlier place of this batch: to be read back."""
    refused: Mapping[int, InsufficientCredits | SpendingCapReached]


def choose(charges: Sequence[Charge], available: Available, paid: Collection[uuid.UUID]) -> Choice:
    """Take charges in arrival order, skipping what its account or its key cannot pay any more.

    `paid` are ids known to have been paid; others may turn out to be when they are charged.
    """
    accounts = {account_id: left.microcredits for account_id, left in available.accounts.items()}
    keys = _share_budgets(available)
    taken = set(paid)
    chosen: list[int] = []
    repeated: list[int] = []
    refused: dict[int, InsufficientCredits | SpendingCapReached] = {}
    for place, charge in enumerate(charges):
        amount = charge.amount.microcredits
        in_account, in_key = accounts.get(charge.account_id), keys.get(charge.key_id)
        if charge.charge_id in taken:
            repeated.append(place)
        elif in_account is None or amount > in_account:
            refused[place] = InsufficientCredits(
                charge.charge_id, charge.amount, Credits(in_account or 0)
            )
        elif in_key is not None and amount > in_key[0]:
            refused[place] = SpendingCapReached(charge.charge_id, charge.amount, Credits(in_key[0]))
        else:
            accounts[charge.account_id] = in_account - amount
            if in_key is not None:
                in_key[0] -= amount
            taken.add(charge.charge_id)
            chosen.append(place)
    return Choice(tuple(chosen), tuple(repeated), refused)


def find_short(charges: Sequence[Charge], available: Available) -> set[uuid.UUID]:
    """Ids of the charges whose account, or whose key, cannot pay for all that is asked of it."""
    accounts: defaultdict[uuid.UUID, int] = defaultdict(int)
    keys = _share_budgets(available)
    for charge in charges:
        accounts[charge.account_id] += charge.amount.microcredits
        if charge.key_id in keys:
            keys[charge.key_id][0] -= charge.amount.microcredits
    short_accounts = {
        account_id
        for account_id, total in accounts.items()
        if account_id not in available.accounts
        or total > available.accounts[account_id].microcredits
    }
    short_keys = {key_id for key_id, left in keys.items() if left[0] < 0}
    return {
        charge.charge_id
        for charge in charges
        if charge.account_id in short_accounts or charge.key_id in short_keys
    }


def _share_budgets(available: Available) -> dict[str, list[int]]:
    """What is left, by key, in a list of one that the keys of a lineage have in common."""
    budgets: dict[str, list[int]] = {}
    shared: dict[str, list[int]] = {}
    for key_id, left in available.keys.items():
        budget = shared.setdefault(available.lineages.get(key_id, key_id), [left.microcredits])
        budget[0] = min(budget[0], left.microcredits)
        budgets[key_id] = budget
    return budgets
