"""How large the grown ledger is, and the room it takes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

_BYTES_A_CHARGE = 700
"""A prediction, its entry and a fifth of an answer, with indexes and what sorting them takes."""
_BYTES_AN_ACCOUNT = 1_000
_BYTES_BESIDE = 6 * 1024**3
"""The write-ahead log while the ledger is made, and the empty product."""

DAYS = 10
"""How long charges were made evenly, so that a tenth of them is a day old or younger."""
STORED_DAYS = 2
"""Answers are there for so long: half of them are due, for the pruning that is measured."""


class TooLittleDisk(Exception):
    """The ledger would not fit."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much to generate: charges, each a prediction with its entry, spread over accounts."""

    charges: int
    accounts: int

    @property
    def step(self) -> timedelta:
        """Between a charge and the next."""
        return timedelta(days=DAYS) / self.charges

    @property
    def first_answered(self) -> int:
        """The number of the first charge whose answer is stored."""
        return self.charges - self.charges * STORED_DAYS // DAYS + 1

    @property
    def bytes_needed(self) -> int:
        """On disk, at the most, while it is made."""
        return self.charges * _BYTES_A_CHARGE + self.accounts * _BYTES_AN_ACCOUNT + _BYTES_BESIDE

    def check_disk(self, folder: Path) -> None:
        """Raise TooLittleDisk where the disk of `folder` has no room for it."""
        free = shutil.disk_usage(folder).free
        if free < self.bytes_needed:
            raise TooLittleDisk(
                f"{self.charges:,} charges take up to {self.bytes_needed / 1e9:.0f} GB, and "
                f"{folder} has {free / 1e9:.0f} GB free: make room, name another folder with "
                "--folder, or fewer charges with --entries"
            )
