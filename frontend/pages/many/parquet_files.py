"""Parquet tables."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from frontend.pages.many.collector import RowCollector
from frontend.pages.many.columns import Columns, sort_columns
from frontend.pages.many.faults import FileRefused, shorten

_BATCH_ROWS = 4096
_LOOKED_AT_ROWS = 50
_COLUMNS_MAX = 10_000


def read_parquet(path: Path, collector: RowCollector) -> Columns:
    """All rows into the collector. Texts stay dictionaries until their length is known: a small
    file can stand for more than memory holds."""
    try:
        return _read(path, collector)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise FileRefused("unreadable", why=shorten(str(error))) from error


def _read(path: Path, collector: RowCollector) -> Columns:
    with parquet.ParquetFile(path) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    if len(schema) > _COLUMNS_MAX:
        raise FileRefused("too_many_columns", most=_COLUMNS_MAX)
    collector.check_count(rows)
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    with parquet.ParquetFile(path, read_dictionary=texts) as file:
        first = next(file.iter_batches(_LOOKED_AT_ROWS, columns=schema.names[:1]), None)
        columns = sort_columns(schema.names, _first_values(first), collector.features)
        needed = sorted({place for place, _ in columns.features} | set(columns.kept))
        if columns.names is not None:
            needed = sorted({*needed, columns.names})
        names = [schema.names[place] for place in needed]
        for batch in file.iter_batches(_BATCH_ROWS, columns=names):
            read = dict(zip(needed, batch.columns, strict=True))
            nothing = pa.nulls(len(batch))
            collector.add_table(columns, [read.get(i, nothing) for i in range(len(schema))])
    return columns


def _first_values(batch: pa.RecordBatch | None) -> list[str]:
    return [] if batch is None else [str(each) for each in batch.column(0).to_pylist()]
