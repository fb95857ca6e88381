"""CPU time of everything that takes part, by group of processes."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

SAMPLE_SECONDS = 2.0
"""Sampling takes CPU itself; it only has to see processes before they end."""

REPLICAS = ("FeatureValidator", "LightGBMScorer", "Billing")
GENERATOR = "generator"
PEER = "peer"
PRODUCT = "product"
POSTGRES = "postgres"
HAPROXY = "haproxy"
OTHER_RAY = "other ray"
OTHER = "other"
RAY_MARKS = ("ray::", "raylet", "gcs_server", "/ray/", "ray._private", "ray.dashboard")


@dataclass(frozen=True, slots=True)
class Roots:
    """Processes whose descendants are counted."""

    product: tuple[int, ...]
    peer: tuple[int, ...]
    postgres: tuple[int, ...]
    generator: tuple[int, ...]


def classify(owner: str, command: str) -> str:
    """The group of a process that descends from a root of `owner`, by its command line."""
    if owner != PRODUCT:
        return owner
    for replica in REPLICAS:
        if command.startswith("ray::") and f":{replica}" in command:
            return replica
    program = command.split(" ", 1)[0].rsplit("/", 1)[-1]
    if program.startswith("haproxy"):
        return HAPROXY
    if program.startswith("postgres"):
        return POSTGRES
    return OTHER_RAY if any(mark in command for mark in RAY_MARKS) else OTHER


class CpuSampler:
    """Samples CPU times while it is entered, so that processes that end meanwhile count too."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._first: dict[tuple[int, float], float] = {}
        self._last: dict[tuple[int, float], float] = {}
        self._groups: dict[tuple[int, float], str] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_stopped, daemon=True)

    def __enter__(self) -> CpuSampler:
        self._sample()
        for process in self._last:
            self._first[process] = self._last[process]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._sample()

    def seconds_by_group(self) -> dict[str, float]:
        """CPU seconds, user and system, used since entering."""
        used: dict[str, float] = defaultdict(float)
        for process, seconds in self._last.items():
            used[self._groups[process]] += seconds - self._first.get(process, 0.0)
        return dict(used)

    def _sample_until_stopped(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            self._sample()

    def _sample(self) -> None:
        for owner, process in _walk(self._roots):
            try:
                with process.oneshot():
                    identity = (process.pid, process.create_time())
                    times = process.cpu_times()
                    self._last[identity] = times.user + times.system
                    if identity not in self._groups:
                        self._groups[identity] = classify(owner, " ".join(process.cmdline()))
            except psutil.Error:
                continue


def _walk(roots: Roots) -> Iterable[tuple[str, psutil.Process]]:
    """Each process below the roots once, under the most particular owner."""
    seen: set[int] = set()
    for owner, pids in (
        (PEER, roots.peer),
        (GENERATOR, roots.generator),
        (POSTGRES, roots.postgres),
        (PRODUCT, roots.product),
    ):
        for process in _families(pids):
            if process.pid not in seen:
                seen.add(process.pid)
                yield owner, process


def _families(pids: Iterable[int]) -> Iterable[psutil.Process]:
    for pid in pids:
        try:
            root = psutil.Process(pid)
            yield from [root, *root.children(recursive=True)]
        except psutil.Error:
            continue
