"""Carries a whole benchmark out: sets the stage, runs the scenarios, checks the money."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from loadtest.bench import bulk, comparison, latency, overload
from loadtest.bench.books import Books
from loadtest.bench.ceiling import Ceilings, GeneratorLimited
from loadtest.bench.cpu import Roots
from loadtest.bench.machine import (
    describe_machine,
    find_postmaster,
    package_versions,
    postgres_version,
)
from loadtest.bench.oracle import Oracle, make_rows
from loadtest.bench.product import NAME as PRODUCT
from loadtest.bench.product import product_target
from loadtest.bench.progress import Print, Progress
from loadtest.bench.report import Report, read_growth
from loadtest.bench.sizes import Sizes
from loadtest.bench.stage import MANY, Server, Stage
from loadtest.commands import reconcile_problem
from loadtest.keys import ensure_keys
from loadtest.product import STATE_FOLDER, Product

CREDITS_EACH = 20_000_000
"""A bulk request takes 1,024 at once, and a long benchmark sends thousands of them."""
BODIES = 64
SCENARIOS = {
    "comparison": comparison.planned_seconds,
    "latency": latency.planned_seconds,
    "overload": overload.planned_seconds,
    "bulk": bulk.planned_seconds,
}
RECONCILE_SECONDS = 5

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure and how much of it."""

    sizes: Sizes
    scenarios: Collection[str]
    peer_port: int
    command: str


def carry_out(product: Product, options: Options, out: Print) -> Report:
    """Measure what `options` name on the running product."""
    out(f"product at {product.base_url}: making {MANY} accounts with keys where needed")
    keys = ensure_keys(product.base_url, STATE_FOLDER / "bench-keys.json", MANY, CREDITS_EACH)
    stage = set_stage(product, keys, options, out)
    stage.warm_up(stage.product)
    chosen, sizes = options.scenarios, options.sizes
    compared = _guarded(stage, lambda: comparison.compare(stage), "comparison" in chosen)
    timed = _guarded(
        stage,
        lambda: latency.measure_latency(stage, _peak(stage, compared)),
        "latency" in chosen,
    )
    loaded = _guarded(
        stage, lambda: overload.measure_overload(stage, product.pid), "overload" in chosen
    )
    bulky = _guarded(stage, lambda: bulk.measure_bulk(stage), "bulk" in chosen)
    stage.close_books(stage.product)
    problem = reconcile_problem()
    stage.faults += [problem] if problem else []
    stage.progress.say("the ledger is reconciled" if problem is None else problem)
    return Report(
        datetime.now(UTC).isoformat(timespec="seconds"),
        options.command,
        describe_machine(),
        stage.versions,
        sizes,
        stage.ceilings.measured,
        compared,
        timed,
        loaded,
        bulky,
        read_growth(),
        stage.money,
        stage.refused,
        stage.faults,
    )


def set_stage(product: Product, keys: list[str], options: Options, out: Print) -> Stage:
    """The product's books are opened here, before the first request."""
    target = product_target(product.base_url, keys)
    postmaster = asyncio.run(find_postmaster(product.database_url))
    postgres = asyncio.run(postgres_version(product.database_url))
    planned = [SCENARIOS[name](options.sizes) for name in options.scenarios]
    seconds = sum(planned) + options.sizes.warm_up_seconds + RECONCILE_SECONDS
    return Stage(
        product=Server(target, Books(target)),
        roots=Roots((product.pid,), (), postmaster, ()),
        database_url=product.database_url,
        peer_port=options.peer_port,
        rows=make_rows(BODIES),
        oracle=Oracle(),
        sizes=options.sizes,
        ceilings=Ceilings(options.sizes.ceiling_seconds),
        progress=Progress(seconds, out),
        versions={PRODUCT: {**package_versions(), "PostgreSQL": postgres}},
    )


def _peak(stage: Stage, compared: comparison.Comparison | None) -> float:
    """The comparison's, else that of a run for the purpose."""
    if compared is not None:
        return compared.peak_per_second
    run = stage.measure(stage.product, stage.singles(stage.product), "peak")
    return run.requests_per_second


def _guarded(
    stage: Stage,
    measure: Callable[[], Result],
    wanted: bool,  # whether the scenario was chosen
) -> Result | None:
    """A scenario in which the generator was the limit is refused as a whole; the next goes on."""
    if not wanted:
        return None
    try:
        return measure()
    except GeneratorLimited as limited:
        stage.refused.append(str(limited))
        stage.progress.say(f"not reported: {limited}")
        return None
