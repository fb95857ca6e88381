"""The form of API keys, and what is stored of them."""

from __future__ import annotations

import re
import secrets

from hypothesis import given
from hypothesis import strategies as st

from billing.keys import ApiKey, generate_key, hash_secret, is_secret_of, parse_key

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SERVER_SECRET = b"s" * 32

_keys = st.binary(min_size=36, max_size=36).map(
    lambda data: generate_key(lambda count: data[:12] if count == 12 else data[12:])
)


@given(_keys)
def test_generated_key_reads_back_as_the_same_key(key: ApiKey) -> None:
    assert parse_key(key.reveal()) == key
    assert re.fullmatch(r"fb_live_[0-9A-Za-z]{17}_[0-9A-Za-z]{33}_[0-9A-Za-z]{6}", key.reveal())


@given(_keys, st.data())
def test_any_mistyped_character_is_refused(key: ApiKey, data: st.DataObject) -> None:
    text = key.reveal()
    place = data.draw(st.integers(0, len(text) - 1))
    typed = data.draw(st.sampled_from(_ALPHABET).filter(lambda typed: typed != text[place]))
    assert parse_key(text[:place] + typed + text[place + 1 :]) is None


@given(_keys, st.integers(8, 60))
def test_swapped_neighbours_are_refused(key: ApiKey, place: int) -> None:
    text = key.reveal()
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert swapped == text or parse_key(swapped) is None


@given(st.text())
def test_any_text_can_be_asked_about(text: str) -> None:
    assert parse_key(text) is None


def test_surrounding_space_is_refused() -> None:
    text = generate_key(secrets.token_bytes).reveal()
    assert parse_key(f" {text}") is None
    assert parse_key(f"{text}\n") is None


def test_secret_is_not_shown_by_repr() -> None:
    key = generate_key(secrets.token_bytes)
    assert key.secret not in repr(key)
    assert key.id in repr(key)


def test_secret_holds_192_bits_of_what_randomness_gave() -> None:
    asked: list[int] = []

    def randomness(count: int) -> bytes:
        asked.append(count)
        return b"\xff" * count

    key = generate_key(randomness)
    assert asked == [12, 24]
    assert 62 ** len(key.secret) > 2**192


@given(_keys, _keys)
def test_only_the_key_itself_matches_its_hash(one: ApiKey, other: ApiKey) -> None:
    stored = hash_secret(one, _SERVER_SECRET)
    assert is_secret_of(one, _SERVER_SECRET, stored)
    assert not is_secret_of(one, b"t" * 32, stored)
    assert is_secret_of(other, _SERVER_SECRET, stored) == (one == other)


def test_hash_of_one_key_does_not_open_another_row() -> None:
    key = generate_key(secrets.token_bytes)
    moved = ApiKey(id="0" * 17, secret=key.secret)
    assert not is_secret_of(moved, _SERVER_SECRET, hash_secret(key, _SERVER_SECRET))
