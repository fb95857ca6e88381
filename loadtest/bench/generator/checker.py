"""Whether an answer of status 200 says the right probabilities."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

TOLERANCE = 1e-6
"""Servers print doubles, some after a detour over float32: six digits tell one row from another."""

_NUMBER = rb"\s*(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
_FLOAT64_BYTES = 8


class Checker:
    """Compares answers with the probabilities that were computed beforehand, body by body."""

    def __init__(self, marker: bytes, expected: Sequence[Sequence[float]]) -> None:
        self._find = re.compile(re.escape(marker) + _NUMBER).findall if marker else None
        self._expected = [tuple(values) for values in expected]

    def right(self, number: int, body: bytes) -> bool:
        """Whether `body` answers request `number`."""
        expected = self._expected[number % len(self._expected)]
        found = self._find(body) if self._find else _floats(body)
        if not expected:
            return bool(found) and all(0 <= float(value) <= 1 for value in found)
        if len(found) != len(expected):
            return False
        return all(
            abs(float(value) - right) <= TOLERANCE
            for value, right in zip(found, expected, strict=True)
        )


def _floats(body: bytes) -> Sequence[float]:
    """Little-endian float64 values; none where the length is not theirs."""
    count, rest = divmod(len(body), _FLOAT64_BYTES)
    return () if rest else struct.unpack(f"<{count}d", body)
