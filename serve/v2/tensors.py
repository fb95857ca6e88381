"""Tensors of the protocol: from their elements, in whichever form, to rows of zeros and ones."""

from __future__ import annotations

import reprlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from serve.refusals import Code, Refusal

Elements = bytes | Sequence[Any]
"""Little-endian bytes, or values: flat, or (in JSON) a list for each row."""

_ZERO_ONE = b"\x00\x01"
_LENGTH = struct.Struct("<I")
"""What precedes each element of a BYTES tensor."""


@dataclass(frozen=True, slots=True)
class Datatype:
    """One of the protocol's datatypes that features may have."""

    name: str
    code: str
    """numpy's, little-endian."""
    contents: str
    """Its field of `InferTensorContents`."""
    values: frozenset[type]
    """Python's types of its values."""

    @property
    def width_bytes(self) -> int:
        """Of one element."""
        return np.dtype(self.code).itemsize


_INTEGERS = frozenset({int})
_NUMBERS = frozenset({int, float})

DATATYPES = {
    each.name: each
    for each in (
        Datatype("BOOL", "u1", "bool_contents", frozenset({bool, int})),
        Datatype("UINT8", "u1", "uint_contents", _INTEGERS),
        Datatype("UINT16", "<u2", "uint_contents", _INTEGERS),
        Datatype("UINT32", "<u4", "uint_contents", _INTEGERS),
        Datatype("UINT64", "<u8", "uint64_contents", _INTEGERS),
        Datatype("INT8", "i1", "int_contents", _INTEGERS),
        Datatype("INT16", "<i2", "int_contents", _INTEGERS),
        Datatype("INT32", "<i4", "int_contents", _INTEGERS),
        Datatype("INT64", "<i8", "int64_contents", _INTEGERS),
        Datatype("FP32", "<f4", "fp32_contents", _NUMBERS),
        Datatype("FP64", "<f8", "fp64_contents", _NUMBERS),
    )
}


def refuse(detail: str) -> Refusal:
    """A request that is not as it must be; the protocol's errors have room for a sentence."""
    return Refusal(Code.INVALID_REQUEST, detail)


def shown(value: object) -> str:
    """A client's own value in a sentence, cut where it is long."""
    return reprlib.repr(value)


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input tensor as it came in: its name, datatype and shape are right in themselves."""

    name: str
    datatype: Datatype
    rows: int
    columns: int
    elements: Elements

    def matrix(self) -> bytes:
        """Its elements row by row, a byte of 0 or 1 each; a Refusal that names the first fault."""
        if isinstance(self.elements, bytes):
            return self._from_bytes(self.elements)
        return self._from_values(_flatten(self.elements, self))

    @property
    def _count(self) -> int:
        return self.rows * self.columns

    def _from_bytes(self, data: bytes) -> bytes:
        expected = self._count * self.datatype.width_bytes
        if len(data) != expected:
            raise refuse(
                f"input {self.name!r} has {len(data)} bytes; {self.rows} x {self.columns} elements "
                f"of {self.datatype.name} have {expected}"
            )
        if self.datatype.width_bytes == 1 and not data.translate(None, _ZERO_ONE):
            return data
        array = np.frombuffer(data, dtype=self.datatype.code)
        ones = array == 1
        strangers = np.flatnonzero(~(ones | (array == 0)))
        if len(strangers):
            place = int(strangers[0])
            raise self._neither(place, array[place].item())
        return bytes(ones)

    def _from_values(self, values: Sequence[Any]) -> bytes:
        if len(values) != self._count:
            raise refuse(
                f"input {self.name!r} has {len(values)} values; its shape "
                f"[{self.rows}, {self.columns}] makes {self._count}"
            )
        if set(map(type, values)) <= self.datatype.values:
            ones = _zeros_and_ones(values)
            if ones is not None:
                return ones
        raise self._first_bad_value(values)

    def _first_bad_value(self, values: Sequence[Any]) -> Refusal:
        allowed = self.datatype.values
        for place, value in enumerate(values):
            if type(value) not in allowed:
                return refuse(
                    f"input {self.name!r} is {self.datatype.name} and has {shown(value)} "
                    f"{self._where(place)}"
                )
            if value not in (0, 1):
                return self._neither(place, value)
        raise AssertionError("called for values that are all right")

    def _neither(self, place: int, value: object) -> Refusal:
        return refuse(
            f"input {self.name!r} has {shown(value)} {self._where(place)}; "
            "a feature is either 0 or 1"
        )

    def _where(self, place: int) -> str:
        row, column = divmod(place, self.columns)
        return f"at row {row}, column {column}"


def _zeros_and_ones(values: Sequence[Any]) -> bytes | None:
    """Numbers as bytes, where each is 0 or 1; integers the quick way."""
    try:
        ones = bytes(values)
    except (TypeError, ValueError):
        array = np.array(values, dtype=np.float64)
        is_one = array == 1
        return bytes(is_one) if (is_one | (array == 0)).all() else None
    return None if ones.translate(None, _ZERO_ONE) else ones


def _flatten(elements: Sequence[Any], tensor: Tensor) -> Sequence[Any]:
    """JSON may nest the rows of a tensor or not."""
    if not elements or type(elements[0]) is not list:
        return elements
    if len(elements) != tensor.rows or not all(
        type(row) is list and len(row) == tensor.columns for row in elements
    ):
        raise refuse(
            f"input {tensor.name!r} is not the {tensor.rows} lists of {tensor.columns} values "
            f"that its shape [{tensor.rows}, {tensor.columns}] makes"
        )
    return list(chain.from_iterable(elements))


def pack_texts(texts: Iterable[str]) -> bytes:
    """The raw form of a BYTES tensor: each element after its length in four bytes."""
    encoded = [text.encode() for text in texts]
    return b"".join(part for each in encoded for part in (_LENGTH.pack(len(each)), each))
