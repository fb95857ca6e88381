"""From the elements of a tensor to zeros and ones, in every form and datatype."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.refusals import Code, Refusal
from serve.v2.tensors import DATATYPES, Datatype, Elements, Tensor, pack_texts

Matrix = list[list[int]]

MATRICES = st.tuples(st.integers(1, 5), st.integers(1, 9)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 1), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)
NAMES = st.sampled_from(sorted(DATATYPES))


def tensor(name: str, matrix: Matrix, elements: Elements) -> Tensor:
    return Tensor("features", DATATYPES[name], len(matrix), len(matrix[0]), elements)


def flat(matrix: Matrix) -> list[int]:
    return [value for row in matrix for value in row]


def native(datatype: Datatype, values: list[int]) -> list[Any]:
    """The values as JSON has them for this datatype."""
    if datatype.name == "BOOL":
        return [bool(value) for value in values]
    return [float(value) for value in values] if float in datatype.values else list(values)


def refused(name: str, matrix: Matrix, elements: Elements) -> str:
    with pytest.raises(Refusal) as caught:
        tensor(name, matrix, elements).matrix()
    assert caught.value.code is Code.INVALID_REQUEST
    return caught.value.detail


@given(MATRICES, NAMES)
def test_raw_values_and_nested_values_say_the_same(matrix: Matrix, name: str) -> None:
    datatype, expected = DATATYPES[name], bytes(flat(matrix))
    raw = np.array(flat(matrix)).astype(datatype.code).tobytes()
    values = native(datatype, flat(matrix))
    nested = [native(datatype, row) for row in matrix]
    for elements in (raw, values, nested):
        assert tensor(name, matrix, elements).matrix() == expected


@given(MATRICES, NAMES, st.data())
def test_one_element_that_is_neither_is_named_by_its_place(
    matrix: Matrix, name: str, data: st.DataObject
) -> None:
    datatype, values = DATATYPES[name], flat(matrix)
    place = data.draw(st.integers(0, len(values) - 1))
    values[place] = 2
    row, column = divmod(place, len(matrix[0]))
    raw = np.array(values).astype(datatype.code).tobytes()
    for elements in (raw, values):
        assert f"at row {row}, column {column}" in refused(name, matrix, elements)


@given(MATRICES, NAMES, st.integers(1, 8))
def test_bytes_of_another_length_are_refused(matrix: Matrix, name: str, more: int) -> None:
    width = DATATYPES[name].width_bytes
    raw = bytes(len(flat(matrix)) * width)
    assert f"have {len(raw)}" in refused(name, matrix, raw + bytes(more))
    assert f"has {len(raw) - 1} bytes" in refused(name, matrix, raw[:-1])


@pytest.mark.parametrize(
    ("name", "elements"),
    [
        ("INT32", [1, True]),
        ("INT32", [1, 1.0]),
        ("INT32", [1, "1"]),
        ("INT32", [1, None]),
        ("FP32", [1, False]),
        ("BOOL", [True, "true"]),
        ("INT64", [-1, 0]),
        ("UINT64", [2**63, 0]),
        ("FP64", [0.5, 0]),
        ("FP64", [1, [0]]),
        ("FP32", struct.pack("<2f", float("nan"), 0)),
        ("INT8", b"\xff\x00"),
        ("INT8", [1]),
        ("INT8", [[1], [0]]),
        ("INT8", [[1, 0, 0]]),
        ("INT8", []),
    ],
)
def test_what_is_no_row_of_zeros_and_ones_is_refused(name: str, elements: Elements) -> None:
    assert refused(name, [[1, 0]], elements)


def test_zero_has_no_sign() -> None:
    assert tensor("FP64", [[0, 1]], struct.pack("<2d", -0.0, 1.0)).matrix() == b"\0\1"


def test_a_long_value_of_a_client_is_cut_in_the_sentence() -> None:
    assert len(refused("INT8", [[1, 0]], ["x" * 1_000_000, 0])) < 200


@given(st.lists(st.text()))
def test_texts_stand_behind_their_lengths(texts: list[str]) -> None:
    packed, read = pack_texts(texts), []
    while packed:
        (length,) = struct.unpack_from("<I", packed)
        read.append(packed[4 : 4 + length].decode())
        packed = packed[4 + length :]
    assert read == texts
