"""Speed goals: what was measured beside what is wanted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """One number that should be at least, or at most, another."""

    name: str
    measured: float
    bound: float
    at_most: bool = False
    unit: str = ""

    @property
    def reached(self) -> bool:
        """A value on the bound is good."""
        return self.measured <= self.bound if self.at_most else self.measured >= self.bound

    @property
    def wanted(self) -> str:
        """The bound in words."""
        return f"{'<=' if self.at_most else '>='} {self.bound:g}{self.unit}"

    def __str__(self) -> str:
        return f"{self.name}: {self.measured:.2f}{self.unit}, the goal is {self.wanted}"
