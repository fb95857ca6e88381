"""What goes wrong, and what must: vectors with both labels, and those judged worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.loader import Dataset
from ml_task.evaluate import OutOfFold
from ml_task.splits import find_vectors
from ml_task.vectors import VectorTable


@dataclass(frozen=True, slots=True)
class Judged:
    """A unique vector, its rows, and the mean probability that models which never saw it gave."""

    features: tuple[str, ...]
    rows: int
    malware_rows: int
    probability: float

    @property
    def is_malware(self) -> bool:
        """The label that most rows have; a tie counts as malware."""
        return 2 * self.malware_rows >= self.rows

    @property
    def loss(self) -> float:
        """Squared error against that label."""
        return (self.probability - self.is_malware) ** 2


def judge_vectors(dataset: Dataset, table: VectorTable, out_of_fold: OutOfFold) -> list[Judged]:
    """Every unique vector, in the table's order; `out_of_fold` tests one row of each."""
    numbers = find_vectors(dataset.matrix)[out_of_fold.split.tested]
    said = np.empty(len(table.rows))
    said[numbers] = out_of_fold.probabilities.mean(axis=0)
    return [
        Judged(
            tuple(dataset.schema.names[column] for column in np.flatnonzero(vector)),
            int(rows),
            int(malware),
            float(probability),
        )
        for vector, rows, malware, probability in zip(
            table.vectors, table.rows, table.malware_rows, said, strict=True
        )
    ]


def find_contradictions(judged: list[Judged]) -> list[Judged]:
    """The vectors that carry both labels, the most frequent first."""
    both = [one for one in judged if 0 < one.malware_rows < one.rows]
    return sorted(both, key=lambda one: -one.rows)


def find_worst(judged: list[Judged], count: int) -> list[Judged]:
    """The vectors whose probability is the farthest from their label."""
    return sorted(judged, key=lambda one: -one.loss)[:count]


def find_misses(judged: list[Judged], threshold: float) -> list[Judged]:
    """Malware that is called goodware where malware begins at `threshold`."""
    return [one for one in judged if one.is_malware and one.probability < threshold]


def find_alarms(judged: list[Judged], threshold: float) -> list[Judged]:
    """Goodware that is called malware."""
    return [one for one in judged if not one.is_malware and one.probability >= threshold]
