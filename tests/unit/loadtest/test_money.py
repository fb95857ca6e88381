"""Whether charges agree with answers."""

from decimal import Decimal

import pytest

from loadtest import money as money_module
from loadtest.money import Money, settle


def money(charged: int, answered: int, unknown: int = 0) -> Money:
    return Money(Decimal(charged), Decimal(answered), Decimal(unknown))


def test_equal_sums_agree() -> None:
    assert money(10, 10).agrees


@pytest.mark.parametrize("sums", [money(11, 10), money(9, 10), money(12, 10, 1), money(9, 10, 5)])
def test_a_charge_too_many_or_too_few_does_not_agree(sums: Money) -> None:
    assert not sums.agrees


def test_a_request_without_an_answer_may_have_been_charged() -> None:
    assert money(10, 10, 1).agrees
    assert money(11, 10, 1).agrees


def test_balances_are_read_until_they_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(money_module, "POLL_SECONDS", 0)
    balances = iter([Decimal(100), Decimal(95), Decimal(90)])
    assert settle(Decimal(100), Decimal(10), Decimal(0), lambda: next(balances)).agrees


def test_balances_that_never_agree_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(money_module, "SETTLE_SECONDS", 0)
    found = settle(Decimal(100), Decimal(10), Decimal(0), lambda: Decimal(95))
    assert not found.agrees
    assert str(found) == "5 credits charged, 10 answered"
