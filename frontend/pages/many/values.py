"""Cells of a table as zeros and ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from frontend.pages.many.faults import FileRefused

WRONG = 2
"""Stands in a matrix of values where a cell holds neither 0 nor 1."""

Values = npt.NDArray[np.uint8]

_MEANINGS = {"": 0, "0": 0, "0.0": 0, "false": 0, "1": 1, "1.0": 1, "true": 1}


def parse_value(text: str) -> int | None:
    """0 or 1, or None where it is neither."""
    return _MEANINGS.get(text.strip().lower())


def decode_column(name: str, column: pa.Array) -> Values:
    """A column of any type that can hold zeros and ones; nothing is 0."""
    kind = column.type
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _decode_texts(column)
    if pa.types.is_null(kind):
        return np.zeros(len(column), np.uint8)
    if pa.types.is_boolean(kind):
        return _array(pc.fill_null(column.cast(pa.uint8()), 0)).astype(np.uint8)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = _array(pc.fill_null(column.cast(pa.float64(), safe=False), 0.0))
        values = np.full(len(numbers), WRONG, np.uint8)
        values[(numbers == 0) | np.isnan(numbers)] = 0
        values[numbers == 1] = 1
        return values
    raise FileRefused("column_type", column=name, type=str(kind))


def _decode_texts(column: pa.Array) -> Values:
    """Each different text is looked at once."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    meanings = [parse_value(text or "") for text in texts]
    lookup = np.array([WRONG if each is None else each for each in meanings] + [0], np.uint8)
    indices = pc.fill_null(encoded.indices.cast(pa.int64()), len(texts))
    values: Values = lookup[_array(indices)]
    return values


def _array(column: pa.Array) -> npt.NDArray[np.generic]:
    array: npt.NDArray[np.generic] = column.to_numpy(zero_copy_only=False)
    return array
