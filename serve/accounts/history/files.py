"""CSV and Parquet files made piece by piece: what was written is handed on and forgotten."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Protocol

import pyarrow as pa
from pyarrow import parquet

from billing.credits import Credits
from serve.accounts.history.columns import CellKind, Column

ROW_GROUP_ROWS = 20_000
"""Rows in a group of a Parquet file: a few megabytes until they are written."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class ExportFile(Protocol):
    """A file under way. Both methods return the bytes that are ready to be sent."""

    def write(self, items: Sequence[Any]) -> bytes: ...

    def close(self) -> bytes: ...


class CsvFile:
    """RFC 4180 in UTF-8 with a header row; None is an empty cell.

    A text that a spreadsheet would take for a formula is given a leading apostrophe.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._text = io.StringIO()
        self._writer = csv.writer(self._text)
        self._writer.writerow([column.name for column in columns])
        self._read = attrgetter(*(column.name for column in columns))
        self._formats = [_CELLS[column.kind] for column in columns]

    def write(self, items: Sequence[Any]) -> bytes:
        """The lines of `items`; before the first of them, the header."""
        self._writer.writerows(
            [
                None if value is None else form(value)
                for form, value in zip(self._formats, self._read(item), strict=True)
            ]
            for item in items
        )
        return self._take()

    def close(self) -> bytes:
        """Whatever is left."""
        return self._take()

    def _take(self) -> bytes:
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode()


def _safe_text(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _rfc3339(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


_CELLS: dict[CellKind, Callable[[Any], object]] = {
    CellKind.TEXT: _safe_text,
    CellKind.ID: str,
    CellKind.INTEGER: int,
    CellKind.AMOUNT: str,
    CellKind.TIME: _rfc3339,
}


class ParquetFile:
    """Row groups of ROW_GROUP_ROWS; amounts are decimals of six places, times are UTC."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._schema = pa.schema([(column.name, _TYPES[column.kind]) for column in columns])
        self._read = attrgetter(*(column.name for column in columns))
        self._values = [_VALUES.get(column.kind) for column in columns]
        self._sink = _Sink()
        self._writer = parquet.ParquetWriter(self._sink, self._schema)
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0

    def write(self, items: Sequence[Any]) -> bytes:
        """Nothing until a row group is full."""
        if items:
            self._waiting.append(self._batch(items))
            self._waiting_rows += len(items)
        if self._waiting_rows >= ROW_GROUP_ROWS:
            self._write_group()
        return self._sink.take()

    def close(self) -> bytes:
        """The last row group and the footer, without which the file cannot be read."""
        if self._waiting:
            self._write_group()
        self._writer.close()
        return self._sink.take()

    def _batch(self, items: Sequence[Any]) -> pa.RecordBatch:
        arrays = []
        by_column = zip(*map(self._read, items), strict=True)
        for field, value, cells in zip(self._schema, self._values, by_column, strict=True):
            made = cells if value is None else [c if c is None else value(c) for c in cells]
            arrays.append(pa.array(made, field.type))
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _write_group(self) -> None:
        table = pa.Table.from_batches(self._waiting, self._schema)
        self._writer.write_table(table, row_group_size=table.num_rows)
        self._waiting, self._waiting_rows = [], 0


class _Sink(io.RawIOBase):
    """Takes what Arrow writes until it is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:  # noqa: ANN401 - whatever has a buffer
        self._bytes += piece
        return len(piece)

    def take(self) -> bytes:
        taken = bytes(self._bytes)
        self._bytes.clear()
        return taken


def _decimal(amount: Credits) -> Decimal:
    return Decimal(amount.microcredits).scaleb(-6)


_TYPES: dict[CellKind, pa.DataType] = {
    CellKind.TEXT: pa.string(),
    CellKind.ID: pa.string(),
    CellKind.INTEGER: pa.int64(),
    CellKind.AMOUNT: pa.decimal128(20, 6),
    CellKind.TIME: pa.timestamp("us", tz="UTC"),
}

_VALUES: dict[CellKind, Callable[[Any], object]] = {CellKind.ID: str, CellKind.AMOUNT: _decimal}
"""How a value gets into its column; the others go in as they are."""
