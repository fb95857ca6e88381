"""What an account can pay is chosen in arrival order."""

from __future__ import annotations

import uuid
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from billing.charges import Charge, InsufficientCredits, SpendingCapReached
from billing.choice import Available, choose, find_short
from billing.credits import ZERO, Credits
from tests.charges import make_charge

_ACCOUNTS = [uuid.UUID(int=number) for number in range(3)]

_KEYS = ["capped", "capped too", "free"]

_charges = st.builds(
    lambda account, api_key, key, microcredits: make_charge(
        account,
        str(Credits(microcredits)),
        charge_id=uuid.uuid5(account, str(key)),
        key_id=api_key,
    ),
    st.sampled_from(_ACCOUNTS),
    st.sampled_from(_KEYS),
    st.integers(0, 5),
    st.integers(0, 4),
)
_batches = st.lists(_charges, max_size=12)
_credits = st.integers(0, 10).map(Credits)
_available = st.builds(
    Available,
    st.dictionaries(st.sampled_from(_ACCOUNTS[:2]), _credits, max_size=2),
    st.dictionaries(st.sampled_from(_KEYS[:2]), _credits, max_size=2),
)


def _total(charges: list[Charge], account: uuid.UUID) -> Credits:
    return sum((c.amount for c in charges if c.account_id == account), ZERO)


@given(_batches, _available, st.sets(st.sampled_from(_ACCOUNTS)))
def test_every_charge_has_one_fate(
    batch: list[Charge], available: Available, some: set[uuid.UUID]
) -> None:
    choice = choose(batch, available, {uuid.uuid5(account, "0") for account in some})
    fates = Counter([*choice.chosen, *choice.repeated, *choice.refused])
    assert fates == Counter(range(len(batch)))


@given(_batches, _available)
def test_chosen_are_payable_and_each_id_once(batch: list[Charge], available: Available) -> None:
    chosen = [batch[place] for place in choose(batch, available, set()).chosen]
    assert len({charge.charge_id for charge in chosen}) == len(chosen)
    for account in _ACCOUNTS:
        assert _total(chosen, account) <= available.accounts.get(account, ZERO)
    for key, left in available.keys.items():
        assert sum((c.amount for c in chosen if c.key_id == key), ZERO) <= left


@given(_batches, _available)
def test_refused_did_not_fit_at_their_turn(batch: list[Charge], available: Available) -> None:
    choice = choose(batch, available, set())
    for place, refusal in choice.refused.items():
        charge = batch[place]
        before = [batch[earlier] for earlier in choice.chosen if earlier < place]
        if isinstance(refusal, InsufficientCredits):
            left = available.accounts.get(charge.account_id, ZERO)
            assert refusal.available == left - _total(before, charge.account_id)
            assert refusal.required > refusal.available or left == ZERO
        else:
            spent = sum((c.amount for c in before if c.key_id == charge.key_id), ZERO)
            assert refusal.left == available.keys[charge.key_id] - spent
            assert refusal.required > refusal.left


@given(_batches, _available)
def test_nothing_is_refused_unless_an_account_or_a_key_is_short(
    batch: list[Charge], available: Available
) -> None:
    refused = choose(batch, available, set()).refused
    assert {batch[place].charge_id for place in refused} <= find_short(batch, available)


def test_keys_of_one_lineage_spend_together() -> None:
    account = _ACCOUNTS[0]
    old, new, other = (make_charge(account, "3", key_id=key) for key in ("old", "new", "other"))
    available = Available(
        {account: Credits.parse("100")},
        {key: Credits.parse("5") for key in ("old", "new", "other")},
        {"old": "old", "new": "old", "other": "other"},
    )
    choice = choose([old, new, other], available, set())
    assert choice.chosen == (0, 2)
    assert choice.refused == {
        1: SpendingCapReached(new.charge_id, Credits.parse("3"), Credits.parse("2"))
    }
    assert find_short([old, new, other], available) == {old.charge_id, new.charge_id}
