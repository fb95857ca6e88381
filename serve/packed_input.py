"""Rows as bytes instead of JSON: `application/octet-stream`, one bit or one byte a feature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl

import numpy as np

from data.schema import FeatureSchema
from serve.refusals import Code, Fault, Refusal
from serve.validation import FAULTS_MAX, PackedRows, refuse_input, row_bytes

_FIELDS = ("model", "version", "explain")
_BOOLEANS = {"true": True, "false": False}
_FIELDS_MAX = 8
_SHOWN_CHARACTERS_MAX = 80
_BITS = 8


class Layout(StrEnum):
    """How a row stands in the body."""

    BITS = "bits"
    """Each row padded to whole bytes, most significant bit first (`numpy.packbits`)."""
    BYTES = "bytes"
    """A byte of 0 or 1 for each feature."""


@dataclass(frozen=True, slots=True)
class PackedEnvelope:
    """A body of packed rows; its rows are not looked at yet."""

    model: str
    version: str | None
    layout: Layout
    body: bytes
    instances_max: int
    explain: bool = False

    def pack(self, schema: FeatureSchema) -> PackedRows:
        """The rows, checked; raises a Refusal that names up to 20 faults."""
        width = row_bytes(schema) if self.layout is Layout.BITS else len(schema)
        rows, rest = divmod(len(self.body), width)
        if rest or not 1 <= rows <= self.instances_max:
            raise refuse_input([_wrong_length(self, schema, width)])
        matrix = np.frombuffer(self.body, dtype=np.uint8).reshape(rows, width)
        if self.layout is Layout.BITS:
            _check_padding(matrix, -len(schema) % _BITS)
            return PackedRows(rows, self.body)
        if self.body.translate(None, b"\x00\x01"):
            raise refuse_input(_not_zero_or_one(matrix))
        return PackedRows(rows, np.packbits(matrix, axis=1).tobytes())


def parse_packed(layout: Layout, query: bytes, body: bytes, instances_max: int) -> PackedEnvelope:
    """Read what the query string asks; raises a Refusal that names every fault."""
    pairs = _parse_query(query)
    fields = dict(pairs)
    faults = [_fault_of(name) for name in fields if name not in _FIELDS]
    if len(fields) < len(pairs):
        faults.append(Fault("query", "a parameter is given twice; give each once"))
    if not fields.get("model"):
        faults.append(Fault("query/model", "name the model in the query string: ?model=NAME"))
    explain = _BOOLEANS.get(fields.get("explain", "false"))
    if explain is None:
        faults.append(Fault("query/explain", "explain must be true or false"))
    if faults:
        raise refuse_input(faults)
    return PackedEnvelope(
        fields["model"], fields.get("version"), layout, body, instances_max, explain is True
    )


def _parse_query(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(query),
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError:  # a UnicodeDecodeError among them
        raise Refusal(
            Code.INVALID_REQUEST, "The query string cannot be read; write ?model=NAME&version=1."
        ) from None


def _fault_of(name: str) -> Fault:
    shown = name[:_SHOWN_CHARACTERS_MAX]
    return Fault(f"query/{shown}", f"unknown parameter {shown!r}; known: {', '.join(_FIELDS)}")


def _wrong_length(envelope: PackedEnvelope, schema: FeatureSchema, width: int) -> Fault:
    return Fault(
        "",
        f"the body has {len(envelope.body)} bytes; {len(schema)} features as {envelope.layout} "
        f"make {width} bytes a row, and a request takes 1 to {envelope.instances_max} rows",
    )


def _check_padding(matrix: np.ndarray[tuple[int, int], np.dtype[np.uint8]], bits: int) -> None:
    """What pads a row to whole bytes is zero: other bits are rows of another schema."""
    dirty = np.flatnonzero(matrix[:, -1] & ((1 << bits) - 1))
    if len(dirty):
        raise refuse_input(
            [
                Fault(f"/instances/{row}", f"the last {bits} bits of a row are padding, zeros")
                for row in dirty[:FAULTS_MAX].tolist()
            ]
        )


def _not_zero_or_one(matrix: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> list[Fault]:
    places = np.argwhere(matrix > 1)[:FAULTS_MAX].tolist()
    return [
        Fault(f"/instances/{row}/{column}", f"{matrix[row, column]} is neither 0 nor 1")
        for row, column in places
    ]
