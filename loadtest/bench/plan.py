"""The order of the runs: interleaved, so that drift of the machine meets both sides alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from loadtest.bench.cpu import CpuSampler, Roots
from loadtest.bench.generator import run_builtin
from loadtest.bench.run import Load, Run
from loadtest.bench.sides import Side
from loadtest.bench.single import measure_single
from loadtest.bench.wrk import run_wrk, wrk_installed

MANY, ONE = 50, 1
WARM_UP_SECONDS = 3

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to send."""

    bodies: list[str]
    connections: int
    seconds: int
    rounds: int
    singles: int


def order(sides: list[Side], rounds: int) -> Iterator[tuple[int, Side]]:
    """Accounts and side of each run: A B A B in even rounds, B A B A in odd ones."""
    for round_number in range(rounds):
        turn = sides if round_number % 2 == 0 else sides[::-1]
        for accounts in (MANY, ONE):
            for side in turn:
                yield accounts, side


def carry_out(plan: Plan, sides: list[Side], roots: Roots, say: Say) -> None:
    """Warm both sides up, run every round, then measure single requests on idle servers."""
    for side in sides:
        load = side.load(MANY, plan.bodies, plan.connections, WARM_UP_SECONDS)
        side.count(generate(load, roots))
    for accounts, side in order(sides, plan.rounds):
        load = side.load(accounts, plan.bodies, plan.connections, plan.seconds)
        run = generate(load, roots)
        side.count(run)
        side.runs.setdefault(accounts, []).append(run)
        say(f"{side.name}, {accounts} account(s): {run.requests_per_second:,.0f} requests/s")
    for side in sides:
        load = side.load(MANY, plan.bodies, 1, 0)
        side.single = measure_single(load, plan.singles)
        side.answers_200 += side.single.answers_200


def generate(load: Load, roots: Roots) -> Run:
    """One run with wrk, or with the built-in generator where wrk is not installed."""
    roots = replace(roots, generator=(os.getpid(),))
    with CpuSampler(roots) as sampler:
        run = run_wrk(load) if wrk_installed() else run_builtin(load)
    return replace(run, cpu_seconds=sampler.seconds_by_group())
