"""Measures each value of each knob between two measurements of the base."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ops.closed_loop import Loop
from ops.sweep.knobs import Config, Knob, turned, value_of
from ops.sweep.serve_config import NotApplied

Say = Callable[[str], None]
Apply = Callable[[Config], None]
Run = Callable[[int], Loop]
"""A closed loop of so many connections."""
Loops = dict[int, Loop]
"""By connections."""


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one knob at so many connections, beside the base right before and after."""

    knob: Knob
    value: int
    base_value: int
    connections: int
    loop: Loop
    base_before: Loop
    base_after: Loop

    @property
    def rate_ratio(self) -> float:
        """Successful requests/s over the base's, so that drift of the machine falls out."""
        base = self.base_before.requests_per_second + self.base_after.requests_per_second
        return 2 * self.loop.requests_per_second / base

    @property
    def p99_ratio(self) -> float:
        """99th percentile of the latency over the base's."""
        return 2 * self.loop.p99_ms / (self.base_before.p99_ms + self.base_after.p99_ms)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Turns knobs and measures; `apply` and `run` reach the product."""

    base: Config
    apply: Apply
    run: Run
    connections: Sequence[int]
    say: Say
    rounds: int = 1

    def measure(self, knobs: Sequence[Knob]) -> list[Point]:
        """Every value of every knob that the base sets, other than the base's own, in rounds."""
        known = [knob for knob in knobs if value_of(self.base, knob) is not None]
        for knob in knobs:
            if knob not in known:
                self.say(f"skipped: the config does not set {knob.deployment} {knob.name}")
        turns = [(knob, value) for knob in known for value in self._other_values(knob)]
        turns *= self.rounds
        began, points, before = time.monotonic(), list[Point](), self._loops()
        for number, (knob, value) in enumerate(turns, 1):
            points += (made := self._measure_value(knob, value, before))
            before = {point.connections: point.base_after for point in made} or before
            left = (time.monotonic() - began) / number * (len(turns) - number)
            self.say(f"{number} of {len(turns)} values, {left / 60:.0f} min left")
        return points

    def _other_values(self, knob: Knob) -> list[int]:
        base = value_of(self.base, knob)
        return [value for value in knob.values if value != base]

    def _measure_value(self, knob: Knob, value: int, before: Loops) -> list[Point]:
        """None where Serve refuses the value."""
        base_value = value_of(self.base, knob)
        assert base_value is not None
        try:
            self.apply(turned(self.base, knob, value))
        except NotApplied as error:
            self.say(f"{knob.deployment} {knob.name} = {value} is refused: {error}")
            self.apply(self.base)
            return []
        loops = self._loops()
        self.apply(self.base)
        after = self._loops()
        points = [
            Point(knob, value, base_value, count, loops[count], before[count], after[count])
            for count in self.connections
        ]
        for point in points:
            self.say(
                f"{knob.deployment} {knob.name} = {value} ({base_value}), {point.connections}"
                f" connections: rate {point.rate_ratio:.3f}, p99 {point.p99_ratio:.3f} of the base"
            )
        return points

    def _loops(self) -> Loops:
        return {count: self.run(count) for count in self.connections}
