"""What an account can pay is chosen in arrival order."""

from __future__ import annotations

import uuid
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from billing.charges import Charge
from billing.choice import choose, find_short_accounts
from billing.credits import ZERO, Credits
from tests.charges import make_charge

_ACCOUNTS = [uuid.UUID(int=number) for number in range(3)]

_charges = st.builds(
    lambda account, key, microcredits: make_charge(
        account, str(Credits(microcredits)), charge_id=uuid.uuid5(account, str(key))
    ),
    st.sampled_from(_ACCOUNTS),
    st.integers(0, 5),
    st.integers(0, 4),
)
_batches = st.lists(_charges, max_size=12)
_available = st.dictionaries(
    st.sampled_from(_ACCOUNTS[:2]), st.integers(0, 10).map(Credits), max_size=2
)


def _total(charges: list[Charge], account: uuid.UUID) -> Credits:
    return sum((c.amount for c in charges if c.account_id == account), ZERO)


@given(_batches, _available, st.sets(st.sampled_from(_ACCOUNTS)))
def test_every_charge_has_one_fate(
    batch: list[Charge], available: dict[uuid.UUID, Credits], some: set[uuid.UUID]
) -> None:
    choice = choose(batch, available, {uuid.uuid5(account, "0") for account in some})
    fates = Counter([*choice.chosen, *choice.repeated, *choice.refused])
    assert fates == Counter(range(len(batch)))


@given(_batches, _available)
def test_chosen_are_payable_and_each_id_once(
    batch: list[Charge], available: dict[uuid.UUID, Credits]
) -> None:
    chosen = [batch[place] for place in choose(batch, available, set()).chosen]
    assert len({charge.charge_id for charge in chosen}) == len(chosen)
    for account in _ACCOUNTS:
        assert _total(chosen, account) <= available.get(account, ZERO)


@given(_batches, _available)
def test_refused_did_not_fit_at_their_turn(
    batch: list[Charge], available: dict[uuid.UUID, Credits]
) -> None:
    choice = choose(batch, available, set())
    for place, refusal in choice.refused.items():
        account = batch[place].account_id
        before = [batch[earlier] for earlier in choice.chosen if earlier < place]
        assert refusal.available == available.get(account, ZERO) - _total(before, account)
        assert refusal.required > refusal.available or account not in available


@given(_batches, _available)
def test_nothing_is_refused_unless_an_account_is_short(
    batch: list[Charge], available: dict[uuid.UUID, Credits]
) -> None:
    short = find_short_accounts(batch, available)
    refused = choose(batch, available, set()).refused
    assert {batch[place].account_id for place in refused} <= short
