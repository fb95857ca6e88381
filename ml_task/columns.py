"""What the columns are: permissions or API calls, constant, identical to others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.loader import Matrix

API_CALL_MARK = ";->"


@dataclass(frozen=True, slots=True)
class Columns:
    """Facts about a matrix's columns, by column number; `api_calls` is a mask."""

    names: tuple[str, ...]
    api_calls: NDArray[np.bool_]
    constant: tuple[int, ...]
    identical: tuple[tuple[int, ...], ...]
    """Groups of two and more columns that are equal in every row, the largest first."""

    @property
    def distinct(self) -> int:
        """How many columns say something that no column before them says."""
        repeated = sum(len(group) - 1 for group in self.identical)
        silent = len(self.constant)
        group_of_silent = any(set(group) & set(self.constant) for group in self.identical)
        return len(self.names) - repeated - (1 if group_of_silent else silent)


def describe_columns(matrix: Matrix, names: tuple[str, ...]) -> Columns:
    """Find the constant columns and the groups of identical ones."""
    constant = np.flatnonzero(matrix.min(axis=0) == matrix.max(axis=0))
    groups: dict[bytes, list[int]] = {}
    for column in range(matrix.shape[1]):
        groups.setdefault(matrix[:, column].tobytes(), []).append(column)
    identical = sorted((tuple(one) for one in groups.values() if len(one) > 1), key=len)
    api_calls = np.array([API_CALL_MARK in name for name in names])
    return Columns(names, api_calls, tuple(constant.tolist()), tuple(reversed(identical)))


def count_ones(matrix: Matrix, columns: Columns) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many permissions and how many API calls each row has."""
    permissions = matrix[:, ~columns.api_calls].sum(axis=1, dtype=np.int64)
    return permissions, matrix[:, columns.api_calls].sum(axis=1, dtype=np.int64)
