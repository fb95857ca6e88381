"""The results of a job: counted, the first of them to show, and all of them as files."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from frontend.pages.many.faults import Fault
from frontend.pages.many.uploads import Upload

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]+")
_STEM_CHARACTERS_MAX = 40


@dataclass(frozen=True, slots=True)
class Outcome:
    """`probabilities` has an entry for each row of the upload: not a number where it was left
    out."""

    upload: Upload
    probabilities: npt.NDArray[np.float64]
    negative: str
    positive: str
    threshold: float

    @property
    def checked(self) -> npt.NDArray[np.bool_]:
        return ~np.isnan(self.probabilities)

    @property
    def positives(self) -> int:
        return int((self.probabilities >= self.threshold).sum())

    @property
    def negatives(self) -> int:
        return int(self.checked.sum()) - self.positives

    def label(self, row: int) -> str:
        """Of a row that was checked; as the API does, positive from the threshold on."""
        is_positive = self.probabilities[row] >= self.threshold
        return self.positive if is_positive else self.negative

    def first_rows(self, most: int, *, suspicious_first: bool) -> list[int]:
        """Of those that were checked."""
        rows = np.nonzero(self.checked)[0]
        if suspicious_first:
            rows = rows[np.argsort(-self.probabilities[rows], kind="stable")]
        found: list[int] = rows[:most].tolist()
        return found


def make_outcome(
    upload: Upload,
    of_good: npt.NDArray[np.float64],
    *,
    labels: tuple[str, str],
    threshold: float,
) -> Outcome:
    """`of_good`: probabilities of the rows without faults; `labels`: negative, positive."""
    probabilities = np.full(upload.rows, np.nan)
    probabilities[upload.good] = of_good
    return Outcome(upload, probabilities, *labels, threshold)


def name_file(upload: Upload, what: str, suffix: str) -> str:
    """Of a file to download: tells whose results these are."""
    stem = _NOT_IN_NAMES.sub("-", Path(upload.name).stem).strip("-")[:_STEM_CHARACTERS_MAX]
    return f"{what}-{stem or 'file'}-{upload.sha256[:8]}.{suffix}"


def write_csv(outcome: Outcome, path: Path, left_out: str) -> None:
    """All rows in the file's order; `left_out` is the word for those with a fault."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_titles(outcome))
        writer.writerows(_rows(outcome, left_out))


def write_parquet(outcome: Outcome, path: Path, left_out: str) -> None:
    """The same; texts are as they were, as nothing takes them for formulas here."""
    checked = outcome.checked
    upload, titles = outcome.upload, _titles(outcome)
    is_positive = outcome.probabilities >= outcome.threshold
    labels = np.where(is_positive, outcome.positive, outcome.negative)
    columns = [
        pa.array(upload.lines),
        *upload.kept.columns,
        pa.array(labels.tolist(), pa.string(), mask=~checked),
        pa.array(outcome.probabilities, mask=~checked),
        pa.array(np.where(checked, "", left_out).tolist(), pa.string()),
    ]
    parquet.write_table(pa.Table.from_arrays(columns, titles), path)


def write_faults(
    faults: Sequence[Fault], path: Path, head: Sequence[str], mends: Sequence[str]
) -> None:
    """`mends`: what to do about each."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for fault, mend in zip(faults, mends, strict=True):
            cells = (fault.column, fault.found, mend)
            writer.writerow((fault.line, *map(guard_cell, cells)))


def guard_cell(text: str) -> str:
    """A text of somebody's that no spreadsheet runs as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _titles(outcome: Outcome) -> list[str]:
    """Names of columns, each once: the file's own ones keep theirs where they can."""
    own = ("line", "predicted_label", "probability", "fault")
    taken = set(own)
    kept = []
    for name in outcome.upload.kept.column_names:
        free = guard_cell(name)
        while free in taken:
            free += "_"
        taken.add(free)
        kept.append(free)
    return [own[0], *kept, *own[1:]]


def _rows(outcome: Outcome, left_out: str) -> Iterator[list[object]]:
    upload = outcome.upload
    kept = [column.to_pylist() for column in upload.kept.columns]
    checked, lines = outcome.checked.tolist(), upload.lines.tolist()
    probabilities = outcome.probabilities.tolist()
    for row, line in enumerate(lines):
        cells: list[object] = [line, *(guard_cell(column[row]) for column in kept)]
        if checked[row]:
            yield [*cells, outcome.label(row), probabilities[row], ""]
        else:
            yield [*cells, "", "", left_out]
