"""`python -m ops.growth_bench`: grows a ledger, then measures the product on it and on none."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console

from billing.errors import BillingError
from billing.migrate import migrate
from farebox.errors import FareboxError
from farebox.home import Home
from farebox.postgres import embedded_postgres
from farebox.store import billing_settings
from loadtest.bench.load import GeneratorFailed
from ops.growth_bench.books import charge_fault, count_charges, ledger_faults
from ops.growth_bench.ledger import generate
from ops.growth_bench.measuring import Load, Measurements, measure
from ops.growth_bench.report import GOAL, as_json, print_report, ratio
from ops.growth_bench.sides import EMPTY, GROWN, PORTS_APART, ProductFailed, Side, make_keys
from ops.growth_bench.size import Size, TooLittleDisk

_RESULT = Path("loadtest/results/growth.json")
_EXPECTED_ERRORS = (
    BillingError,
    FareboxError,
    GeneratorFailed,
    ProductFailed,
    TooLittleDisk,
    asyncpg.PostgresError,
)


def main(
    *,
    entries: Annotated[int, typer.Option(min=1_000, help="charges in the ledger")] = 20_000_000,
    accounts: Annotated[int, typer.Option(min=50)] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, max=20)] = 4,
    seconds: Annotated[int, typer.Option(min=2, max=120)] = 20,
    connections: Annotated[int, typer.Option(min=1, max=1024)] = 256,
    port: Annotated[int, typer.Option(help="first of 200 ports for the products")] = 24_000,
    folder: Annotated[
        Path | None, typer.Option(help="where the ledgers are made, a short path; removed again")
    ] = None,
    check_ledger: Annotated[bool, typer.Option(help="reconcile both ledgers, minutes")] = True,
    enforce: Annotated[bool, typer.Option(help="fail where the goal is missed")] = False,
) -> None:
    """About 15 GB of disk and half an hour at the full size."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(highlight=False, soft_wrap=True)
    size, load = Size(entries, accounts), Load(connections, seconds, rounds)
    try:
        with _own_folder(folder) as own:
            size.check_disk(own)
            measured = _run(own, size, load, port, console, check_ledger=check_ledger)
    except _EXPECTED_ERRORS as error:
        Console(stderr=True).print(f"[red]bench-growth: {error}[/red]", soft_wrap=True)
        raise typer.Exit(2) from error
    print_report(size, measured, console)
    _RESULT.parent.mkdir(parents=True, exist_ok=True)
    _RESULT.write_text(json.dumps(as_json(size, load, measured), indent=2) + "\n")
    console.print(f"kept in {_RESULT}")
    missed = enforce and ratio(measured) < GOAL
    raise typer.Exit(1 if measured.faults or missed else 0)


@contextmanager
def _own_folder(parent: Path | None) -> Iterator[Path]:
    own = Path(tempfile.mkdtemp(prefix="fbg", dir=parent))
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _run(
    folder: Path, size: Size, load: Load, port: int, console: Console, *, check_ledger: bool
) -> Measurements:
    sides = [
        _prepare(name, folder, port + PORTS_APART * place, size, console)
        for place, name in enumerate((EMPTY, GROWN))
    ]
    before = {side.name: _count_charges(side) for side in sides}
    measured = measure(sides, load, console.print)
    for side in sides:
        charged = _count_charges(side) - before[side.name]
        answered, unanswered = measured.answers_200[side.name], measured.unanswered[side.name]
        fault = charge_fault(side.name, charged, answered, unanswered)
        measured.faults += [fault] if fault else []
        if check_ledger:
            console.print(f"reconciling the {side.name} ledger")
            measured.faults += _check_ledger(side)
    return measured


def _prepare(name: str, folder: Path, first_port: int, size: Size, console: Console) -> Side:
    """Make the side's ledger and its accounts' keys."""
    home = Home(folder / name)
    home.create()
    with embedded_postgres(home.postgres) as server:
        asyncio.run(migrate(server.url))
        if name == GROWN:
            asyncio.run(_grow(server.url, size, console))
        keys = asyncio.run(make_keys(home, server.url, size.accounts))
    return Side(name, home, first_port, keys)


async def _grow(url: str, size: Size, console: Console) -> None:
    owner = await asyncpg.connect(url)
    try:
        await generate(owner, size, datetime.now(UTC), console.print)
    finally:
        await owner.close()


def _count_charges(side: Side) -> int:
    with embedded_postgres(side.home.postgres) as server:
        return asyncio.run(count_charges(server.url))


def _check_ledger(side: Side) -> list[str]:
    with embedded_postgres(side.home.postgres) as server:
        return asyncio.run(ledger_faults(side.name, billing_settings(side.home, server.url)))


if __name__ == "__main__":
    typer.run(main)
