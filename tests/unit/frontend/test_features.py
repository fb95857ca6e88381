"""The catalogue of features: complete, in both languages, and found by plain words."""

import re
import tomllib
from collections import Counter
from importlib.resources import files
from typing import Any

import pytest

from data.schema import ANDROID_MALWARE_PATH, read_schema
from frontend.features.catalogue import LANGUAGES, UNKNOWN_GROUP, Description, load_catalogue

NAMES = read_schema(ANDROID_MALWARE_PATH).names
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)  # noqa: RUF001
WORD = re.compile(r"\S*\w\S*")
CONTENT: dict[str, Any] = tomllib.loads(
    (files("frontend.features") / "android_malware.toml").read_text(encoding="utf-8")
)
each_language = pytest.mark.parametrize("language", LANGUAGES)


def test_features_of_the_schema_and_no_others_are_described() -> None:
    # a name written twice is an error of TOML, so each is described once
    assert set(CONTENT["features"]) == set(NAMES)


def test_a_feature_has_a_group_and_a_text_in_each_language_and_nothing_else() -> None:
    assert {frozenset(entry) for entry in CONTENT["features"].values()} == {
        frozenset(("group", *LANGUAGES))
    }


def test_groups_are_known_and_none_is_tiny() -> None:
    sizes = Counter(entry["group"] for entry in CONTENT["features"].values())
    assert set(sizes) == set(CONTENT["groups"])
    assert min(sizes.values()) >= 8
    assert list(CONTENT["groups"])[-1] == UNKNOWN_GROUP


def test_method_calls_and_nothing_else_are_in_the_group_of_calls() -> None:
    calls = {name for name in NAMES if load_catalogue("en").describe(name).group == "api_calls"}
    assert calls == {name for name in NAMES if ";->" in name}


@each_language
def test_texts_are_fragments_of_3_to_14_words(language: str) -> None:
    for name in NAMES:
        text = load_catalogue(language).describe(name).text
        assert 3 <= len(WORD.findall(text)) <= 14, (name, text)
        assert text == text.strip(), name
        assert text[0].isupper(), name
        assert not text.endswith("."), name


@each_language
def test_no_text_and_no_title_is_written_twice(language: str) -> None:
    catalogue = load_catalogue(language)
    texts = Counter(catalogue.describe(name).text for name in NAMES)
    assert [text for text, times in texts.items() if times > 1] == []
    assert len(set(catalogue.titles.values())) == len(catalogue.titles)


def test_russian_is_cyrillic_and_english_is_not() -> None:
    for entry in [*CONTENT["features"].values(), *CONTENT["groups"].values()]:
        letters = re.findall(r"[^\W\d_]", entry["ru"])
        assert sum(bool(CYRILLIC.match(letter)) for letter in letters) > len(letters) / 2, entry
        assert not CYRILLIC.search(entry["en"]), entry


def test_no_word_mixes_latin_and_cyrillic_letters() -> None:
    for entry in [*CONTENT["features"].values(), *CONTENT["groups"].values()]:
        for word in re.findall(r"[^\W\d_]+", entry["ru"]):
            assert not (CYRILLIC.search(word) and re.search("[a-z]", word, re.IGNORECASE)), word


def test_a_feature_is_described_in_the_language_asked_for() -> None:
    english = load_catalogue("en").describe("SEND_SMS")
    russian = load_catalogue("ru").describe("SEND_SMS")
    assert english == Description(
        "SEND_SMS", "messages", "Send text messages, which can cost money"
    )
    assert russian == Description("SEND_SMS", "messages", "Отправлять SMS, в том числе платные")


def test_a_feature_of_another_model_has_no_text() -> None:
    assert load_catalogue("ru").describe("petal_width") == Description("petal_width", "other", "")


def test_another_language_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="choose one of en, ru"):
        load_catalogue("de")


def test_a_language_is_read_once() -> None:
    assert load_catalogue("en") is load_catalogue("en")


def test_groups_come_in_the_order_shown_with_sorted_names_and_none_empty() -> None:
    groups = load_catalogue("en").groups(["petal_width", "SEND_SMS", "INTERNET", "READ_SMS"])
    assert list(groups.items()) == [
        ("Internet and networks", ("INTERNET",)),
        ("Messages, calls and mail", ("READ_SMS", "SEND_SMS")),
        ("Other and unknown names", ("petal_width",)),
    ]


@each_language
def test_every_feature_is_in_one_group(language: str) -> None:
    groups = load_catalogue(language).groups(NAMES)
    assert list(groups) == list(load_catalogue(language).titles.values())
    assert sorted(name for names in groups.values() for name in names) == sorted(NAMES)


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("en", "write_sms", ("WRITE_SMS",)),
        ("en", "  Write   sms ", ("WRITE_SMS",)),
        ("en", "sms write", ("WRITE_SMS",)),
        ("en", "MONEY", ("CALL_PHONE", "SEND_SMS")),
        ("en", "money sms", ("SEND_SMS",)),
        ("en", "imei", ("Landroid/telephony/TelephonyManager;->getDeviceId",)),
        ("en", "notifications_all", ("BIND_0TIFICATION_LISTENER_SERVICE",)),
        ("en", "money unheard-of", ()),
        ("en", "платные", ()),
        ("ru", "отправлять ПЛАТНЫЕ", ("SEND_SMS",)),
        ("ru", "send платные", ("SEND_SMS",)),
        ("ru", "учет батареи", ("UPDATE_DEVICE_STATS",)),
    ],
)
def test_search_finds_names_that_hold_every_word(
    language: str, text: str, found: tuple[str, ...]
) -> None:
    assert load_catalogue(language).search(text, NAMES) == found


def test_search_for_nothing_finds_all_in_the_order_given() -> None:
    assert load_catalogue("en").search(" _ ", ["SEND_SMS", "INTERNET"]) == ("SEND_SMS", "INTERNET")


def test_search_looks_among_the_names_given_alone_and_knows_strange_ones_by_name() -> None:
    names = ["petal_width", "INTERNET"]
    assert load_catalogue("en").search("petal width", names) == ("petal_width",)
    assert load_catalogue("en").search("send sms", names) == ()
