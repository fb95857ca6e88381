"""Measuring a load on a server that bills: its money, its faults, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from loadtest import money as money_module
from loadtest.bench import ceiling as ceiling_module
from loadtest.bench.books import Books
from loadtest.bench.ceiling import Ceilings, GeneratorLimited
from loadtest.bench.cpu import Roots
from loadtest.bench.oracle import Oracle, make_rows
from loadtest.bench.probe import ProbeRefused, probe
from loadtest.bench.product import product_target
from loadtest.bench.progress import Progress
from loadtest.bench.sizes import Sizes
from loadtest.bench.stage import Server, Stage
from tests.support.scripted_server import Reply, http_answer, scripted_server

ROWS = make_rows(1)
PRICE = Decimal("1.5")


class Bank:
    """Answers the one row rightly, charges it, and can be told to err."""

    def __init__(self) -> None:
        self.balance = Decimal(1_000_000)
        self.charged_too_much = Decimal(0)
        self.probability = Oracle().score(ROWS)[0]
        self.status = "200 OK"

    def __call__(self, number: int, head: str) -> Reply:
        if head.startswith("GET"):
            return Reply(http_answer(json.dumps({"credits_balance": str(self.balance)}).encode()))
        self.balance -= PRICE + self.charged_too_much
        body = {
            "predictions": [{"probability": self.probability}],
            "credits_charged": str(PRICE),
        }
        raw = json.dumps(body, separators=(",", ":")).encode()
        return Reply(http_answer(raw, self.status), after_seconds=0.002)


@contextmanager
def stage_for(bank: Bank) -> Iterator[Stage]:
    with scripted_server(bank) as address:
        target = product_target(address, ["key"])
        yield Stage(
            product=Server(target, Books(target)),
            roots=Roots((), (), (), ()),
            database_url="",
            peer_port=0,
            rows=ROWS,
            oracle=Oracle(),
            sizes=Sizes(connections=2, round_seconds=0.3, ceiling_seconds=0.3),
            ceilings=Ceilings(0.3),
            progress=Progress(1, lambda _: None),
        )


def measure(stage: Stage) -> None:
    stage.measure(stage.product, stage.singles(stage.product), "a load")
    stage.close_books(stage.product)


def test_right_answers_and_right_money_have_no_fault() -> None:
    with stage_for(Bank()) as stage:
        measure(stage)
    assert stage.faults == []
    assert "credits charged" in stage.money["product"]


def test_a_charge_too_high_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(money_module, "SETTLE_SECONDS", 0)
    bank = Bank()
    with stage_for(bank) as stage:
        bank.charged_too_much = Decimal("0.01")
        measure(stage)
    assert len(stage.faults) == 1
    assert "credits charged" in stage.faults[0]


def test_wrong_probabilities_are_a_fault() -> None:
    bank = Bank()
    with stage_for(bank) as stage:
        stage.probe(stage.product, stage.singles(stage.product))
        bank.probability += 0.001
        measure(stage)
    assert "wrong answers" in stage.faults[0]


def test_a_limited_generator_is_tried_again_and_then_refused_with_its_money_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ceiling_module, "SHARE_MAX", 0.0)
    with stage_for(Bank()) as stage:
        with pytest.raises(GeneratorLimited, match="product, a load"):
            measure(stage)
        stage.close_books(stage.product)
    assert stage.faults == []


@pytest.mark.parametrize("change", [{"status": "415 No"}, {"probability": 0.123}])
def test_a_probe_that_is_not_answered_rightly_is_refused(change: dict[str, object]) -> None:
    bank = Bank()
    for name, value in change.items():
        setattr(bank, name, value)
    with stage_for(bank) as stage, pytest.raises(ProbeRefused):
        probe(stage.singles(stage.product))
