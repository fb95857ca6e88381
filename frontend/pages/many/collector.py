"""Collects the rows of a file, batch by batch: a bit a feature, and what is kept of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from frontend.pages.many.columns import Columns
from frontend.pages.many.faults import LISTED_MAX, FaultKind, FaultLog, FileRefused
from frontend.pages.many.features import FeatureNames
from frontend.pages.many.values import WRONG, Values, decode_column, parse_value

KEPT_CHARACTERS_MAX = 500
"""Of a cell that is carried into the result."""

_BETWEEN_NAMES = re.compile(r"[\s,]+|;(?!->)")
"""Names of API calls hold `;->` themselves."""


class RowCollector:
    """Faults are noted by the number of the row among those added, from 0."""

    def __init__(self, features: FeatureNames, rows_max: int) -> None:
        self.features = features
        self.faults = FaultLog()
        self.rows = 0
        self.blank_rows = 0
        self.rows_max = rows_max
        self._packed: list[Values] = []
        self._good: list[npt.NDArray[np.bool_]] = []
        self._kept: list[list[pa.Array]] = []

    def add_table(self, columns: Columns, batch: Sequence[pa.Array]) -> npt.NDArray[np.bool_]:
        """A batch of a table, column by column; which of its rows were blank and left out."""
        count = len(batch[0])
        blank = _find_blank(batch)
        if blank.any():
            self.blank_rows += int(blank.sum())
            written = pa.array(~blank)
            batch = [column.filter(written) for column in batch]
            count = len(batch[0])
        self.check_count(self.rows + count)
        if columns.names is not None:
            matrix = self._read_names(columns, batch[columns.names])
        else:
            matrix = self._read_values(columns, batch)
        self._take(matrix, self._keep(columns, batch))
        return blank

    def add_names(self, lists: Iterable[Iterable[str]], column: str) -> None:
        """Rows that name the features they have."""
        self._take(self._name_rows(lists, column), [])

    def add_objects(self, rows: Sequence[dict[str, object]]) -> None:
        """Rows of names with 0 or 1."""
        self._take(np.stack([self._read_object(*each) for each in enumerate(rows, self.rows)]), [])

    def add_dense(self, rows: Sequence[list[object]]) -> None:
        """Rows of all values in the model's order."""
        self._take(np.stack([self._read_dense(*each) for each in enumerate(rows, self.rows)]), [])

    def add_shapeless(self, found: object) -> None:
        """A row that is nothing known."""
        self.faults.add(self.rows, "", found, FaultKind.SHAPE)
        matrix = np.full((1, len(self.features)), WRONG, np.uint8)
        self._take(matrix, [])

    def check_count(self, rows: int) -> None:
        """Raise where these are more rows than a file may have."""
        if rows > self.rows_max:
            raise FileRefused("too_many_rows", most=self.rows_max)

    def packed(self) -> Values:
        """Of all rows: a bit a feature, each row padded to whole bytes."""
        width = (len(self.features) + 7) // 8
        return np.concatenate([np.zeros((0, width), np.uint8), *self._packed])

    def good(self) -> npt.NDArray[np.bool_]:
        """Whether each row is without a fault."""
        return np.concatenate([np.zeros(0, np.bool_), *self._good])

    def kept(self, columns: Columns) -> pa.Table:
        """The columns that are carried into the result, as texts."""
        titles = [columns.title(place) for place in columns.kept]
        arrays = [
            pa.chunked_array([batch[number] for batch in self._kept], pa.string())
            for number in range(len(titles))
        ]
        return pa.Table.from_arrays(arrays, titles)

    def _take(self, matrix: Values, kept: list[pa.Array]) -> None:
        wrong = matrix == WRONG
        good = ~wrong.any(axis=1)
        if kept:
            good &= self._check_lengths(kept)
        matrix[wrong] = 0
        self._packed.append(np.packbits(matrix, axis=1))
        self._good.append(good)
        self._kept.append(kept)
        self.rows += len(matrix)

    def _read_values(self, columns: Columns, batch: Sequence[pa.Array]) -> Values:
        matrix = np.zeros((len(batch[0]), len(self.features)), np.uint8)
        for place, position in columns.features:
            name = columns.head[place]
            values = decode_column(name, batch[place])
            matrix[:, position] = values
            wrong, listed = np.nonzero(values == WRONG)[0], len(self.faults.listed)
            for number in wrong[: self.faults.room].tolist():
                found = batch[place][number].as_py()
                self.faults.add(self.rows + number, name.strip(), found, FaultKind.VALUE)
            self.faults.count(max(0, len(wrong) - LISTED_MAX + listed))
        return matrix

    def _read_names(self, columns: Columns, cells: pa.Array) -> Values:
        title = columns.title(columns.names or 0)
        return self._name_rows(map(_split_names, cells.to_pylist()), title)

    def _name_rows(self, lists: Iterable[Iterable[str]], column: str) -> Values:
        rows = [self._name_row(at, names, column) for at, names in enumerate(lists, self.rows)]
        return np.stack(rows) if rows else np.zeros((0, len(self.features)), np.uint8)

    def _name_row(self, at: int, names: Iterable[str], column: str) -> Values:
        row = np.zeros(len(self.features), np.uint8)
        positions = [self._find(at, name, column) for name in names]
        row[[position for position in positions if position is not None]] = 1
        return np.full_like(row, WRONG) if None in positions else row

    def _read_object(self, at: int, names: dict[str, object]) -> Values:
        row = np.zeros(len(self.features), np.uint8)
        for name, value in names.items():
            position = self._find(at, name, "")
            meaning = _read_value(value)
            if meaning == WRONG:
                self.faults.add(at, name, value, FaultKind.VALUE)
            if position is None or meaning == WRONG:
                row[:] = WRONG
            elif row[position] != WRONG:
                row[position] = meaning
        return row

    def _read_dense(self, at: int, values: list[object]) -> Values:
        width = len(self.features)
        if len(values) != width:
            self.faults.add(at, "", values, FaultKind.CELLS, str(width))
            return np.full(width, WRONG, np.uint8)
        row = np.array([_read_value(value) for value in values], np.uint8)
        for position in np.nonzero(row == WRONG)[0].tolist():
            name = self.features.names[position]
            self.faults.add(at, name, values[position], FaultKind.VALUE)
        return row

    def _find(self, at: int, name: str, column: str) -> int | None:
        position = self.features.find(name)
        if position is None:
            self.faults.add(at, column or name, name, FaultKind.NAME, self.features.nearest(name))
        return position

    def _keep(self, columns: Columns, batch: Sequence[pa.Array]) -> list[pa.Array]:
        return [_as_texts(columns.head[place], batch[place]) for place in columns.kept]

    def _check_lengths(self, kept: list[pa.Array]) -> npt.NDArray[np.bool_]:
        good = np.ones(len(kept[0]), np.bool_)
        for column in kept:
            lengths = pc.utf8_length(column).to_numpy(zero_copy_only=False)
            for number in np.nonzero(lengths > KEPT_CHARACTERS_MAX)[0].tolist():
                good[number] = False
                self.faults.add(
                    self.rows + number,
                    "",
                    column[number].as_py(),
                    FaultKind.LENGTH,
                    str(KEPT_CHARACTERS_MAX),
                )
        return good


def _find_blank(batch: Sequence[pa.Array]) -> npt.NDArray[np.bool_]:
    """Rows of empty texts alone: a reader of CSV makes them of blank lines."""
    blank = np.ones(len(batch[0]), np.bool_)
    for column in batch:
        if not pa.types.is_string(column.type):
            return np.zeros(len(batch[0]), np.bool_)
        blank &= pc.equal(column, "").to_numpy(zero_copy_only=False)
        if not blank.any():
            break
    return blank


def _split_names(cell: object) -> list[str]:
    if isinstance(cell, list):
        return [str(name) for name in cell]
    return [name for name in _BETWEEN_NAMES.split(str(cell or "")) if name]


def _as_texts(name: str, column: pa.Array) -> pa.Array:
    """Nothing is an empty text."""
    try:
        return pc.fill_null(column.cast(pa.string()), "")
    except pa.ArrowNotImplementedError as error:
        raise FileRefused("column_type", column=name, type=str(column.type)) from error


def _read_value(value: object) -> int:
    """Of JSON: 0, 1 or `WRONG`."""
    meaning = parse_value(str(value)) if isinstance(value, str | int | float) else None
    return WRONG if meaning is None else meaning
