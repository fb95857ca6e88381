"""From the packed rows of a stored answer back to the names of features."""

from __future__ import annotations

import numpy as np

from data.schema import FeatureSchema
from serve.validation import unpack_rows

INPUTS_SHOWN_MAX = 100
"""Instances whose features are named: an answer stays below a megabyte."""

_BITS = 8


def name_inputs(packed_rows: bytes, rows: int, schema: FeatureSchema) -> list[list[str]] | None:
    """The features present in each of the first rows; None if these are not rows of `schema`."""
    row_bytes = -(-len(schema) // _BITS)
    if len(packed_rows) != rows * row_bytes:
        return None
    shown = min(rows, INPUTS_SHOWN_MAX)
    matrix = unpack_rows(packed_rows[: shown * row_bytes], shown, len(schema))
    return [[schema.names[column] for column in np.flatnonzero(row)] for row in matrix]
