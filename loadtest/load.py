"""`python -m loadtest.load`: loads the running product with Locust; checks targets and money."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from loadtest.commands import CommandFailed, reconcile_problem
from loadtest.keys import ensure_keys
from loadtest.money import Money, settle, sum_balances
from loadtest.processes import ending
from loadtest.product import STATE_FOLDER, NoProduct, find_product
from loadtest.tally import Tally, read_tally
from loadtest.targets import missed, read_targets

ACCOUNTS = 10
CREDITS_EACH = 1_000_000
DRAIN_SECONDS = 15
START_SECONDS = 60
HERE = Path(__file__).parent
RESULTS = HERE / "results"
EXPECTED_ERRORS = (NoProduct, CommandFailed, ValueError, httpx.HTTPError, OSError)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Files:
    """What one run reads and writes, all under one prefix."""

    prefix: Path

    def named(self, ending: str) -> Path:
        """The file of this run with such an ending."""
        return self.prefix.with_name(self.prefix.name + ending)


def main(
    *,
    users: Annotated[int, typer.Option(min=1, max=1000)] = 24,
    seconds: Annotated[int, typer.Option(min=5, max=3600)] = 30,
    targets: Annotated[Path, typer.Option(exists=True)] = HERE / "targets.toml",
) -> None:
    """Load the running product; fail where a target is missed or the money is wrong."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console()
    try:
        misses = load(users, seconds, targets, lambda text: console.print(text, soft_wrap=True))
    except EXPECTED_ERRORS as error:
        Console(stderr=True).print(f"[red]load: {error}[/red]", soft_wrap=True)
        raise typer.Exit(2) from error
    for miss in misses:
        console.print(f"[red]MISSED[/red] {miss}", soft_wrap=True)
    if misses:
        raise typer.Exit(1)
    console.print("all targets held; the money agrees")


def load(users: int, seconds: int, targets: Path, say: Say) -> list[str]:
    """Run Locust on accounts of our own; returns each target that was missed."""
    product = find_product()
    say(f"product at {product.base_url}: making {ACCOUNTS} accounts with keys where needed")
    keys = ensure_keys(product.base_url, STATE_FOLDER / "load-keys.json", ACCOUNTS, CREDITS_EACH)
    before = sum_balances(product.base_url, keys)
    RESULTS.mkdir(parents=True, exist_ok=True)
    files = Files(RESULTS / f"load-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    run_locust(product.base_url, keys, files, users, seconds)
    tally = read_tally(files.named(".tally.json"))
    say(describe(tally))
    say(f"kept in {files.named('.html')} and beside it")
    money = settle(
        before, tally.charged, tally.unknown, lambda: sum_balances(product.base_url, keys)
    )
    say(f"{tally.answers_200:,} answers charged, {tally.replays:,} replayed free; {money}")
    return missed(read_targets(targets), tally) + money_misses(tally, money)


def run_locust(base_url: str, keys: list[str], files: Files, users: int, seconds: int) -> None:
    """Locust in a process of its own: what it patches must not meet other libraries."""
    key_file = files.named(".keys")
    key_file.touch(mode=0o600)
    key_file.write_text("\n".join(keys) + "\n")
    environment = {
        **os.environ,
        "FAREBOX_LOAD_KEYS": str(key_file),
        "FAREBOX_LOAD_TALLY": str(files.named(".tally.json")),
    }
    command = locust_command(base_url, files.prefix, users, seconds)
    try:
        with subprocess.Popen(command, env=environment, text=True) as process, ending(process):
            process.wait(START_SECONDS + seconds + DRAIN_SECONDS)
    finally:
        key_file.unlink()


def locust_command(base_url: str, prefix: Path, users: int, seconds: int) -> list[str]:
    """Headless, for a bounded time; users finish the request they are at before they stop."""
    return [
        *(sys.executable, "-m", "locust", "--headless", "--only-summary"),
        *("--locustfile", str(HERE / "locustfile.py"), "--host", base_url),
        *("--users", str(users), "--spawn-rate", str(users), "--run-time", f"{seconds}s"),
        *("--stop-timeout", str(DRAIN_SECONDS), "--exit-code-on-error", "0"),
        *("--csv", str(prefix), "--html", f"{prefix}.html"),
    ]


def money_misses(tally: Tally, money: Money) -> list[str]:
    """Compare the answers with the balances, and have the product check its own ledger."""
    misses = [] if money.agrees else [f"money: {money}"]
    if not tally.replays:
        misses.append("money: no retry was replayed")
    problem = reconcile_problem()
    return [*misses, f"ledger: {problem}"] if problem else misses


def describe(tally: Tally) -> str:
    """One line for people."""
    return (
        f"{tally.requests:,} requests, {tally.requests_per_second:,.0f}/s, "
        f"p95 {tally.p95_ms:.0f} ms, p99 {tally.p99_ms:.0f} ms, {tally.failures} failed"
    )


if __name__ == "__main__":
    typer.run(main)
