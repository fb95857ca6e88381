"""A file as it was uploaded: told by its content, read, and every fault found before it is paid."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from frontend.pages.many.collector import RowCollector
from frontend.pages.many.columns import Columns
from frontend.pages.many.csv_files import CsvReader
from frontend.pages.many.faults import Fault, FileRefused
from frontend.pages.many.features import FeatureNames
from frontend.pages.many.json_files import read_json
from frontend.pages.many.parquet_files import read_parquet
from frontend.pages.many.values import Values

_LOOKED_AT_BYTES = 4096
_MARKS_OF_OTHERS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b")
"""Excel and other archives, old Excel, PDF, gzip."""


class Form(StrEnum):
    """What a file turned out to be."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was read. Arrays have an entry a row, in the file's order."""

    name: str
    sha256: str
    form: Form
    columns: Columns | None
    """None for JSON."""
    suggestions: tuple[tuple[str, str], ...]
    lines: npt.NDArray[np.int64]
    """As the file counts: the line of CSV, otherwise the row from 1."""
    packed: Values
    good: npt.NDArray[np.bool_]
    kept: pa.Table
    faults: tuple[Fault, ...]
    faults_total: int
    blank_rows: int

    @property
    def rows(self) -> int:
        return len(self.lines)

    @property
    def good_rows(self) -> int:
        return int(self.good.sum())


def read_upload(path: Path, features: Sequence[str], *, rows_max: int, bytes_max: int) -> Upload:
    """Blocks for some seconds for the largest of files. Raises FileRefused."""
    size = path.stat().st_size
    if size == 0:
        raise FileRefused("empty")
    if size > bytes_max:
        raise FileRefused("too_large", most=bytes_max // 2**20)
    collector = RowCollector(FeatureNames(features), rows_max)
    form = find_form(path)
    if form is Form.CSV:
        return _read_csv(path, collector)
    columns = read_parquet(path, collector) if form is Form.PARQUET else None
    if form is Form.JSON:
        read_json(path, collector)
    lines = np.arange(1, collector.rows + 1)
    return _finish(path, form, columns, collector, lines)


def find_form(path: Path) -> Form:
    """By the content: names lie."""
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT_BYTES)
    if start.startswith(b"PAR1"):
        return Form.PARQUET
    if start.startswith(_MARKS_OF_OTHERS):
        raise FileRefused("other_type")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileRefused("not_utf8", line=1)
    if b"\x00" in start:
        raise FileRefused("other_type")
    if not start.strip():
        raise FileRefused("empty")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    return Form.JSON if text.startswith((b"{", b"[")) else Form.CSV


def _read_csv(path: Path, collector: RowCollector) -> Upload:
    reader = CsvReader(path, collector)
    columns = reader.read()
    lines = reader.lines()
    listed = [replace(fault, line=int(lines[fault.line])) for fault in collector.faults.listed]
    collector.faults.listed.clear()
    broken = reader.note_broken()
    listed += collector.faults.listed
    collector.faults.listed[:] = listed
    upload = _finish(path, Form.CSV, columns, collector, lines, in_lines=True)
    return _with_broken(upload, broken)


def _finish(
    path: Path,
    form: Form,
    columns: Columns | None,
    collector: RowCollector,
    lines: npt.NDArray[np.int64],
    *,
    in_lines: bool = False,
) -> Upload:
    faults = collector.faults.listed
    if not in_lines:
        faults = [replace(fault, line=int(lines[fault.line])) for fault in faults]
    if not collector.faults.total and not collector.rows:
        raise FileRefused("no_rows")
    return Upload(
        name=path.name,
        sha256=_hash(path),
        form=form,
        columns=columns,
        suggestions=columns.suggestions(collector.features) if columns else (),
        lines=lines,
        packed=collector.packed(),
        good=collector.good(),
        kept=collector.kept(columns) if columns else pa.table({}),
        faults=tuple(sorted(faults, key=lambda fault: fault.line)),
        faults_total=collector.faults.total,
        blank_rows=collector.blank_rows,
    )


def _with_broken(upload: Upload, broken: npt.NDArray[np.int64]) -> Upload:
    """Rows that are no rows, put among the others where they stand in the file."""
    if not len(broken):
        return upload
    count = len(broken)
    lines = np.concatenate([upload.lines, broken])
    order = np.argsort(lines, kind="stable")
    zeros = np.zeros((count, upload.packed.shape[1]), np.uint8)
    empty = pa.table({name: [""] * count for name in upload.kept.column_names})
    kept = pa.concat_tables([upload.kept, empty]) if upload.kept.num_columns else upload.kept
    return replace(
        upload,
        lines=lines[order],
        packed=np.concatenate([upload.packed, zeros])[order],
        good=np.concatenate([upload.good, np.zeros(count, np.bool_)])[order],
        kept=kept.take(order) if kept.num_columns else kept,
    )


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
