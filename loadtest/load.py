"""`python -m loadtest.load`: loads the running product with Locust; checks targets and money."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from loadtest.chart import draw_run
from loadtest.commands import CommandFailed
from loadtest.failures import failure_lines
from loadtest.plan import LoadPlan
from loadtest.product import STATE_FOLDER, NoProduct, find_product
from loadtest.run import Files, Outcome, RunFailed, Spread, read_outcome, run_locust, worker_command
from loadtest.settlement import Accounts, close_accounts, coverage_misses, open_accounts
from loadtest.shapes import RAMP, SHAPES, STEADY
from loadtest.summary import Summary, print_summary
from loadtest.targets import DEFAULT, Targets, missed, read_targets
from loadtest.timeline import achieved_share, find_knee

HERE = Path(__file__).parent
EXPECTED_ERRORS = (NoProduct, CommandFailed, RunFailed, ValueError, httpx.HTTPError, OSError)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to load and what to hold it against."""

    shape: str
    seconds: float
    targets: Targets
    spread: Spread

    @property
    def title(self) -> str:
        """For charts."""
        offered = f"{self.targets.offered_per_second:g} requests/s at the top"
        return f"{self.shape}: {offered}, {self.seconds:g} s"


def main(
    *,
    shape: Annotated[str, typer.Option(help=f"One of {', '.join(SHAPES)}")] = STEADY.name,
    seconds: Annotated[int, typer.Option(min=0, max=86400, help="0: the shape's own")] = 0,
    rate: Annotated[float, typer.Option(min=0, help="At the top; 0: the targets' own")] = 0,
    targets: Annotated[Path, typer.Option(exists=True)] = HERE / "targets.toml",
    targets_for: Annotated[str, typer.Option(help="Which machine's targets")] = DEFAULT,
    processes: Annotated[int, typer.Option(min=1, max=64, help="That run users, here")] = 1,
    master: Annotated[bool, typer.Option(help="Wait for workers from elsewhere")] = False,
    expect_workers: Annotated[int, typer.Option(min=1, max=64)] = 1,
    worker: Annotated[bool, typer.Option(help="Run users for a master elsewhere")] = False,
    host: Annotated[str, typer.Option(help="The master's address")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1024, max=65534, help="The master's port")] = 5557,
    url: Annotated[str, typer.Option(help="The product, as workers elsewhere reach it")] = "",
) -> None:
    """Load the running product; fail where a target is missed or the money is wrong."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if worker:
        sys.exit(subprocess.run(worker_command(host, port, processes), check=False).returncode)
    spread = Spread(processes, expect_workers if master else 0, host, port)
    with reporting_errors("load"):
        wanted = want(shape, seconds, rate, read_targets(targets, targets_for, shape), spread)
        misses = load(wanted, Console(), url)
    finish(misses)


def want(shape: str, seconds: float, rate: float, targets: Targets, spread: Spread) -> Wanted:
    """With the shape's and the targets' own values where none were given."""
    return Wanted(
        shape,
        seconds or SHAPES[shape].seconds,
        targets.at(rate) if rate else targets,
        spread,
    )


def load(wanted: Wanted, console: Console, url: str = "") -> list[str]:
    """Run Locust on accounts of our own; returns each target that was missed.

    `url` is the product's address where users are not to take the one that it names itself.
    """
    accounts = prepare(console)
    files = Files.of_now(wanted.shape)
    console.print(f"{wanted.title}, with the targets for {wanted.targets.machine}", soft_wrap=True)
    plan = make_plan(wanted, accounts, files)
    run_locust(replace(plan, base_url=url.rstrip("/") or plan.base_url), files, wanted.spread)
    outcome = read_outcome(files, wanted.shape)
    draw_run(outcome.moments, wanted.title, files.named(".png"))
    return conclude(wanted, accounts, files, outcome, console=console)


def prepare(console: Console) -> Accounts:
    """The running product's address, and accounts on it."""
    product = find_product()
    console.print(f"product at {product.base_url}: making accounts with keys where needed")
    return open_accounts(product.base_url, STATE_FOLDER)


def make_plan(wanted: Wanted, accounts: Accounts, files: Files) -> LoadPlan:
    """What Locust is told."""
    return LoadPlan(
        accounts.base_url,
        wanted.shape,
        wanted.seconds,
        wanted.targets.offered_per_second,
        accounts.paying,
        accounts.careless,
        files.named(".tally.json"),
    )


def conclude(
    wanted: Wanted,
    accounts: Accounts,
    files: Files,
    outcome: Outcome,
    *,
    console: Console,
    more_misses: Sequence[str] = (),
    around: Callable[[float], str] | None = None,
) -> list[str]:
    """Settle the money, print and keep the summary; returns everything that was missed.

    `around` says what went on at a time (seconds since 1970), to stand beside a failed request.
    """
    settlement = close_accounts(accounts, outcome.tally)
    share = achieved_share(outcome.moments)
    knee = find_knee(outcome.moments) if wanted.shape == RAMP.name else 0.0
    misses = [
        *missed(wanted.targets, outcome.figures, share, knee),
        *settlement.misses(outcome.tally),
        *coverage_misses(SHAPES[wanted.shape].users, outcome.tally),
        *more_misses,
        *failure_lines(outcome.tally.failures, outcome.moments[0].at_seconds, around),
    ]
    summary = Summary(
        wanted.shape,
        wanted.targets.machine,
        wanted.seconds,
        wanted.targets.offered_per_second,
        share,
        knee,
        outcome.figures,
        outcome.tally,
        settlement,
        misses,
    )
    summary.write(files.named(".json"))
    print_summary(console, summary)
    console.print(f"report, chart and figures: {files.prefix}.html, .png, .json, _stats.csv")
    return misses


@contextmanager
def reporting_errors(command: str) -> Iterator[None]:
    """Exit code 2 and one line for what a person can mend."""
    try:
        yield
    except EXPECTED_ERRORS as error:
        Console(stderr=True).print(f"[red]{command}: {error}[/red]", soft_wrap=True)
        raise typer.Exit(2) from error


def finish(misses: Sequence[str]) -> None:
    """Say what was missed; exit code 1 where anything was."""
    console = Console()
    for miss in misses:
        console.print("[red]MISSED[/red]", miss, soft_wrap=True, markup=True, highlight=False)
    if misses:
        raise typer.Exit(1)
    console.print("all targets held; the money agrees")


if __name__ == "__main__":
    typer.run(main)
