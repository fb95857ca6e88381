"""Answers, charges and prediction rows are held against each other."""

from dataclasses import replace
from decimal import Decimal

import pytest

from loadtest.ledger import Books
from loadtest.money import Money
from loadtest.settlement import Settlement, coverage_misses
from loadtest.shapes import POOL_FILLERS, TRAFFIC
from loadtest.tally import Tally

TALLY = Tally(answers_200=10, instances=12, charged=Decimal(12), replays=1)
BOOKS = Books(charges=10, charged=Decimal(12), predictions=10, instances=12)


def settlement(books: Books = BOOKS, careless: Books | None = None) -> Settlement:
    return Settlement(Money(Decimal(12), Decimal(12)), books, careless or Books(), None)


def test_books_that_show_what_was_answered_agree() -> None:
    assert settlement().misses(TALLY) == []


@pytest.mark.parametrize(
    ("books", "words"),
    [
        (replace(BOOKS, charges=11, predictions=11), "10 answers 200, but 11 charges"),
        (replace(BOOKS, charges=9, predictions=9), "10 answers 200, but 9 charges"),
        (replace(BOOKS, predictions=9), "10 charges, 9 prediction rows"),
        (replace(BOOKS, charged=Decimal(13)), "12 credits answered, 13 in the books"),
        (replace(BOOKS, instances=13), "12 instances answered, 13 in the books"),
        (replace(BOOKS, balance_min=Decimal(-1)), "a balance fell to -1"),
    ],
)
def test_each_disagreement_is_said_alone(books: Books, words: str) -> None:
    assert settlement(books).misses(TALLY) == [f"money: {words}"]


def test_a_request_without_an_answer_may_have_been_charged_once() -> None:
    tally = replace(TALLY, unknown_requests=1, unknown=Decimal(1))
    more = replace(BOOKS, charges=11, predictions=11, charged=Decimal(13), instances=13)
    twice = replace(BOOKS, charges=12, predictions=12, charged=Decimal(13), instances=13)
    assert settlement(more).misses(tally) == []
    assert settlement(twice).misses(tally) == ["money: 10 answers 200, but 12 charges"]


def test_bad_input_that_was_charged_wrong_answers_and_a_dirty_ledger_are_said() -> None:
    tally = replace(TALLY, wrong=["no id"])
    found = replace(
        settlement(careless=Books(charges=1, charged=Decimal(1))),
        money=Money(Decimal(13), Decimal(12)),
        ledger_problem="2 breaches",
    ).misses(tally)
    assert [miss.split(":")[0] for miss in found] == [
        "money",
        "money",
        "1 wrong answers, such as",
        "ledger",
    ]


def test_what_no_user_ever_did_was_not_checked() -> None:
    assert coverage_misses(TRAFFIC, Tally()) == [
        "no retry was replayed",
        "no reuse of a key was refused",
        "no bad input was refused",
        "no history was read",
    ]
    assert coverage_misses(TRAFFIC, Tally(replays=1, conflicts=1, refusals=1, reads=1)) == []
    assert coverage_misses(POOL_FILLERS, Tally()) == []
