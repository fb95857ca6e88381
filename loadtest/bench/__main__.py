"""`python -m loadtest.bench`: measures the running product beside the plain peer."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import asyncpg
import httpx
import psutil
import typer
from rich.console import Console

from loadtest.bench.checks import money_faults, run_faults, speed_faults
from loadtest.bench.cpu import Roots
from loadtest.bench.plan import MANY, Plan, carry_out
from loadtest.bench.report import Report, as_json, as_markdown, make_report, print_report
from loadtest.bench.sides import PEER, PRODUCT, Side
from loadtest.bench.wrk import GeneratorFailed
from loadtest.commands import CommandFailed, reconcile_problem
from loadtest.inputs import make_row
from loadtest.keys import ensure_keys
from loadtest.peers.catalog import BILLED, running_peer
from loadtest.peers.process import PeerFailed
from loadtest.peers.tables import asyncpg_url
from loadtest.product import STATE_FOLDER, NoProduct, find_product

CREDITS_EACH = 1_000_000
BODIES = 64
SINGLES = 300
PEER_PORT = 8100
RESULTS = Path("loadtest/results")
MODEL = Path("models/artifacts/android-malware/1/model.txt")
EXPECTED_ERRORS = (
    NoProduct,
    PeerFailed,
    GeneratorFailed,
    CommandFailed,
    ValueError,
    httpx.HTTPError,
    asyncpg.PostgresError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class PeerOptions:
    """How the peer runs; an empty `server_url` stands for the product's PostgreSQL server."""

    model: Path
    server_url: str
    connections: int


def main(
    *,
    seconds: Annotated[int, typer.Option(min=2, max=120)] = 10,
    connections: Annotated[int, typer.Option(min=1, max=1024)] = 256,
    rounds: Annotated[int, typer.Option(min=1, max=20)] = 2,
    model: Annotated[Path, typer.Option(help="the peer's LightGBM text model")] = MODEL,
    peer_server: Annotated[
        str, typer.Option(help="URL of PostgreSQL for the peer; the product's server by default")
    ] = "",
    peer_connections: Annotated[
        int, typer.Option(min=1, max=40, help="database connections of each peer worker")
    ] = 10,
    markdown: Annotated[bool, typer.Option(help="print Markdown for a page")] = False,
    enforce: Annotated[bool, typer.Option(help="fail where a speed goal is missed")] = False,
) -> None:
    """Measure the running product beside the plain peer; fail on wrong answers or wrong money."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    plan = Plan(make_bodies(), connections, seconds, rounds, SINGLES)
    console = Console(stderr=markdown)
    try:
        report = bench(plan, PeerOptions(model, peer_server, peer_connections), console)
    except EXPECTED_ERRORS as error:
        Console(stderr=True).print(f"[red]bench: {error}[/red]", soft_wrap=True)
        raise typer.Exit(2) from error
    print_report(report, console)
    if markdown:
        print(as_markdown(report))
    missed = speed_faults(report.ratios) if enforce else []
    for miss in missed:
        console.print(f"MISSED: {miss}")
    raise typer.Exit(1 if report.faults or missed else 0)


def bench(plan: Plan, options: PeerOptions, console: Console) -> Report:
    """Find the product, start the peer, run the plan, check the money, keep the result."""
    product = find_product()
    console.print(f"product at {product.base_url}: making {MANY} accounts with keys where needed")
    keys = ensure_keys(product.base_url, STATE_FOLDER / "bench-keys.json", MANY, CREDITS_EACH)
    postmaster = asyncio.run(find_postmaster(product.database_url))
    with peer_side(options, product.database_url) as (peer, peer_pid):
        sides = [Side(PRODUCT, product.base_url, keys), peer]
        for side in sides:
            side.open_books(plan.bodies[0])
        roots = Roots((product.pid,), (peer_pid,), postmaster, ())
        carry_out(plan, sides, roots, console.print)
        money = {side.name: side.close_books() for side in sides}
    faults = [fault for side in sides for fault in run_faults(side)] + money_faults(money)
    problem = reconcile_problem()
    faults += [problem] if problem else []
    said = {name: str(sums) for name, sums in money.items()}
    report = make_report(sides, faults, said, plan.connections, plan.seconds)
    console.print(f"kept in {keep(report)}")
    return report


@contextmanager
def peer_side(options: PeerOptions, product_database: str) -> Iterator[tuple[Side, int]]:
    """The running peer with fresh accounts in a fresh database, which is dropped at the end."""
    with running_peer(
        BILLED,
        PEER_PORT,
        database_url=options.server_url or product_database,
        accounts=MANY,
        credits_each=CREDITS_EACH,
        model=options.model,
        connections=options.connections,
    ) as running:
        yield Side(PEER, running.target.base_url, list(running.target.keys)), running.pid


async def find_postmaster(database_url: str) -> tuple[int, ...]:
    """The server process that `database_url` leads to; none where it is on another machine."""
    connection = await asyncpg.connect(asyncpg_url(database_url))
    try:
        backend = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
        return (backend.ppid(),) if "postgres" in backend.name() else ()
    except psutil.NoSuchProcess:
        return ()
    finally:
        await connection.close()


def make_bodies() -> list[str]:
    """Dense single-row bodies, the same in each benchmark."""
    source = random.Random(241)
    rows = [make_row(source) for _ in range(BODIES)]
    return [
        json.dumps({"model": "android-malware", "instances": [row]}, separators=(",", ":"))
        for row in rows
    ]


def keep(report: Report) -> Path:
    """Write the report as JSON; returns where."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(as_json(report), indent=2) + "\n")
    return path


if __name__ == "__main__":
    typer.run(main)
