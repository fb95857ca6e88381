"""Keys that make a request safe to send again, and which of them are under way."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.charges import make_charge_id
from serve.idempotency import IdempotencyKey
from serve.refusals import Code, Refusal

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


def test_a_key_of_ours_is_a_new_uuid8_each_time() -> None:
    keys = [IdempotencyKey.from_header(None) for _ in range(100)]
    assert len({key.text for key in keys}) == 100
    assert all(uuid.UUID(key.text).version == 8 for key in keys)
    assert not any(key.chosen_by_client for key in keys)


def test_charges_under_keys_of_ours_come_in_the_order_of_the_keys() -> None:
    """By the millisecond, which is what keeps them beside each other in an index."""
    texts = [IdempotencyKey.make().text for _ in range(100)]
    ids = [make_charge_id(uuid.uuid4(), "/v1/predictions", text) for text in texts]
    times = [charge_id.bytes[:6] for charge_id in ids]
    assert times == sorted(times)
    assert [uuid.UUID(text).bytes[:6] for text in texts] == times
