"""CSV, cell by cell as texts, so that each fault has its line."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from frontend.pages.many.collector import RowCollector
from frontend.pages.many.columns import Columns, sort_columns
from frontend.pages.many.faults import FaultKind, FileRefused, shorten

_BATCH_BYTES = 4 * 1024 * 1024
_LOOKED_AT_ROWS = 50
_HEAD_BYTES_MAX = 1024 * 1024
_COLUMNS_MAX = 10_000
_LINES_A_ROW_MAX = 10
"""A file may have so many times the most rows in lines: blank ones cost memory too."""

_NO_DELIMITER = "\x1f"
"""For a table of one column: its cells may hold commas and semicolons."""


class CsvReader:
    """One file. Lines of rows are known at the end, as a quoted cell may go over lines."""

    def __init__(self, path: Path, collector: RowCollector) -> None:
        self._path = path
        self._collector = collector
        self._delimiter, self.head = read_head(path)
        self._broken: list[tuple[int, str]] = []
        self._numbers: list[npt.NDArray[np.int64]] = []
        self._breaks: list[npt.NDArray[np.int64]] = []

    def read(self) -> Columns:
        """All rows into the collector; the rows themselves count from 2, as the head is 1."""
        columns: Columns | None = None
        next_number = 0
        try:
            for batch in self._batches():
                arrays = batch.columns
                if columns is None:
                    first = arrays[0].slice(0, _LOOKED_AT_ROWS).to_pylist()
                    columns = sort_columns(self.head, first, self._collector.features)
                breaks = _count_breaks(arrays, columns)
                blank = self._collector.add_table(columns, arrays)
                places = np.arange(next_number, next_number + len(blank))
                next_number += len(blank)
                self._numbers.append(places[~blank])
                self._breaks.append(breaks)
                self._check_count(next_number)
            self._check_count(next_number)
        except pa.ArrowInvalid as error:
            raise self._explain(error) from error
        return columns or sort_columns(self.head, [], self._collector.features)

    def lines(self) -> npt.NDArray[np.int64]:
        """Of each row in the collector."""
        numbers = np.concatenate([np.zeros(0, np.int64), *self._numbers])
        lines: npt.NDArray[np.int64] = self._all_lines()[0][numbers]
        return lines

    def note_broken(self) -> npt.NDArray[np.int64]:
        """Lines of rows with too few or too many cells; their faults are noted with them."""
        lines = self._all_lines()[1]
        width = str(len(self.head))
        for line, (_, text) in zip(lines.tolist(), self._broken, strict=True):
            self._collector.faults.add(line, "", text, FaultKind.CELLS, width)
        return lines

    def _all_lines(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Of the rows that were read, blank ones with them, and of the broken ones."""
        breaks = np.concatenate([np.zeros(0, np.int64), *self._breaks])
        broken = np.array([number for number, _ in self._broken], np.int64)
        broken_breaks = np.array([text.count("\n") for _, text in self._broken], np.int64)
        total = len(breaks) + len(broken)
        numbers = np.setdiff1d(np.arange(2, total + 2), broken)
        extra = np.zeros(total + 2, np.int64)
        extra[numbers] = breaks
        extra[broken] = broken_breaks
        before = np.concatenate([[0], np.cumsum(extra)[:-1]])
        return numbers + before[numbers], broken + before[broken]

    def _batches(self) -> Iterator[pa.RecordBatch]:
        names = [str(place) for place in range(len(self.head))]
        reader = arrow_csv.open_csv(
            self._path,
            arrow_csv.ReadOptions(
                use_threads=False,
                block_size=_BATCH_BYTES,
                column_names=names,
                skip_rows_after_names=1,
            ),
            arrow_csv.ParseOptions(
                delimiter=self._delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=self._note_row,
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
        with reader:
            yield from reader

    def _note_row(self, row: arrow_csv.InvalidRow) -> str:
        if len(self._broken) > self._collector.rows_max:
            return "error"
        self._broken.append((row.number, row.text or ""))
        return "skip"

    def _check_count(self, rows_with_blank_ones: int) -> None:
        self._collector.check_count(self._collector.rows + len(self._broken))
        self._collector.check_count(rows_with_blank_ones // _LINES_A_ROW_MAX)

    def _explain(self, error: pa.ArrowInvalid) -> FileRefused:
        if len(self._broken) > self._collector.rows_max:
            return FileRefused("too_many_rows", most=self._collector.rows_max)
        return find_foreign_bytes(self._path) or FileRefused("unreadable", why=shorten(str(error)))


def read_head(path: Path) -> tuple[str, tuple[str, ...]]:
    """The delimiter, and the names in the first line."""
    with path.open("rb") as file:
        start = file.read(_HEAD_BYTES_MAX)
    line, ended, _ = start.partition(b"\n")
    if not ended and len(start) == _HEAD_BYTES_MAX:
        raise FileRefused("no_head")
    try:
        text = line.decode("utf-8-sig").rstrip("\r")
    except UnicodeDecodeError as error:
        raise FileRefused("not_utf8", line=1) from error
    delimiter = _find_delimiter(text)
    head = next(csv.reader([text], delimiter=delimiter), [])
    if not any(name.strip() for name in head):
        raise FileRefused("no_head")
    if len(head) > _COLUMNS_MAX:
        raise FileRefused("too_many_columns", most=_COLUMNS_MAX)
    return delimiter, tuple(head)


def find_foreign_bytes(path: Path) -> FileRefused | None:
    """The first line that is no UTF-8."""
    with path.open("rb") as file:
        for number, line in zip(itertools.count(1), file, strict=False):
            try:
                line.decode()
            except UnicodeDecodeError:
                return FileRefused("not_utf8", line=number)
    return None


def _find_delimiter(head: str) -> str:
    """What stands most often between names; names of API calls hold `;->` themselves."""
    plain = "".join(head.split('"')[::2]).replace(";->", "")
    counts = {each: plain.count(each) for each in (",", ";", "\t")}
    best = max(counts, key=lambda each: counts[each])
    return best if counts[best] else _NO_DELIMITER


def _count_breaks(arrays: Sequence[pa.Array], columns: Columns) -> npt.NDArray[np.int64]:
    """Line breaks within the cells of each row. Cells of features hold none or are faulty, and
    then the lines behind them would be wrong: they are counted where they are long enough."""
    breaks = np.zeros(len(arrays[0]), np.int64)
    features = {place for place, _ in columns.features}
    for place, column in enumerate(arrays):
        if place in features and pc.max(pc.binary_length(column)).as_py() in (None, 0, 1):
            continue
        breaks += pc.count_substring(column, "\n").to_numpy(zero_copy_only=False)
    return breaks
