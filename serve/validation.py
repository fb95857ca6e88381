"""From a request body to the rows of a matrix, or every fault in it by JSON pointer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import orjson
from rapidfuzz import fuzz, process

from data.schema import FeatureSchema
from serve.refusals import Code, Fault, Refusal

FAULTS_MAX = 20
_SUGGESTION_SCORE_MIN = 60.0
_SHOWN_CHARACTERS_MAX = 80
_FIELDS = {"model", "version", "instances", "explain"}
_KNOWN = "model, version, instances, explain"
_ZERO_ONE = b"\x00\x01"
_AS_DIGITS = bytes.maketrans(_ZERO_ONE, b"01")
_BITS = 8


class PackedRows(NamedTuple):
    """Rows packed one bit a feature, each padded to whole bytes (`numpy.packbits` along a row)."""

    rows: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A JSON request whose outer shape is right; its instances are not looked at yet."""

    model: str
    version: str | None
    instances: list[Any]
    has_booleans: bool
    """Whether an instance may hold any."""
    explain: bool = False

    def pack(self, schema: FeatureSchema) -> PackedRows:
        """The instances as rows; raises a Refusal that names up to 20 faults.

        One bad instance refuses the request as a whole.
        """
        instances = self.instances
        if len(instances) == 1 and not self.has_booleans:
            row = _dense_row(instances[0], len(schema))
            if row is not None:
                return PackedRows(1, _pack_row(row))
        return PackedRows(len(instances), _pack_rows(self, schema))


def parse_envelope(body: bytes, instances_max: int) -> Envelope:
    """Decode the body and check its fields; raises a Refusal that names every fault."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refusal(
            Code.INVALID_JSON,
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}. "
            "NaN and Infinity are not JSON either.",
            faults=(Fault("", f"not JSON at byte {error.pos}"),),
        ) from None
    faults = list(_envelope_faults(payload, instances_max))
    if faults:
        raise refuse_input(faults)
    has_booleans = b"true" in body or b"false" in body
    if has_booleans and "explain" in payload:
        has_booleans = body.count(b"true") + body.count(b"false") > 1  # more than its own
    return Envelope(
        payload["model"],
        payload.get("version"),
        payload["instances"],
        has_booleans,
        payload.get("explain", False),
    )


def row_bytes(schema: FeatureSchema) -> int:
    """Bytes of one packed row: 31 for 241 features."""
    return -(-len(schema) // _BITS)


def _pack_row(row: bytes) -> bytes:
    """One row of zeros and ones, packed: a number written in binary is three times as quick as
    an array of one row.
    """
    padding = -len(row) % _BITS
    number = int(row.translate(_AS_DIGITS), 2) << padding
    return number.to_bytes((len(row) + padding) // _BITS)


def _pack_rows(envelope: Envelope, schema: FeatureSchema) -> bytes:
    rows = bytearray()
    faults: list[Fault] = []
    for position, instance in enumerate(envelope.instances):
        rows += _read_row(envelope, position, instance, schema, faults)
        if len(faults) >= FAULTS_MAX:
            break
    if faults:
        raise refuse_input(faults)
    matrix = np.frombuffer(rows, dtype=np.uint8).reshape(-1, len(schema))
    return np.packbits(matrix, axis=1).tobytes()


def _read_row(
    envelope: Envelope,
    position: int,
    instance: object,
    schema: FeatureSchema,
    faults: list[Fault],
) -> bytes | bytearray:
    """The two quick ways first; what fits neither is looked at closely."""
    named = schema.row_of(instance) if type(instance) is list else None
    if named is not None:
        return named
    dense = None if envelope.has_booleans else _dense_row(instance, len(schema))
    if dense is not None:
        return dense
    return _checked_row(instance, f"/instances/{position}", schema, faults)


def unpack_rows(packed_rows: bytes, rows: int, features: int) -> np.ndarray[Any, Any]:
    """The inverse of packing: uint8, shape (rows, features)."""
    packed = np.frombuffer(packed_rows, dtype=np.uint8).reshape(rows, -1)
    return np.unpackbits(packed, axis=1, count=features)


def refuse_input(faults: list[Fault]) -> Refusal:
    """The refusal that names these faults, up to 20 of them."""
    shown = tuple(faults[:FAULTS_MAX])
    detail = (
        shown[0].detail if len(shown) == 1 else f"{len(shown)} faults, the first: {shown[0].detail}"
    )
    return Refusal(Code.INVALID_REQUEST, detail, faults=shown)


def _envelope_faults(payload: object, instances_max: int) -> list[Fault]:
    if not isinstance(payload, dict):
        return [
            Fault("", 'the body must be an object such as {"model": "...", "instances": [...]}')
        ]
    faults = [
        Fault(_pointer("", name), f"unknown field {_shown(name)}; known: {_KNOWN}")
        for name in payload.keys() - _FIELDS
    ]
    if not isinstance(payload.get("model"), str):
        faults.append(Fault("/model", "model must be the name of a model, a string"))
    if not isinstance(payload.get("version", ""), str):
        faults.append(Fault("/version", 'version must be a string such as "1", or be left out'))
    if not isinstance(payload.get("explain", False), bool):
        faults.append(Fault("/explain", "explain must be true or false"))
    return sorted(faults, key=lambda fault: fault.pointer) + _instances_faults(
        payload.get("instances"), instances_max
    )


def _instances_faults(instances: object, instances_max: int) -> list[Fault]:
    if not isinstance(instances, list):
        return [Fault("/instances", "instances must be a list")]
    if not 1 <= len(instances) <= instances_max:
        return [
            Fault(
                "/instances",
                f"{len(instances)} instances; a request takes 1 to {instances_max}: split it",
            )
        ]
    return []


def _dense_row(instance: object, features: int) -> bytes | None:
    """The fast way: a list of `features` integers 0 or 1; None for whatever needs a closer look.

    `bytes(list)` takes integers alone and refuses strings and floats in C: 241 features in 2 us.
    It would take booleans too, so bodies that hold any do not come here.
    """
    if type(instance) is not list or len(instance) != features:
        return None
    try:
        row = bytes(instance)
    except (TypeError, ValueError):
        return None
    return None if row.translate(None, _ZERO_ONE) else row


def _checked_row(
    instance: object, pointer: str, schema: FeatureSchema, faults: list[Fault]
) -> bytes | bytearray:
    if isinstance(instance, dict):
        return _row_from_object(instance, pointer, schema, faults)
    if isinstance(instance, list):
        if all(isinstance(item, str) for item in instance):
            return _row_from_names(instance, pointer, schema, faults)
        return _row_from_values(instance, pointer, schema, faults)
    faults.append(
        Fault(
            pointer,
            "an instance is a list of feature names, an object of name to 0 or 1, "
            f"or a list of {len(schema)} zeros and ones",
        )
    )
    return b""


def _row_from_names(
    names: list[str], pointer: str, schema: FeatureSchema, faults: list[Fault]
) -> bytearray:
    row = bytearray(len(schema))
    for position, name in enumerate(names):
        column = schema.column(name)
        if column is None:
            faults.append(_unknown_feature(f"{pointer}/{position}", name, schema))
        elif row[column]:
            faults.append(
                Fault(f"{pointer}/{position}", f"{_shown(name)} is named twice; name it once")
            )
        else:
            row[column] = 1
        if len(faults) >= FAULTS_MAX:
            break
    return row


def _row_from_object(
    values: dict[str, object], pointer: str, schema: FeatureSchema, faults: list[Fault]
) -> bytearray:
    row = bytearray(len(schema))
    seen: set[int] = set()
    for name, value in values.items():
        column = schema.column(name)
        if column is None:
            faults.append(_unknown_feature(_pointer(pointer, name), name, schema))
        elif column in seen:
            faults.append(
                Fault(_pointer(pointer, name), f"{_shown(name)} is named twice; name it once")
            )
        elif not _is_zero_or_one(value):
            faults.append(_not_zero_or_one(_pointer(pointer, name), value))
        else:
            row[column] = value == 1
        if column is not None:
            seen.add(column)
        if len(faults) >= FAULTS_MAX:
            break
    return row


def _row_from_values(
    values: list[object], pointer: str, schema: FeatureSchema, faults: list[Fault]
) -> bytes:
    if len(values) != len(schema):
        faults.append(
            Fault(pointer, f"{len(values)} values; a dense instance has exactly {len(schema)}")
        )
        return b""
    before = len(faults)
    for position, value in enumerate(values):
        if not _is_zero_or_one(value):
            faults.append(_not_zero_or_one(f"{pointer}/{position}", value))
            if len(faults) >= FAULTS_MAX:
                break
    return b"" if len(faults) > before else bytes(value == 1 for value in values)


def _is_zero_or_one(value: object) -> bool:
    """JSON has one kind of number: 1.0 is 1. `true` is not a number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value in (0, 1)


def _not_zero_or_one(pointer: str, value: object) -> Fault:
    return Fault(pointer, f"{_shown(value)} is neither 0 nor 1")


def _unknown_feature(pointer: str, name: str, schema: FeatureSchema) -> Fault:
    close = process.extractOne(
        name[:_SHOWN_CHARACTERS_MAX].rpartition(".")[2].upper(),
        schema.names,
        scorer=fuzz.ratio,
        score_cutoff=_SUGGESTION_SCORE_MIN,
    )
    hint = f'; did you mean "{close[0]}"?' if close else "; GET /v1/models lists the known names"
    return Fault(pointer, f"unknown feature {_shown(name)}{hint}")


def _pointer(base: str, name: str) -> str:
    escaped = name[:_SHOWN_CHARACTERS_MAX].replace("~", "~0").replace("/", "~1")
    return f"{base}/{escaped}"


def _shown(value: object) -> str:
    try:
        text = orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, UnicodeDecodeError):
        text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else text[:_SHOWN_CHARACTERS_MAX] + "..."
