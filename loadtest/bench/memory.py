"""Resident memory of some processes over time."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psutil

from loadtest.bench.cpu import PRODUCT, classify

SAMPLE_SECONDS = 0.5
WATCHED = ("FeatureValidator", "Billing")
GROWTH_MAX = 0.05
"""Allocators keep what they took once; an unbounded queue would take more than a few percent."""


@dataclass(slots=True)
class MemorySeries:
    """Megabytes of each watched group of processes, at seconds since the start."""

    seconds: list[float] = field(default_factory=list)
    megabytes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def growth(self, group: str) -> float:
        """Mean of the last third over that of the first, less one."""
        return growth(self.megabytes[group])

    @property
    def flat(self) -> bool:
        """No group grew by more than the bound."""
        return all(self.growth(group) <= GROWTH_MAX for group in self.megabytes)


def growth(values: Sequence[float]) -> float:
    """Mean of the last third of `values` over that of the first third, less one; 0 for too few."""
    third = len(values) // 3
    if not third or not sum(values[:third]):
        return 0.0
    return sum(values[-third:]) / sum(values[:third]) - 1


class MemorySampler:
    """Reads resident memory twice a second while it is entered."""

    def __init__(self, pid: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._processes = _watched(pid)
        self._clock = clock
        self.series = MemorySeries()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_stopped, daemon=True)

    def __enter__(self) -> MemorySampler:
        self._began = self._clock()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _sample_until_stopped(self) -> None:
        while True:
            self._sample()
            if self._stopped.wait(SAMPLE_SECONDS):
                return

    def _sample(self) -> None:
        self.series.seconds.append(self._clock() - self._began)
        for group, processes in self._processes.items():
            self.series.megabytes[group].append(sum(map(_resident, processes)) / 1e6)


def _watched(pid: int) -> dict[str, list[psutil.Process]]:
    found: dict[str, list[psutil.Process]] = defaultdict(list)
    for process in psutil.Process(pid).children(recursive=True):
        try:
            group = classify(PRODUCT, " ".join(process.cmdline()))
        except psutil.Error:
            continue
        if group in WATCHED:
            found[group].append(process)
    return dict(found)


def _resident(process: psutil.Process) -> int:
    try:
        resident: int = process.memory_info().rss
    except psutil.Error:
        return 0
    return resident
