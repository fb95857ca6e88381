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

KEYS = {
    "any text": ("key", "other"),
    "version 7": ("019ab8c2-7f3e-7d4b-9c1a-0123456789ab", "019ab8c2-7f3e-7d4b-9c1a-0123456789ac"),
    "version 8": ("019ab8c2-7f3e-8d4b-9c1a-0123456789ab", "019ab8c2-7f3e-8d4b-9c1a-0123456789ac"),
}


@pytest.mark.parametrize(("key", "other_key"), KEYS.values(), ids=KEYS)
def test_charge_id_depends_on_account_route_and_key(key: str, other_key: str) -> None:
    account, other = uuid.UUID(int=1), uuid.UUID(int=2)
    ids = {
        make_charge_id(account, "/predict", key),
        make_charge_id(other, "/predict", key),
        make_charge_id(account, "/other", key),
        make_charge_id(account, "/predict", other_key),
    }
    assert len(ids) == 4
    assert make_charge_id(account, "/predict", key) in ids


@pytest.mark.parametrize("key", [*KEYS["any text"], *KEYS["version 7"], "8" * 36])
def test_charge_ids_of_other_keys_are_what_they_always_were(key: str) -> None:
    account = uuid.UUID(int=1)
    assert make_charge_id(account, "/predict", key) == uuid.uuid5(account, f"/predict\n{key}")


def test_charge_id_of_a_version_8_key_begins_as_the_key_does() -> None:
    charge_id = make_charge_id(uuid.UUID(int=1), "/predict", KEYS["version 8"][0])
    assert str(charge_id).startswith("019ab8c2-7f3e-8")
    assert charge_id.variant == uuid.RFC_4122
    assert (
        charge_id.bytes[7:]
        == uuid.uuid5(uuid.UUID(int=1), f"/predict\n{KEYS['version 8'][0]}").bytes[7:]
    )


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
