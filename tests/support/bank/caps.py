"""What keys may spend: by UTC day, month or in all, together with the keys of their lineage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from billing.api_keys.values import Period
from billing.credits import ZERO, Credits


class Caps:
    """Caps of lineages, and every charge that counts against them."""

    def __init__(self) -> None:
        self.lineages: dict[str, str] = {}
        """By key."""
        self.caps: dict[tuple[str, Period], Credits] = {}
        """By lineage and period."""
        self.charges: list[tuple[str, Period, datetime, Credits]] = []

    def add_key(self, key_id: str, caps: Mapping[Period, Credits]) -> None:
        """A key that is a lineage of its own."""
        self.lineages[key_id] = key_id
        for period, cap in caps.items():
            self.caps[key_id, period] = cap

    def rotate(self, key_id: str, new_id: str) -> None:
        """A second key, with the same caps and the same purse."""
        self.lineages[new_id] = self.lineages[key_id]

    def change(self, key_id: str, period: Period, cap: Credits | None) -> None:
        """Without a cap nothing is counted, and what was is forgotten."""
        lineage = self.lineages[key_id]
        if cap is not None:
            self.caps[lineage, period] = cap
            return
        self.caps.pop((lineage, period), None)
        self.charges = [charge for charge in self.charges if charge[:2] != (lineage, period)]

    def left(self, key_id: str, now: datetime) -> Credits | None:
        """What the tightest cap leaves; None without any."""
        lineage = self.lineages.get(key_id)
        lefts = [
            max(cap - self.spent(lineage, period, now), ZERO)
            for (capped, period), cap in self.caps.items()
            if capped == lineage
        ]
        return min(lefts) if lefts else None

    def spend(self, key_id: str, amount: Credits, now: datetime) -> None:
        """Count a charge against every cap there is."""
        lineage = self.lineages.get(key_id)
        for capped, period in self.caps:
            if capped == lineage:
                self.charges.append((capped, period, now, amount))

    def spent(self, lineage: str | None, period: Period, now: datetime) -> Credits:
        """In the period of `now`."""
        spent = ZERO
        for charged, in_period, at, amount in self.charges:
            if (charged, in_period) == (lineage, period) and _is_same(period, at, now):
                spent += amount
        return spent


def _is_same(period: Period, one: datetime, other: datetime) -> bool:
    one, other = one.astimezone(UTC), other.astimezone(UTC)
    if period is Period.DAY:
        return one.date() == other.date()
    if period is Period.MONTH:
        return (one.year, one.month) == (other.year, other.month)
    return True
