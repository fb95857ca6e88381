"""Packed rows are the rows that JSON would have named, or every fault is named where it stands."""

from __future__ import annotations

import contextlib
import json
from urllib.parse import urlencode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.schema import FeatureSchema
from serve.packed_input import Layout, PackedEnvelope, parse_packed
from serve.refusals import Code, Refusal
from serve.validation import FAULTS_MAX, PackedRows, parse_envelope

ROWS_MAX = 1024
QUERY = b"model=m"
MATRICES = st.integers(1, 300).flatmap(
    lambda features: st.lists(
        st.lists(st.sampled_from([0, 1]), min_size=features, max_size=features),
        min_size=1,
        max_size=5,
    )
)


def make_schema(features: int) -> FeatureSchema:
    return FeatureSchema(tuple(f"f{position}" for position in range(features)))


def pack(layout: Layout, body: bytes, features: int, query: bytes = QUERY) -> PackedRows:
    return parse_packed(layout, query, body, ROWS_MAX).pack(make_schema(features))


def refusal_of(layout: Layout, body: bytes, features: int = 12, query: bytes = QUERY) -> Refusal:
    with pytest.raises(Refusal) as caught:
        pack(layout, body, features, query)
    assert caught.value.code is Code.INVALID_REQUEST
    return caught.value


def pointers(refusal: Refusal) -> list[str]:
    return [fault.pointer for fault in refusal.faults]


@given(MATRICES)
def test_both_layouts_are_the_rows_of_dense_json(rows: list[list[int]]) -> None:
    matrix = np.array(rows, dtype=np.uint8)
    features = matrix.shape[1]
    body = json.dumps({"model": "m", "instances": rows}).encode()
    expected = parse_envelope(body, ROWS_MAX).pack(make_schema(features))
    assert pack(Layout.BYTES, matrix.tobytes(), features) == expected
    assert pack(Layout.BITS, np.packbits(matrix, axis=1).tobytes(), features) == expected


@pytest.mark.parametrize(("layout", "width"), [(Layout.BITS, 2), (Layout.BYTES, 12)])
def test_a_body_that_is_no_whole_number_of_rows_is_refused(layout: Layout, width: int) -> None:
    for length in (width - 1, width + 1, 3 * width - 1):
        refusal = refusal_of(layout, bytes(length))
        assert pointers(refusal) == [""]
        assert f"has {length} bytes; 12 features as {layout} make {width} bytes" in refusal.detail


@pytest.mark.parametrize(("layout", "width"), [(Layout.BITS, 2), (Layout.BYTES, 12)])
def test_a_request_takes_one_row_to_the_bound(layout: Layout, width: int) -> None:
    assert pack(layout, bytes(width), 12).rows == 1
    assert pack(layout, bytes(ROWS_MAX * width), 12).rows == ROWS_MAX
    assert "1 to 1024 rows" in refusal_of(layout, b"").detail
    assert pointers(refusal_of(layout, bytes((ROWS_MAX + 1) * width))) == [""]


def test_bits_past_the_last_feature_are_refused_row_by_row() -> None:
    rows = [b"\xff\xf0", b"\xff\xf1", b"\x00\x00", b"\x00\x08"]
    refusal = refusal_of(Layout.BITS, b"".join(rows))
    assert pointers(refusal) == ["/instances/1", "/instances/3"]
    assert "last 4 bits" in refusal.faults[0].detail


def test_rows_that_fill_their_bytes_have_no_padding() -> None:
    assert pack(Layout.BITS, b"\xff\xff", 16) == PackedRows(1, b"\xff\xff")


def test_bytes_other_than_zero_and_one_are_refused_where_they_stand() -> None:
    matrix = np.zeros((3, 12), dtype=np.uint8)
    matrix[0, 11], matrix[2, 0], matrix[2, 5], matrix[1, 1] = 2, 255, ord("1"), 1
    refusal = refusal_of(Layout.BYTES, matrix.tobytes())
    assert [(fault.pointer, fault.detail) for fault in refusal.faults] == [
        ("/instances/0/11", "2 is neither 0 nor 1"),
        ("/instances/2/0", "255 is neither 0 nor 1"),
        ("/instances/2/5", "49 is neither 0 nor 1"),
    ]


@pytest.mark.parametrize("layout", list(Layout))
def test_no_more_than_twenty_faults_are_named(layout: Layout) -> None:
    assert len(refusal_of(layout, b"\xff" * 12 * 50).faults) == FAULTS_MAX


@pytest.mark.parametrize(
    ("query", "model", "version"),
    [
        (b"model=m", "m", None),
        (b"version=2&model=m", "m", "2"),
        (b"model=android%2Dmalware", "android-malware", None),
        (b"model=a+b%20c", "a b c", None),
        (b"model=%C3%A4", "ä", None),
        (b"model=m&version=", "m", ""),
    ],
)
def test_the_query_names_model_and_version(query: bytes, model: str, version: str | None) -> None:
    expected = PackedEnvelope(model, version, Layout.BITS, b"body", ROWS_MAX)
    assert parse_packed(Layout.BITS, query, b"body", ROWS_MAX) == expected


@pytest.mark.parametrize(
    ("query", "explain"),
    [(b"model=m", False), (b"model=m&explain=true", True), (b"explain=false&model=m", False)],
)
def test_the_query_asks_for_explanations(query: bytes, explain: bool) -> None:
    assert parse_packed(Layout.BITS, query, b"body", ROWS_MAX).explain is explain


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"model=m&explain=1", ["query/explain"]),
        (b"model=m&explain=true&explain=true", ["query"]),
        (b"", ["query/model"]),
        (b"model=", ["query/model"]),
        (b"version=1", ["query/model"]),
        (b"model=m&modle=x", ["query/modle"]),
        (b"Model=m&x=", ["query/Model", "query/x", "query/model"]),
        (b"model=m&model=n", ["query"]),
        (b"model=m&version=1&version=1", ["query"]),
    ],
)
def test_every_fault_of_the_query_is_named(query: bytes, expected: list[str]) -> None:
    assert pointers(refusal_of(Layout.BITS, bytes(2), query=query)) == expected


@pytest.mark.parametrize(
    "query",
    [b"model", b"model=m&", b"&model=m", b"model=\xc3\xa4", b"model=%FF", b"&".join([b"a=b"] * 9)],
)
def test_a_query_that_cannot_be_read_is_refused_with_the_right_form(query: bytes) -> None:
    assert "?model=NAME&version=1" in refusal_of(Layout.BITS, bytes(2), query=query).detail


def test_a_long_parameter_is_shown_cut_short() -> None:
    refusal = refusal_of(Layout.BITS, bytes(2), query=b"model=m&" + b"x" * 10_000 + b"=1")
    assert len(refusal.detail) < 200


@given(st.text(min_size=1), st.text())
def test_any_name_survives_the_query(model: str, version: str) -> None:
    query = urlencode({"model": model, "version": version}).encode()
    envelope = parse_packed(Layout.BYTES, query, b"", ROWS_MAX)
    assert (envelope.model, envelope.version) == (model, version)


@given(
    layout=st.sampled_from(Layout),
    query=st.binary() | st.binary().map(lambda tail: b"model=m&" + tail) | st.just(QUERY),
    body=st.binary(max_size=60),
    features=st.integers(1, 20),
)
def test_any_bytes_are_rows_or_a_refusal(
    layout: Layout, query: bytes, body: bytes, features: int
) -> None:
    with contextlib.suppress(Refusal):
        rows, data = pack(layout, body, features, query)
        assert len(data) == rows * -(-features // 8)
