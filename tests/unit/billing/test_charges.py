"""Values and errors that cross process boundaries."""

from __future__ import annotations

import pickle
import uuid

import pytest

from billing.charges import Charged, InsufficientCredits, make_charge_id
from billing.credits import Credits
from billing.errors import (
    AccountMissing,
    BillingError,
    LedgerBusy,
    LedgerUnavailable,
    OutcomeUnknown,
    PriceMissing,
)
from tests.charges import make_charge


def test_charge_id_depends_on_account_route_and_key() -> None:
    account, other = uuid.UUID(int=1), uuid.UUID(int=2)
    ids = {
        make_charge_id(account, "/predict", "key"),
        make_charge_id(other, "/predict", "key"),
        make_charge_id(account, "/other", "key"),
        make_charge_id(account, "/predict", "other"),
    }
    assert len(ids) == 4
    assert make_charge_id(account, "/predict", "key") in ids


@pytest.mark.parametrize(
    "value",
    [
        make_charge(uuid.UUID(int=1)),
        Charged(uuid.UUID(int=1), Credits(5)),
        InsufficientCredits(uuid.UUID(int=1), Credits(5), Credits(4)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_survive_pickling(value: object) -> None:
    assert pickle.loads(pickle.dumps(value)) == value


@pytest.mark.parametrize(
    "error", [LedgerUnavailable, OutcomeUnknown, LedgerBusy, PriceMissing, AccountMissing]
)
def test_errors_survive_pickling_with_their_code(error: type[BillingError]) -> None:
    again = pickle.loads(pickle.dumps(error("what happened")))
    assert (type(again), str(again), again.code) == (error, "what happened", error.code)
    assert error.code != BillingError.code
