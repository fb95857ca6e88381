"""What the account's page says of payments and of what went wrong."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from frontend.html import Templates
from frontend.language import Language
from frontend.prices import show_price
from frontend.server import Problem
from frontend.texts import load_texts

TERMS: dict[str, Any] = {
    "payment_provider": "stripe",
    "credit_price_minor_units": "0.5",
    "currency": "usd",
    "top_up_credits_min": "1",
    "top_up_credits_max": "100000",
}
TOP_UP: dict[str, Any] = {
    "status": "pending",
    "credits": "1234.5",
    "price_minor_units": 618,
    "currency": "usd",
    "checkout_url": "https://pay.example.com/1",
}


def render(template: str, language: Language = Language.ENGLISH, **values: object) -> str:
    price = partial(show_price, language=language)
    templates = Templates(load_texts(language))
    return templates.render(f"account_{template}.html", values, price=price)


def test_bounds_and_price_are_told_before_one_buys() -> None:
    said = render("offer", terms=TERMS)
    assert "A credit costs $0.005." in said
    assert "from 1 to 100,000\N{NO-BREAK SPACE}credits" in said


@pytest.mark.parametrize("language", Language)
def test_a_server_that_sells_nothing_says_so(language: Language) -> None:
    said = render("offer", language, terms=TERMS | {"payment_provider": "none"})
    assert load_texts(language)("account", "no_payments") in said


def test_a_payment_opens_in_a_new_tab_unless_it_leads_back() -> None:
    assert 'target="_blank"' in render("waiting", top_up=TOP_UP, ended=False)
    leads_back = TOP_UP | {"return_url": "https://console.example.com/en/account"}
    assert "target=" not in render("waiting", top_up=leads_back, ended=False)


@pytest.mark.parametrize(
    ("status", "ended", "said"),
    [
        ("pending", False, "is waiting for your payment"),
        ("pending", True, "has stopped asking"),
        ("paid", True, "Paid: 1,234.5\N{NO-BREAK SPACE}credits are there."),
        ("failed", True, "did not go through"),
    ],
)
def test_what_became_of_a_payment_is_told(status: str, ended: bool, said: str) -> None:
    shown = render("waiting", top_up=TOP_UP | {"status": status}, ended=ended)
    assert said in shown
    assert 'role="status"' in shown
    assert ("https://pay.example.com/1" in shown) == (status == "pending")


def test_what_somebody_else_wrote_is_no_markup() -> None:
    problem = Problem(422, {"code": "invalid_request", "detail": "x"})
    shown = render(
        "said", bad=True, text="", problem=problem, faults=[("Address", "<b>no</b> host")]
    )
    assert "&lt;b&gt;no&lt;/b&gt; host" in shown
    assert 'role="alert"' in shown


def test_nothing_to_say_takes_no_room() -> None:
    assert render("said", bad=False, text="", problem=None, faults=[]).strip() == ""
