"""Loads TUANDROMD, the Android malware data set, into matrices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from data.errors import DatasetMismatch
from data.schema import ANDROID_MALWARE_PATH, FeatureSchema, read_schema
from data.source import SHA256, read_source

LABEL_COLUMN = "Label"

Matrix: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Dataset:
    """4464 apps: `matrix` (4464, 241) of zeros and ones, `labels` (4464,), 1 for malware."""

    matrix: Matrix
    labels: Matrix
    schema: FeatureSchema
    sha256: str
    empty_rows: tuple[int, ...] = ()
    """The file's rows, from 0, that hold no value; they are left out."""


def load_dataset(path: Path | None = None) -> Dataset:
    """Load the checked file from `path`, a known folder or UCI; raises DataError."""
    return parse_dataset(read_source(path))


def parse_dataset(content: bytes) -> Dataset:
    """Turn the file's bytes into matrices; the one row without any value is dropped."""
    header, *lines = content.decode("ascii").splitlines()
    schema = read_schema(ANDROID_MALWARE_PATH)
    if header.split(",") != [*schema.names, LABEL_COLUMN]:
        raise DatasetMismatch("the columns are not those of the committed schema")
    empty = tuple(number for number, line in enumerate(lines) if not line.strip(","))
    rows = [line for line in lines if line.strip(",")]
    values = np.loadtxt(rows, delimiter=",", dtype=np.float64, ndmin=2)
    if not np.isin(values, (0.0, 1.0)).all():
        raise DatasetMismatch("a value is neither 0 nor 1")
    cells = values.astype(np.uint8)
    matrix, labels = np.ascontiguousarray(cells[:, :-1]), cells[:, -1].copy()
    matrix.flags.writeable = labels.flags.writeable = False
    return Dataset(matrix, labels, schema, SHA256, empty)
