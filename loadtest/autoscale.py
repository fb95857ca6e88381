"""`python -m loadtest.autoscale`: pools grow, are redeployed and shrink under load; nothing fails.

Locust offers little, then much, then little again, while the dashboard is asked each second how
many replicas there are; in the middle of the high phase every replica of the scoring application is
replaced. One failed request anywhere fails the run, which then says which one and when.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from rich.console import Console

from loadtest.chart import draw_rates, finish, make_panels
from loadtest.dashboard import Dashboard, Sample
from loadtest.load import HERE, Wanted, conclude, make_plan, prepare, reporting_errors, want
from loadtest.load import finish as finish_run
from loadtest.measured import read_moments
from loadtest.plan import LoadPlan
from loadtest.product import find_dashboard
from loadtest.run import (
    Files,
    Outcome,
    RunFailed,
    Spread,
    check_ended,
    read_outcome,
    running_locust,
    seconds_max,
)
from loadtest.scaling import POOLS, REPLACED, Redeploy, redeployed_seconds, replicas_at, scaling_of
from loadtest.shapes import AUTOSCALE, REDEPLOY_TIME_SHARE
from loadtest.targets import DEFAULT, read_targets

APPLICATION = "scoring"
SAMPLE_SECONDS = 1.0


@dataclass(slots=True)
class Watch:
    """Of the replicas while Locust runs by a plan, and what was seen."""

    dashboard: Dashboard
    plan: LoadPlan
    files: Files
    samples: list[Sample] = field(default_factory=list)
    redeploy: Redeploy | None = None
    redeploy_problem: str | None = None


def main(
    *,
    seconds: Annotated[int, typer.Option(min=0, max=3600, help="0: the shape's own")] = 0,
    rate: Annotated[float, typer.Option(min=0, help="At the top; 0: the targets' own")] = 0,
    targets: Annotated[Path, typer.Option(exists=True)] = HERE / "targets.toml",
    targets_for: Annotated[str, typer.Option(help="Which machine's targets")] = DEFAULT,
    processes: Annotated[int, typer.Option(min=1, max=64)] = 1,
    port: Annotated[int, typer.Option(min=1024, max=65534, help="Of Locust's master")] = 5557,
) -> None:
    """Show that replicas come, go and are replaced under load without one failed request."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with reporting_errors("autoscale"):
        bounds = read_targets(targets, targets_for, AUTOSCALE.name)
        spread = Spread(processes, port=port)
        misses = demonstrate(want(AUTOSCALE.name, seconds, rate, bounds, spread), Console())
    finish_run(misses)


def demonstrate(wanted: Wanted, console: Console) -> list[str]:
    """The whole demonstration; returns everything that was missed."""
    accounts = prepare(console)
    files = Files.of_now(wanted.shape)
    console.print(f"{wanted.title}, with the targets for {wanted.targets.machine}", soft_wrap=True)
    plan = make_plan(wanted, accounts, files)
    watch = Watch(Dashboard(find_dashboard()), plan, files)
    with running_locust(plan, files, wanted.spread) as process:
        keep_watch(watch, process, seconds_max(plan, wanted.spread))
    check_ended(process, files)
    outcome = read_outcome(files, wanted.shape)
    draw(outcome, watch, wanted.title, files.named(".png"))
    tell(watch, outcome, console)
    keep_samples(watch.samples, files.named(".replicas.json"))
    return conclude(
        wanted,
        accounts,
        files,
        outcome,
        console=console,
        more_misses=replica_misses(watch),
        around=lambda at_seconds: replicas_at(watch.samples, at_seconds),
    )


def keep_watch(watch: Watch, process: subprocess.Popen[str], seconds_at_most: float) -> None:
    """Sample until Locust ends, and redeploy once, in the middle of the high phase."""
    deadline = time.monotonic() + seconds_at_most
    began: float | None = None
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise RunFailed(f"Locust did not end in time; see {watch.files.named('.log')}")
        sample = watch.dashboard.sample()
        if sample is not None:
            watch.samples.append(sample)
        began = began or first_user_seconds(watch.files)
        if began and watch.redeploy is None and time.time() > began + redeploy_after(watch.plan):
            redeploy(watch)
        time.sleep(SAMPLE_SECONDS)


def redeploy_after(plan: LoadPlan) -> float:
    """Seconds from the first user on."""
    return REDEPLOY_TIME_SHARE * plan.seconds


def first_user_seconds(files: Files) -> float | None:
    """When the first user began; None before."""
    history = files.named("_stats_history.csv")
    moments = read_moments(history, AUTOSCALE.per_user_second) if history.exists() else []
    return moments[0].at_seconds if moments else None


def redeploy(watch: Watch) -> None:
    """Ask for it, and remember which replicas it has to replace."""
    old = watch.dashboard.sample() or watch.samples[-1]
    ids = frozenset[str]().union(*(old.replicas.get(name, frozenset()) for name in REPLACED))
    watch.redeploy = Redeploy(time.time(), APPLICATION, ids)
    try:
        watch.dashboard.redeploy(APPLICATION, f"{datetime.now(UTC):%Y%m%dT%H%M%S}")
    except httpx.HTTPError as error:
        watch.redeploy_problem = str(error)


def replica_misses(watch: Watch) -> list[str]:
    """Pools that did not grow and shrink, replicas that were not replaced."""
    misses = [
        miss for pool in POOLS for miss in scaling_of(pool, watch.samples, watch.redeploy).misses()
    ]
    if watch.redeploy is None:
        misses.append("no redeploy was made")
    elif watch.redeploy_problem:
        misses.append(f"the redeploy failed: {watch.redeploy_problem}")
    elif redeployed_seconds(watch.samples, watch.redeploy) is None:
        misses.append("the redeploy did not replace every replica before the end")
    return misses


def keep_samples(samples: Sequence[Sample], path: Path) -> None:
    """What was seen each second, for other charts."""
    kept = [
        {"at_seconds": each.at_seconds, "running": each.running, "statuses": each.statuses}
        for each in samples
    ]
    path.write_text(json.dumps(kept))


def tell(watch: Watch, outcome: Outcome, console: Console) -> None:
    """How the pools went, and how long the redeploy took."""
    for pool in POOLS:
        console.print(str(scaling_of(pool, watch.samples, watch.redeploy)))
    if watch.redeploy is None:
        return
    second = watch.redeploy.began_seconds - outcome.moments[0].at_seconds
    done = redeployed_seconds(watch.samples, watch.redeploy)
    took = (
        f"took {done - watch.redeploy.began_seconds:.0f} s" if done else "did not come to its end"
    )
    console.print(f"the redeploy of all replicas at {second:.0f} s {took}")


def draw(outcome: Outcome, watch: Watch, title: str, path: Path) -> None:
    """Rates above, replicas below; failures and the redeploy marked in both."""
    figure, panels = make_panels(2, title)
    began = outcome.moments[0].at_seconds
    draw_rates(panels[0], outcome.moments)
    for pool in POOLS:
        seen = [sample for sample in watch.samples if pool in sample.running]
        seconds = [sample.at_seconds - began for sample in seen]
        panels[1].step(seconds, [s.running[pool] for s in seen], where="post", label=pool)
    panels[1].set_ylabel("running replicas")
    panels[1].yaxis.set_major_locator(MaxNLocator(integer=True))
    for panel in panels:
        mark(panel, outcome, watch, began)
    finish(figure, panels, path)


def mark(panel: Axes, outcome: Outcome, watch: Watch, began: float) -> None:
    """The redeploy as a band, failed requests as crosses on the time axis."""
    if watch.redeploy is not None:
        done = redeployed_seconds(watch.samples, watch.redeploy) or outcome.moments[-1].at_seconds
        span = (watch.redeploy.began_seconds - began, done - began)
        panel.axvspan(*span, alpha=0.15, color="tab:orange", label="redeploy")
    failed = [failure.at_seconds - began for failure in outcome.tally.failures]
    if failed:
        panel.plot(failed, [0] * len(failed), "x", color="tab:red", label="failed requests")


if __name__ == "__main__":
    typer.run(main)
