"""Data sets for tests: the real one where it is at hand, and small invented ones."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from data.loader import Dataset, load_dataset
from data.schema import FeatureSchema
from data.source import FILE_NAME, KNOWN_FOLDERS, find_source


def find_real_file() -> Path:
    """The path of the real file; skips the test, saying why, where it is absent. No download."""
    configured = os.environ.get("FAREBOX_DATASET")
    path = find_source(Path(configured) if configured else None)
    if path is None:
        folders = ", ".join(map(str, KNOWN_FOLDERS))
        pytest.skip(f"{FILE_NAME} is not in {folders}; FAREBOX_DATASET may name it")
    return path


@cache
def load_real_dataset() -> Dataset:
    """The real data set, read once for all tests of a process."""
    return load_dataset(find_real_file())


def invent_dataset(vectors: int = 120, features: int = 24, seed: int = 0) -> Dataset:
    """Vectors repeated 1 to 9 times; malware where more of the first half than of the second."""
    random = np.random.default_rng(seed)
    unique = np.unique(random.integers(0, 2, (vectors, features), dtype=np.uint8), axis=0)
    matrix = np.repeat(unique, random.integers(1, 10, len(unique)), axis=0)
    half = features // 2
    labels = (matrix[:, :half].sum(axis=1) > matrix[:, half:].sum(axis=1)).astype(np.uint8)
    names = tuple(f"FEATURE_{column}" for column in range(features))
    return Dataset(matrix, labels, FeatureSchema(names), "0" * 64)
