"""Lines on the console while the benchmark runs, with the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable

Print = Callable[[str], None]


class Progress:
    """Says what is done, after how long, and about how long the rest takes."""

    def __init__(
        self, planned_seconds: float, out: Print, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._planned_seconds = planned_seconds
        self._out = out
        self._clock = clock
        self._began = clock()

    def say(self, text: str) -> None:
        """One line."""
        elapsed = self._clock() - self._began
        left = self._planned_seconds - elapsed
        rest = f"about {minutes(left)} left" if left > 0 else "longer than planned"
        self._out(f"{minutes(elapsed)}, {rest}: {text}")


def minutes(seconds: float) -> str:
    """Minutes and seconds, as 2:05."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
