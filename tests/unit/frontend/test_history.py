"""The page's address is read and written: filters, the part shown, the prediction looked at."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from frontend.features.catalogue import load_catalogue
from frontend.language import Language
from frontend.links import link
from frontend.pages.history.filters import HistoryFilter, ReadFilter, read_filter
from frontend.pages.history.instances import (
    can_be_explained,
    read_instance,
    read_number,
    read_prediction_id,
)
from frontend.pages.history.names import show_key
from frontend.pages.history.refunds import may_ask
from frontend.pages.history.usage import read_days
from frontend.pages.history.view import View, find_view
from frontend.texts import load_texts
from tests.support.model_cards import CARD

ID = "01a20fb8-afd5-87a8-a91b-ab3f681fc0c9"
DETAIL: dict[str, Any] = {
    "predictions": [
        {"label": "malware", "probability": 0.5},
        {"label": "goodware", "probability": 0.01},
    ],
    "inputs": [["SEND_SMS", "petal_width"]],
}


def test_both_days_of_a_filter_count_whole() -> None:
    wanted = HistoryFilter(date(2026, 2, 28), date(2026, 2, 28), key="session")
    assert wanted.as_parameters() == {
        "since": "2026-02-28T00:00:00Z",
        "until": "2026-03-01T00:00:00Z",
        "key": "session",
    }


@pytest.mark.parametrize(
    "wanted",
    [
        HistoryFilter(),
        HistoryFilter(date(2026, 1, 1), None, "android-malware", "2"),
        HistoryFilter(None, date(2026, 1, 1), key="k1"),
    ],
)
def test_a_filter_is_read_back_from_its_own_query(wanted: HistoryFilter) -> None:
    assert read_filter(wanted.as_query()) == ReadFilter(wanted)


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ({"from": "banana"}, "from_unreadable"),
        ({"until": "2026-02-30"}, "until_unreadable"),
        ({"until": "9999-12-31"}, "until_unreadable"),
        ({"from": "2026-03-02", "until": "2026-03-01"}, "from_after_until"),
    ],
)
def test_what_cannot_be_read_is_left_out_and_told(query: dict[str, str], fault: str) -> None:
    assert read_filter(query | {"model": " m "}) == ReadFilter(HistoryFilter(model="m"), (fault,))
    assert all(load_texts(language)("history", fault) for language in Language)


def test_links_are_escaped_and_leave_out_what_is_empty() -> None:
    assert link("/en/history") == "/en/history"
    assert link("/en/history", {"key": "a&b c"}, {"cursor": None}) == "/en/history?key=a%26b+c"


@pytest.mark.parametrize(
    ("query", "view"),
    [
        ({}, View.LISTING),
        ({"view": "banana"}, View.LISTING),
        ({"view": "usage"}, View.USAGE),
        ({"view": "usage", "prediction": ID}, View.DETAILS),
        ({"prediction": ""}, View.LISTING),
    ],
)
def test_the_address_names_the_part_that_is_shown(query: dict[str, str], view: View) -> None:
    assert find_view(query) is view


def test_days_of_use_are_those_on_offer() -> None:
    assert [read_days({"days": each}) for each in ("7", "90", "8", "")] == [7, 90, 30, 30]


def test_what_is_no_uuid_is_no_prediction() -> None:
    assert read_prediction_id(ID.upper()) == ID
    assert read_prediction_id("../keys") is None


@pytest.mark.parametrize(
    ("text", "number"), [("", 1), ("2", 2), ("0", 1), ("99999999999", 1), ("7", 3), ("-1", 1)]
)
def test_an_instance_is_the_nearest_there_is(text: str, number: int) -> None:
    assert read_number(text, 3) == number


def test_an_instance_has_its_verdict_and_its_features_in_words() -> None:
    instance = read_instance(DETAIL, 1, CARD, load_catalogue("en"))
    assert instance.is_positive
    assert instance.features is not None
    assert [each.text for each in instance.features] == [
        "Send text messages, which can cost money",
        "",
    ]


def test_features_that_are_not_told_are_none_and_the_verdict_stays() -> None:
    instance = read_instance(DETAIL, 2, CARD, load_catalogue("en"))
    assert (instance.label, instance.is_positive, instance.features) == ("goodware", False, None)


def test_without_a_card_no_verdict_is_good_or_bad() -> None:
    assert read_instance(DETAIL, 1, None, load_catalogue("en")).is_positive is None


def test_a_model_without_a_price_for_it_is_not_asked_why() -> None:
    assert can_be_explained(CARD)
    assert can_be_explained(None)
    assert not can_be_explained(replace(CARD, explanation_price=None))


@pytest.mark.parametrize(
    ("refunded", "statuses", "may"),
    [
        ("0", [], True),
        ("0.5", ["declined", "accepted"], True),
        ("0", ["open", "declined"], False),
        ("1", [], False),
        ("0", None, False),
    ],
)
def test_a_refund_is_asked_for_while_something_is_left_and_nothing_waits(
    refunded: str, statuses: list[str] | None, *, may: bool
) -> None:
    requests = None if statuses is None else [{"status": each} for each in statuses]
    assert may_ask({"amount": "1", "refunded": refunded}, requests) is may


def test_a_key_without_a_name_goes_by_the_beginning_of_its_id() -> None:
    assert show_key({"k": "Laptop"}, "k") == "Laptop"
    assert show_key({}, "abcdefghijkl") == "abcdefgh\N{HORIZONTAL ELLIPSIS}"


def test_texts_of_the_page_have_the_same_names_in_both_languages() -> None:
    english, russian = (load_texts(language) for language in Language)
    for section in ("history", "explanation", "problems"):
        assert set(english.section(section)) == set(russian.section(section))
