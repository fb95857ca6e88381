"""The verdict of one reconciliation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing.reconcile import Breach


class Source(StrEnum):
    """Who had the ledger checked."""

    CLI = "cli"
    BOOKKEEPER = "bookkeeper"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked and found, and how long it took."""

    id: int
    started_at: datetime
    seconds: float
    rows: Mapping[str, int]
    """Rows by table."""
    rules: int
    """How many were checked."""
    breaches: tuple[Breach, ...]
    is_clean: bool
    source: Source
