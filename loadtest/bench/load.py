"""A load on one server, and running it: what every benchmark and sweep calls."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from loadtest.bench.generator.order import Order, write_order
from loadtest.bench.run import Run, parse_run
from loadtest.inputs import Row
from loadtest.processes import ending
from loadtest.target import Target

ANSWER_SECONDS = 15
"""Longer than any server here lets a request wait before it refuses it."""
GRACE_SECONDS = 30
SEED = 241
FLOAT64 = "application/octet-stream"
JSON = "application/json"


class GeneratorFailed(Exception):
    """The load generator gave no result."""


@dataclass(frozen=True, slots=True)
class Body:
    """One request's body, and the probabilities that a right answer to it says, row by row."""

    content: bytes
    expected: tuple[float, ...] = ()
    """Empty where they are not known: any probability between 0 and 1 is then right."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What to send to one target, in how many connections, for how long, at what rate."""

    target: Target
    bodies: tuple[Body, ...]
    connections: int
    seconds: float
    rate: float | None = None
    """Requests a second of an open loop; None sends each when the one before is answered."""
    waits: bool = True
    """Whether a request of an open loop that finds no free connection waits for one."""
    content_type: str = JSON
    accept: str = ""
    """`application/octet-stream` asks for, and then expects, float64 in place of JSON."""

    @property
    def headers(self) -> list[str]:
        """Header lines beside those of the connection and of the account."""
        accept = [f"Accept: {self.accept}"] if self.accept else []
        return [f"Content-Type: {self.content_type}", *accept]


def make_bodies(
    target: Target, rows: Sequence[Row], expected: Sequence[float] = ()
) -> tuple[Body, ...]:
    """One dense row a body; `expected` has the right probability of each row."""
    if not expected:
        return tuple(Body(target.encode(row)) for row in rows)
    pairs = zip(rows, expected, strict=True)
    return tuple(Body(target.encode(row), (probability,)) for row, probability in pairs)


def run_load(plan: LoadPlan) -> Run:
    """Carry `plan` out in a process of its own; returns when each request is answered or given up.

    Raises GeneratorFailed where that process gives no result.
    """
    with tempfile.TemporaryDirectory(prefix="farebox-bench-") as folder:
        order, result = Path(folder) / "order", Path(folder) / "result"
        write_order(order, make_order(plan), [body.content for body in plan.bodies])
        _run_generator(order, result, plan.seconds)
        return parse_run(result.read_text(), plan.seconds, plan.connections, plan.rate)


def make_order(plan: LoadPlan) -> Order:
    """What the generator's process is told, without the bodies."""
    parts = urlsplit(plan.target.base_url)
    assert parts.hostname
    assert parts.port
    return Order(
        host=parts.hostname,
        port=parts.port,
        path=plan.target.path,
        headers=plan.headers,
        keys=list(plan.target.keys),
        marker="" if plan.accept == FLOAT64 else plan.target.marker.decode(),
        expected=[list(body.expected) for body in plan.bodies],
        connections=plan.connections,
        seconds=plan.seconds,
        rate=plan.rate,
        waits=plan.waits,
        seed=SEED,
        timeout_seconds=ANSWER_SECONDS,
    )


def _run_generator(order: Path, result: Path, seconds: float) -> None:
    command = [sys.executable, "-m", "loadtest.bench.generator", str(order), str(result)]
    limit_seconds = seconds + ANSWER_SECONDS + GRACE_SECONDS
    with subprocess.Popen(command) as process, ending(process):
        try:
            process.wait(limit_seconds)
        except subprocess.TimeoutExpired:
            raise GeneratorFailed(f"the generator ran for more than {limit_seconds} s") from None
    if process.returncode or not result.exists():
        raise GeneratorFailed(f"the generator ended with {process.returncode}")
