"""What the load test's users saw and were charged; every process that runs users keeps its own."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

KEPT_MAX = 500
"""Of failures and of wrong answers: enough to see what happened, however badly a run goes."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One request that failed: when it was sent (seconds since 1970), its name, and why."""

    at_seconds: float
    name: str
    why: str


@dataclass(slots=True)
class Tally:
    """All users together. `unknown` is the price of requests whose outcome nobody saw."""

    answers_200: int = 0
    """Charged answers; replays are free and counted apart."""
    instances: int = 0
    charged: Decimal = Decimal(0)
    unknown_requests: int = 0
    unknown: Decimal = Decimal(0)
    replays: int = 0
    conflicts: int = 0
    """A key used again with another body, refused as it must be."""
    refusals: int = 0
    """Bad input, refused as it must be."""
    reads: int = 0
    resent: int = 0
    """Requests whose connection ended before any answer, sent again with their own key."""
    generator_saturated: bool = False
    """The generator ran out of CPU, so it, and not the server, may be what was measured."""
    wrong: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take over what another process counted."""
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            if isinstance(mine, bool):
                setattr(self, each.name, mine or theirs)
            elif isinstance(mine, list):
                setattr(self, each.name, (mine + theirs)[:KEPT_MAX])
            else:
                setattr(self, each.name, mine + theirs)

    def record_failure(self, failure: Failure) -> None:
        """Keep one more failure, up to a bound."""
        if len(self.failures) < KEPT_MAX:
            self.failures.append(failure)

    def record_wrong(self, what: str) -> None:
        """Keep one more wrong answer, up to a bound."""
        if len(self.wrong) < KEPT_MAX:
            self.wrong.append(what)

    def drain(self) -> dict[str, Any]:
        """What was counted since the last time, as plain values for the way to the master."""
        plain = to_plain(self)
        empty = Tally()
        for each in fields(self):
            setattr(self, each.name, getattr(empty, each.name))
        return plain

    def write(self, path: Path) -> None:
        """Keep the tally as JSON, amounts as text."""
        path.write_text(json.dumps(to_plain(self), indent=2))


def to_plain(tally: Tally) -> dict[str, Any]:
    """Strings, numbers and lists alone; amounts as text."""
    plain = asdict(tally)
    return {name: str(v) if isinstance(v, Decimal) else v for name, v in plain.items()}


def from_plain(plain: dict[str, Any]) -> Tally:
    """The inverse of `to_plain`."""
    amounts = {name: Decimal(plain[name]) for name in ("charged", "unknown")}
    failures = [Failure(**each) for each in plain["failures"]]
    return Tally(**{**plain, **amounts, "failures": failures})


def read_tally(path: Path) -> Tally:
    """What `Tally.write` kept."""
    return from_plain(json.loads(path.read_text()))
