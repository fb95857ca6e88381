"""How often Python looks for cycles in a replica of the hot path."""

from __future__ import annotations

import gc

_ALLOCATIONS = 50_000
"""Containers made, less those freed, between two looks at the youngest. Python's 700 is passed
several times in each batch, and each look goes over every request under way."""


def collect_rarely() -> None:
    """Requests leave no cycles behind, so a rarer look costs no memory and stalls fewer batches."""
    _, second, third = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, second, third)
