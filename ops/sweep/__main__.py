"""`python -m ops.sweep`: sweeps the knobs of the running product and restores its config."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console

from billing.accounts import create_key
from billing.credits import Credits
from billing.database import Database
from billing.errors import BillingError
from billing.settings import BillingSettings
from farebox.errors import FareboxError
from farebox.home import Home
from farebox.running import RunningProduct, is_running
from farebox.store import billing_settings
from loadtest.bench.load import GeneratorFailed
from loadtest.commands import CommandFailed
from loadtest.keys import ensure_keys
from ops.closed_loop import Loop, run_closed_loop
from ops.sweep.chart import draw
from ops.sweep.knobs import KNOBS, Config, Knob
from ops.sweep.measuring import Point, Sweep
from ops.sweep.serve_config import NotApplied, RunningConfig, restoring

_RESULT = Path("loadtest/results/sweep.json")
_CHART = Path("loadtest/results/sweep.png")
_ACCOUNTS = 50
_CREDITS_EACH = 1_000_000
_SETTLE_SECONDS = 2
_EXPECTED_ERRORS = (
    BillingError,
    CommandFailed,
    FareboxError,
    GeneratorFailed,
    NotApplied,
    httpx.HTTPError,
)


@dataclass(frozen=True, slots=True)
class _Load:
    """What each value is measured with."""

    connections: Sequence[int]
    seconds: int
    rounds: int


def main(
    *,
    knob: Annotated[
        list[str] | None, typer.Option(help="such as FeatureValidator.slots; all by default")
    ] = None,
    connections: Annotated[list[int] | None, typer.Option(help="64 and 256 by default")] = None,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="of each measurement")] = 4,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="each value so often")] = 3,
    chart: Annotated[Path, typer.Option(help="where the picture goes")] = _CHART,
) -> None:
    """Turn one knob at a time, the base measured in between; put everything back at the end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(highlight=False, soft_wrap=True)
    try:
        load = _Load(connections or [64, 256], seconds, rounds)
        points = _sweep(_chosen(knob or []), load, console)
    except _EXPECTED_ERRORS as error:
        Console(stderr=True).print(f"[red]sweep: {error}[/red]", soft_wrap=True)
        raise typer.Exit(2) from error
    _keep(points, load)
    draw(points, chart)
    console.print(f"kept in {_RESULT}, drawn in {chart}")
    faults = [fault for point in points for fault in point.loop.faults]
    for fault in faults:
        console.print(f"[bold red]FAULT[/] {fault}")
    raise typer.Exit(1 if faults else 0)


def _chosen(names: Sequence[str]) -> list[Knob]:
    known = {f"{knob.deployment}.{knob.name}": knob for knob in KNOBS}
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"{name} is none of {', '.join(known)}")
    return [knob for name, knob in known.items() if name in names or not names]


def _sweep(knobs: Sequence[Knob], load: _Load, console: Console) -> list[Point]:
    home = Home.from_environment()
    product = _find_product(home)
    console.print(f"product at {product.base_url}: making {_ACCOUNTS} accounts where needed")
    keys = ensure_keys(
        product.base_url,
        home.root / "sweep-keys.json",
        _ACCOUNTS,
        _CREDITS_EACH,
        create=lambda name, credits_each: asyncio.run(
            _create_key(billing_settings(home, product.database_url), name, credits_each)
        ),
    )

    def run(count: int) -> Loop:
        run_closed_loop(product.base_url, keys, count, _SETTLE_SECONDS)
        return run_closed_loop(product.base_url, keys, count, load.seconds)

    running = RunningConfig(product.dashboard_url)
    with _put_back(running) as base:
        say = console.print
        return Sweep(base, running.apply, run, load.connections, say, load.rounds).measure(knobs)


async def _create_key(settings: BillingSettings, name: str, credits_each: int) -> str:
    """Here rather than by the command line, which takes a second or two for each."""
    database = Database(settings)
    try:
        amount = Credits.parse(str(credits_each))
        created = await create_key(database, settings.key_hash_secret, name, amount)
    finally:
        await database.close()
    return created.api_key.reveal()


def _find_product(home: Home) -> RunningProduct:
    product = RunningProduct.read(home)
    if product is None or not is_running(home):
        raise CommandFailed("no product is running in this checkout: start one with `make up`")
    return product


@contextmanager
def _put_back(running: RunningConfig) -> Iterator[Config]:
    """The config of now; at the end it is deployed again, and a second Ctrl-C waits for that."""
    with restoring(running) as base:
        try:
            yield base
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)


def _keep(points: Sequence[Point], load: _Load) -> None:
    _RESULT.parent.mkdir(parents=True, exist_ok=True)
    kept = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": asdict(load),
        "points": [_as_json(point) for point in points],
    }
    _RESULT.write_text(json.dumps(kept, indent=2) + "\n")


def _as_json(point: Point) -> dict[str, Any]:
    return asdict(point) | {"rate_ratio": point.rate_ratio, "p99_ratio": point.p99_ratio}


if __name__ == "__main__":
    typer.run(main)
