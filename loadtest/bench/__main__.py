"""`python -m loadtest.bench`: measures the running product beside its peers."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from dataclasses import replace
from typing import Annotated

import asyncpg
import httpx
import typer
from rich.console import Console

from loadtest.bench.benchmark import SCENARIOS, Options, carry_out
from loadtest.bench.ceiling import GeneratorLimited
from loadtest.bench.chart import draw
from loadtest.bench.load import GeneratorFailed
from loadtest.bench.page import PAGE, PICTURE, PageBroken, write_page
from loadtest.bench.probe import ProbeRefused
from loadtest.bench.progress import minutes
from loadtest.bench.report import Report, keep
from loadtest.bench.sizes import FULL, SHORT, Sizes
from loadtest.bench.tables import print_table
from loadtest.bench.tabulate import tabulate
from loadtest.commands import CommandFailed
from loadtest.peers.process import PeerFailed
from loadtest.product import NoProduct, find_product

PEER_PORT = 8100
COLUMNS_MIN = 110
EXPECTED_ERRORS = (
    NoProduct,
    PeerFailed,
    ProbeRefused,
    GeneratorFailed,
    GeneratorLimited,
    CommandFailed,
    PageBroken,
    ValueError,
    httpx.HTTPError,
    asyncpg.PostgresError,
    OSError,
)


def main(
    *,
    full: Annotated[bool, typer.Option(help="longer rounds, and more of them")] = False,
    only: Annotated[
        list[str] | None, typer.Option(help=f"one of {', '.join(SCENARIOS)}; may be repeated")
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=1, max=120, help="of a round")] = None,
    connections: Annotated[int | None, typer.Option(min=1, max=1024)] = None,
    overload_connections: Annotated[int | None, typer.Option(min=1, max=4000)] = None,
    peer_port: Annotated[int, typer.Option(help="where peers listen, on loopback")] = PEER_PORT,
    docs: Annotated[bool, typer.Option(help=f"write {PAGE} and {PICTURE}; not with --only")] = True,
    enforce: Annotated[bool, typer.Option(help="fail where a speed goal is missed")] = False,
) -> None:
    """Measure the running product beside its peers; fail on wrong answers or wrong money."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(highlight=False)
    # Tables are folded at 80 columns where nobody looks at a terminal.
    console.width = max(console.width, COLUMNS_MIN)
    began = time.monotonic()
    options = Options(
        change_sizes(FULL if full else SHORT, seconds, connections, overload_connections),
        choose(only),
        peer_port,
        shlex.join(["python", "-m", "loadtest.bench", *sys.argv[1:]]),
    )
    try:
        report = carry_out(
            find_product(), options, lambda text: console.print(text, soft_wrap=True, markup=False)
        )
        show(report, console)
        keep_all(report, console, docs=docs and not only)
    except EXPECTED_ERRORS as error:
        Console(stderr=True).print(f"bench: {error}", style="red", soft_wrap=True, markup=False)
        raise typer.Exit(2) from error
    console.print(f"done after {minutes(time.monotonic() - began)}")
    raise typer.Exit(exit_code(report, enforce=enforce))


def choose(only: list[str] | None) -> list[str]:
    """The scenarios to carry out; raises BadParameter for one that there is not."""
    unknown = set(only or []) - set(SCENARIOS)
    if unknown:
        raise typer.BadParameter(f"no such scenario: {', '.join(sorted(unknown))}")
    return [name for name in SCENARIOS if not only or name in only]


def change_sizes(
    sizes: Sizes, seconds: float | None, connections: int | None, overload_connections: int | None
) -> Sizes:
    """`sizes` with what was given on the command line."""
    return replace(
        sizes,
        round_seconds=seconds or sizes.round_seconds,
        connections=connections or sizes.connections,
        overload_connections=overload_connections or sizes.overload_connections,
    )


def show(report: Report, console: Console) -> None:
    """Every table, faults first."""
    for table in tabulate(report):
        print_table(table, console)


def keep_all(report: Report, console: Console, *, docs: bool) -> None:
    """JSON and a chart among the results; the page and its picture where they are wanted."""
    path = keep(report)
    draw(report, path.with_suffix(".png"))
    console.print(f"kept in {path} and beside it", soft_wrap=True)
    if docs:
        draw(report, PICTURE)
        write_page(report)
        console.print(f"{PAGE} and {PICTURE} are written anew")


def exit_code(report: Report, *, enforce: bool) -> int:
    """1 for wrong answers, wrong money or a refused run; a missed goal only where enforced."""
    missed = enforce and any(not goal.reached for goal in report.goals)
    return 1 if report.faults or report.refused or missed else 0


if __name__ == "__main__":
    typer.run(main)
