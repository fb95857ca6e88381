"""Amounts and times as people read them, and nothing of theirs taken for HTML."""

from __future__ import annotations

import pytest

from frontend.html import Templates
from frontend.language import Language
from frontend.texts import load_texts

ENGLISH = Templates(load_texts(Language.ENGLISH))
RUSSIAN = Templates(load_texts(Language.RUSSIAN))
SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("amount", "english", "russian"),
    [
        ("1", f"1{SPACE}credit", f"1{SPACE}кредит"),
        ("-1", f"-1{SPACE}credit", f"-1{SPACE}кредит"),
        ("2", f"2{SPACE}credits", f"2{SPACE}кредита"),
        ("5", f"5{SPACE}credits", f"5{SPACE}кредитов"),
        ("0.5", f"0.5{SPACE}credits", f"0,5{SPACE}кредита"),
        ("0.000001", f"0.000001{SPACE}credits", f"0,000001{SPACE}кредита"),
        ("21", f"21{SPACE}credits", f"21{SPACE}кредит"),
        (
            "12345678.900001",
            f"12,345,678.900001{SPACE}credits",
            f"12{SPACE}345{SPACE}678,900001{SPACE}кредита",
        ),
    ],
)
def test_credits_are_shown_to_the_last_digit(amount: str, english: str, russian: str) -> None:
    assert ENGLISH.show_credits(amount) == english
    assert RUSSIAN.show_credits(amount) == russian


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.0, "0%"),
        (0.0004, "<0.1%"),
        (0.09, "9%"),
        (0.21418, "21.4%"),
        (0.9996, ">99.9%"),
        (1.0, "100%"),
    ],
)
def test_a_share_is_never_rounded_to_none_or_all(share: float, shown: str) -> None:
    assert ENGLISH.show_percent(share) == shown


def test_percents_are_written_as_the_language_has_them() -> None:
    assert RUSSIAN.show_percent(0.825) == f"82,5{SPACE}%"
    assert ENGLISH.show_percent(0.9998, 2) == "99.98%"
    assert ENGLISH.show_percent(0.99999, 2) == ">99.99%"
    assert ENGLISH.show_percent(None) == "\N{EN DASH}"


def test_html_within_html_is_taken_as_it_is() -> None:
    inner = ENGLISH.render("check_note.html", said="a < b")
    assert "a &lt; b</p>" in ENGLISH.render("fault.html", said=inner)


def test_times_are_told_in_utc() -> None:
    moment = "2026-11-05T01:02:03.456+03:00"
    assert ENGLISH.show_moment(moment) == "4 Nov 2026, 22:02:03 UTC"
    assert RUSSIAN.show_moment(moment) == "4 нояб. 2026, 22:02:03 UTC"
    assert ENGLISH.show_moment(None) == "\N{EN DASH}"


def test_what_is_filled_in_is_escaped() -> None:
    shown = ENGLISH.render("check_note.html", said="<script>alert(1)</script>")
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
