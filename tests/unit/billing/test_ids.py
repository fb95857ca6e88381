"""UUIDs made quickly are the UUIDs of the standard library."""

from __future__ import annotations

import pickle
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.ids import make_uuid5, uuid_of

RAW = st.binary(min_size=16, max_size=16)


@given(namespace=st.uuids(), name=st.text())
def test_a_name_gives_the_uuid5_of_the_standard_library(namespace: uuid.UUID, name: str) -> None:
    made = make_uuid5(namespace, name)
    assert made == uuid.uuid5(namespace, name)
    assert (made.version, made.variant) == (5, uuid.RFC_4122)


@given(namespace=RAW, name=st.text())
def test_a_namespace_may_be_a_quick_one_itself(namespace: bytes, name: str) -> None:
    assert make_uuid5(uuid_of(namespace), name) == uuid.uuid5(uuid.UUID(bytes=namespace), name)


@given(RAW)
def test_sixteen_bytes_come_back_as_they_were(raw: bytes) -> None:
    assert uuid_of(raw).bytes == raw
    assert str(uuid_of(raw)) == str(uuid.UUID(bytes=raw))


@given(RAW, RAW)
def test_equality_hash_and_order_are_those_of_a_uuid(raw: bytes, other: bytes) -> None:
    quick, plain, another = uuid_of(raw), uuid.UUID(bytes=raw), uuid.UUID(bytes=other)
    assert isinstance(quick, uuid.UUID)
    assert (quick == plain, plain == quick) == (True, True)
    assert {quick: 1}[plain] == {plain: 1}[quick] == 1
    assert (quick == another) is (raw == other)
    assert (quick < another) is (plain < another)


@given(RAW)
def test_a_pickled_one_is_equal_to_both(raw: bytes) -> None:
    unpickled = pickle.loads(pickle.dumps(uuid_of(raw)))
    assert unpickled == uuid_of(raw) == uuid.UUID(bytes=raw)


@pytest.mark.parametrize("length", [0, 15, 17])
def test_another_number_of_bytes_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="16"):
        uuid_of(bytes(length))
