"""Charges and outcomes cross a hop and stay what they were."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from billing.charges import (
    AnswerExpired,
    Charge,
    Charged,
    ChargeRejected,
    InsufficientCredits,
    KeyConflict,
    Outcome,
    Replayed,
    StoredAnswer,
)
from billing.credits import Credits
from serve.transfer import (
    decode_charges,
    decode_outcomes,
    decode_rows,
    encode_charges,
    encode_outcomes,
    encode_rows,
)
from tests.charges import make_charge

AMOUNTS = st.integers(0, 10**18).map(Credits)
IDS = st.uuids()
TEXTS = st.text(max_size=20)
BYTES = st.binary(max_size=64)

CHARGES = st.builds(
    Charge,
    charge_id=IDS,
    account_id=IDS,
    key_id=TEXTS,
    request_id=TEXTS,
    model=TEXTS,
    version=TEXTS,
    instances=st.integers(1, 1024),
    amount=AMOUNTS,
    body_sha256=BYTES,
    inputs=BYTES,
    predictions=BYTES,
)
STORED = st.builds(
    StoredAnswer, charge_id=IDS, model=TEXTS, version=TEXTS, predictions=BYTES, amount=AMOUNTS
)
BALANCES = st.integers(-(10**18), 10**18).map(Credits)
OUTCOMES = st.one_of(
    st.builds(Charged, charge_id=IDS, balance=BALANCES),
    st.builds(Replayed, answer=STORED, balance=BALANCES),
    st.builds(AnswerExpired, charge_id=IDS),
    st.builds(KeyConflict, charge_id=IDS),
    st.builds(InsufficientCredits, charge_id=IDS, required=AMOUNTS, available=BALANCES),
    st.builds(ChargeRejected, charge_id=IDS),
)


@given(st.lists(CHARGES, max_size=5))
def test_charges_come_out_as_they_went_in(charges: list[Charge]) -> None:
    assert decode_charges(encode_charges(charges)) == charges


def of_charge(outcome: Outcome, charge: Charge) -> Outcome:
    """Billing answers each charge with an outcome of its own id."""
    if isinstance(outcome, Charged):
        return Charged(charge.charge_id, outcome.balance)
    return outcome


@given(st.lists(OUTCOMES, max_size=6))
def test_outcomes_of_every_kind_come_out_as_they_went_in(drawn: list[Outcome]) -> None:
    charges = [make_charge(uuid.UUID(int=1)) for _ in drawn]
    outcomes = [of_charge(each, charge) for each, charge in zip(drawn, charges, strict=True)]
    assert decode_outcomes(encode_outcomes(outcomes), charges) == outcomes


@given(TEXTS, TEXTS, BYTES, st.integers(1, 2048), st.integers(0, 100))
def test_what_a_scorer_is_asked_comes_out_as_it_went_in(
    model: str, version: str, packed_rows: bytes, rows: int, features: int
) -> None:
    asked = decode_rows(encode_rows(model, version, packed_rows, rows, features))
    assert asked == (model, version, packed_rows, rows, features, True)


def test_many_charges_take_few_bytes_beyond_their_content() -> None:
    charges = [make_charge(uuid.UUID(int=1)) for _ in range(100)]
    content = len(encode_charges(charges)) / len(charges)
    assert content < 200


def test_whether_drift_counts_the_rows_crosses_the_hop() -> None:
    served, shadowed = (
        decode_rows(encode_rows("fox", "2", b"\0", 1, counts=counts)) for counts in (True, False)
    )
    assert (served.counts, shadowed.counts) == (True, False)
    assert served[:5] == shadowed[:5] == ("fox", "2", b"\0", 1, 0)
