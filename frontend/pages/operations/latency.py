"""The histogram of latencies, in few enough bars to be read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

_EDGES_MS = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700)
_LONG_EDGES_MS = (1_000, 1_500, 2_000, 3_000, 5_000, 7_000, 10_000)
_ALL_MS = (*_EDGES_MS, *_LONG_EDGES_MS)
_LAST = f"{_ALL_MS[-1]}+"

LABELS = [*(f"{low}\N{EN DASH}{high}" for low, high in pairwise(_ALL_MS)), _LAST]
"""Of all bars, in order."""


def merge_buckets(buckets: Iterable[dict[str, Any]]) -> list[tuple[str, int]]:
    """Label of a bar and its requests, from the first bar that has any to the last.

    The API's buckets are 4.5 % wide: one that lies over an edge counts where it begins.
    """
    counts = [0] * len(LABELS)
    for bucket in buckets:
        counts[bisect_right(_ALL_MS, bucket["from_ms"]) - 1] += bucket["requests"]
    taken = [index for index, count in enumerate(counts) if count]
    if not taken:
        return []
    return list(zip(LABELS, counts, strict=True))[taken[0] : taken[-1] + 1]
