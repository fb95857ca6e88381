"""Balances seen a moment ago refuse what they cannot pay, for a second."""

from __future__ import annotations

import uuid

import pytest

from billing.credits import Credits
from serve.balances import SeenBalances, SeenCaps
from serve.refusals import Code, Refusal
from tests.support.serving import ANNA, BORIS


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def balances(clock: Clock) -> SeenBalances:
    return SeenBalances(clock)


def is_refused(balances: SeenBalances, required: str, account_id: uuid.UUID = ANNA) -> bool:
    try:
        balances.check(account_id, Credits.parse(required))
    except Refusal as refusal:
        return refusal.code is Code.INSUFFICIENT_CREDITS
    return False


def test_an_account_never_seen_is_let_through(balances: SeenBalances) -> None:
    assert not is_refused(balances, "1000000")


def test_what_the_seen_balance_pays_is_let_through(balances: SeenBalances) -> None:
    balances.saw(ANNA, Credits.parse("2"))
    assert not is_refused(balances, "2")
    assert is_refused(balances, "2.000001")


def test_a_refusal_names_what_is_needed_and_what_is_there(balances: SeenBalances) -> None:
    balances.saw(ANNA, Credits.parse("0.5"))
    with pytest.raises(Refusal) as caught:
        balances.check(ANNA, Credits.parse("3"))
    assert caught.value.members == {"required": "3", "available": "0.5"}
    assert "3 credits" in caught.value.detail
    assert "0.5" in caught.value.detail


def test_one_accounts_balance_says_nothing_of_another(balances: SeenBalances) -> None:
    balances.saw(ANNA, Credits(0))
    assert not is_refused(balances, "1", BORIS)


def test_a_balance_is_forgotten_after_a_second(balances: SeenBalances, clock: Clock) -> None:
    balances.saw(ANNA, Credits(0))
    clock.seconds += 0.99
    assert is_refused(balances, "1")
    clock.seconds += 0.01
    assert not is_refused(balances, "1")


def test_the_last_balance_seen_counts(balances: SeenBalances, clock: Clock) -> None:
    balances.saw(ANNA, Credits(0))
    clock.seconds += 0.9
    balances.saw(ANNA, Credits(0))
    clock.seconds += 0.9
    assert is_refused(balances, "1")
    balances.saw(ANNA, Credits.parse("1"))
    assert not is_refused(balances, "1")


def test_a_cap_just_seen_refuses_its_own_key_for_a_second(clock: Clock) -> None:
    caps = SeenCaps(clock)
    caps.saw("key", Credits.parse("0.5"))
    with pytest.raises(Refusal) as caught:
        caps.check("key", Credits.parse("1"))
    assert caught.value.code is Code.SPENDING_CAP_REACHED
    assert caught.value.members == {"required": "1", "left": "0.5"}
    caps.check("key", Credits.parse("0.5"))
    caps.check("other", Credits.parse("1"))
    clock.seconds += 1
    caps.check("key", Credits.parse("1"))
