"""Keys that make a request safe to send again, and which of them are under way."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.idempotency import IdempotencyKey
from serve.refusals import Code, Refusal

ID = uuid.UUID(int=1)
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255)


@given(VISIBLE)
def test_any_visible_ascii_is_a_key_as_it_stands(text: str) -> None:
    assert IdempotencyKey.from_header(text.encode()) == IdempotencyKey(text, chosen_by_client=True)


@pytest.mark.parametrize(
    "value", [b"", b" ", b"a b", b" a", b"a ", b"a\n", b"\x7f", b"\xe4", b"\x00", b"k" * 256]
)
def test_anything_else_is_refused(value: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        IdempotencyKey.from_header(value)
    assert caught.value.code is Code.INVALID_IDEMPOTENCY_KEY


def test_a_key_of_ours_is_a_new_uuid7_each_time() -> None:
    keys = [IdempotencyKey.from_header(None) for _ in range(100)]
    assert len({key.text for key in keys}) == 100
    assert all(uuid.UUID(key.text).version == 7 for key in keys)
    assert not any(key.chosen_by_client for key in keys)
