"""Measures both products in turn, then the grown one while its old answers are pruned."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg

from billing.database import Database
from billing.retention import prune_answers
from billing.settings import BillingSettings
from farebox.running import RunningProduct
from farebox.store import billing_settings
from ops.closed_loop import Loop, run_closed_loop
from ops.growth_bench.sides import EMPTY, GROWN, Side, running
from ops.growth_bench.sizes import Sizes, fetch_log_bytes, fetch_sizes

Say = Callable[[str], None]

WARM_UP_SECONDS = 5
_PRUNING_SECONDS_MAX = 1_800
_KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Load:
    """How much is sent in each measured loop."""

    connections: int
    seconds: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One loop on one side, and the bytes it made its server write ahead."""

    loop: Loop
    log_bytes: int

    @property
    def log_bytes_each(self) -> float:
        """Of one prediction."""
        return self.log_bytes / max(1, self.loop.answers_200)


@dataclass(frozen=True, slots=True)
class Pruning:
    """What pruning did, and the loops right before, during and right after it."""

    rows: int
    seconds: float
    log_bytes: int
    before: Loop
    during: tuple[Loop, ...]
    after: Loop
    sizes_before: Sizes
    sizes_after: Sizes

    @property
    def ratio(self) -> float:
        """Requests/s while pruning over those right before and after."""
        during = statistics.fmean(loop.requests_per_second for loop in self.during)
        beside = (self.before.requests_per_second + self.after.requests_per_second) / 2
        return during / beside


@dataclass(slots=True)
class Measurements:
    """Everything that was measured, by side."""

    runs: dict[str, list[Measured]] = field(default_factory=lambda: {EMPTY: [], GROWN: []})
    answers_200: dict[str, int] = field(default_factory=lambda: {EMPTY: 0, GROWN: 0})
    unanswered: dict[str, int] = field(default_factory=lambda: {EMPTY: 0, GROWN: 0})
    faults: list[str] = field(default_factory=list)
    pruning: Pruning | None = None

    def count(self, side: Side, loop: Loop) -> None:
        """What must have been charged, and what must not be."""
        self.answers_200[side.name] += loop.answers_200
        self.unanswered[side.name] += loop.unanswered
        self.faults += [f"{side.name}: {fault}" for fault in loop.faults]

    @property
    def ratios(self) -> list[float]:
        """Grown over empty, round by round."""
        return [
            grown.loop.requests_per_second / empty.loop.requests_per_second
            for empty, grown in zip(self.runs[EMPTY], self.runs[GROWN], strict=True)
        ]


def measure(sides: Sequence[Side], load: Load, say: Say) -> Measurements:
    """Rounds A B, B A and so on, one product at a time; then the pruning of the grown side."""
    measured = Measurements()
    for number in range(load.rounds):
        for side in sides if number % 2 == 0 else sides[::-1]:
            with running(side) as product:
                run = _measure_once(side, product, load, measured)
                measured.runs[side.name].append(run)
                say(
                    f"round {number + 1} of {load.rounds}, {side.name}:"
                    f" {run.loop.requests_per_second:,.0f} requests/s,"
                    f" p99 {run.loop.p99_ms:.0f} ms, log {run.log_bytes_each:,.0f} bytes each"
                )
    grown = next(side for side in sides if side.name == GROWN)
    with running(grown) as product:
        measured.pruning = _measure_pruning(grown, product, load, measured, say)
    return measured


def _measure_once(
    side: Side, product: RunningProduct, load: Load, measured: Measurements
) -> Measured:
    _loop(side, load, measured, WARM_UP_SECONDS)
    asyncio.run(_checkpoint(product.database_url))
    before = asyncio.run(_log_bytes(product.database_url))
    loop = _loop(side, load, measured)
    return Measured(loop, asyncio.run(_log_bytes(product.database_url)) - before)


def _measure_pruning(
    side: Side, product: RunningProduct, load: Load, measured: Measurements, say: Say
) -> Pruning:
    url = product.database_url
    settings = billing_settings(side.home, url)
    _loop(side, load, measured, WARM_UP_SECONDS)
    before = _loop(side, load, measured)
    sizes_before, log_before = asyncio.run(_sizes(url)), asyncio.run(_log_bytes(url))
    began, during = time.monotonic(), []
    with ThreadPoolExecutor(1) as pool:
        pruned = pool.submit(_prune, settings)
        while not pruned.done() and time.monotonic() - began < _PRUNING_SECONDS_MAX:
            during.append(_loop(side, load, measured))
            say(f"pruning: {during[-1].requests_per_second:,.0f} requests/s beside it")
        rows, seconds = pruned.result()
    log_bytes = asyncio.run(_log_bytes(url)) - log_before
    after = _loop(side, load, measured)
    say(f"pruned {rows:,} answers in {seconds:.0f} s")
    return Pruning(
        rows, seconds, log_bytes, before, tuple(during), after, sizes_before,
        asyncio.run(_sizes(url)),
    )  # fmt: skip


def _prune(settings: BillingSettings) -> tuple[int, float]:
    """Rows and seconds, as the product does it behind the charges."""

    async def prune() -> int:
        database = Database(settings)
        try:
            return await prune_answers(database, _KEPT)
        finally:
            await database.close()

    began = time.monotonic()
    rows = asyncio.run(prune())
    return rows, time.monotonic() - began


def _loop(side: Side, load: Load, measured: Measurements, seconds: int | None = None) -> Loop:
    loop = run_closed_loop(side.base_url, side.keys, load.connections, seconds or load.seconds)
    measured.count(side, loop)
    return loop


async def _checkpoint(url: str) -> None:
    """So that each run begins alike: the first change of a page after it is logged whole."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _log_bytes(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return await fetch_log_bytes(connection)
    finally:
        await connection.close()


async def _sizes(url: str) -> Sizes:
    connection = await asyncpg.connect(url)
    try:
        return await fetch_sizes(connection)
    finally:
        await connection.close()
