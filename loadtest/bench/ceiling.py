"""How much the generator itself can do: a run that came near says nothing of the server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from loadtest.bench.load import FLOAT64, Body, LoadPlan, run_load
from loadtest.bench.run import Run
from loadtest.processes import ending

SHARE_MAX = 0.6
"""At 60 % of what it can do, a request waits for the generator three quarters of the time that one
takes it (about 20 us); from there on that wait grows without bound (half of rho / (1 - rho))."""
LAG_MS_MAX = 15.0
"""An open loop that itself is later than that at p99 is no clock to count latencies from."""
SECONDS = 2.0
PROBABILITY = 0.5


class GeneratorLimited(Exception):
    """A run measured the generator, not the server."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Requests a second of the generator against a server that does nothing."""

    requests_per_second: float
    generator_us_per_request: float
    connections: int
    request_bytes: int
    answer_bytes: int

    @property
    def allowed_per_second(self) -> float:
        """A run up to here is reported."""
        return SHARE_MAX * self.requests_per_second


class Ceilings:
    """Ceilings by what sets them: connections, and bytes sent and received; each measured once."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._known: dict[tuple[object, ...], Ceiling] = {}

    @property
    def measured(self) -> list[Ceiling]:
        """All that were measured, in order."""
        return list(self._known.values())

    def of(self, plan: LoadPlan, answer_bytes: int) -> Ceiling:
        """The ceiling for loads like `plan`, answered with `answer_bytes`; measured if new."""
        # Answers of one target differ by digits: by 64 bytes they are alike.
        shape = (
            plan.connections,
            sum(len(body.content) for body in plan.bodies) // len(plan.bodies) // 64,
            answer_bytes // 64,
            plan.accept,
        )
        if shape not in self._known:
            self._known[shape] = measure_ceiling(plan, answer_bytes, self._seconds)
        return self._known[shape]


def measure_ceiling(plan: LoadPlan, answer_bytes: int, seconds: float) -> Ceiling:
    """Run `plan`'s requests in a closed loop against the null server."""
    rows = max(len(plan.bodies[0].expected), 1)
    answer = null_answer(rows, answer_bytes, float64=plan.accept == FLOAT64)
    with null_server(answer) as base_url:
        target = replace(plan.target, base_url=base_url, marker=b'"probability":')
        bodies = tuple(Body(body.content, (PROBABILITY,) * rows) for body in plan.bodies)
        run = run_load(replace(plan, target=target, bodies=bodies, seconds=seconds, rate=None))
    if run.wrong or run.socket_errors or not run.answers_200:
        raise GeneratorLimited(f"the generator failed against a server that does nothing: {run}")
    return Ceiling(
        run.requests_per_second,
        run.generator_us_per_request,
        plan.connections,
        len(plan.bodies[0].content),
        len(answer),
    )


def null_answer(rows: int, answer_bytes: int, *, float64: bool) -> bytes:
    """A body that is checked like a real one: as many probabilities, about as many bytes."""
    if float64:
        return b"\x00\x00\x00\x00\x00\x00\xe0\x3f" * rows
    shortest = b",".join([b'{"probability":0.5}'] * rows)
    each = max(0, (answer_bytes - len(shortest)) // rows)
    one = b'{"probability":0.5%s}' % (b' ,"label":"%s"' % (b"x" * max(0, each - 11)))
    return b"[" + b",".join([one] * rows) + b"]"


@contextmanager
def null_server(answer: bytes) -> Iterator[str]:
    """The null server in a process of its own; yields its address."""
    command = [sys.executable, "-m", "loadtest.bench.null_server"]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
        ending(process),
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(answer)
        process.stdin.close()
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"


def refuse_limited(run: Run, ceiling: Ceiling, lag_ms_max: float = LAG_MS_MAX) -> None:
    """Raise GeneratorLimited where the generator was, or may have been, what limited `run`."""
    if run.offered_per_second > ceiling.allowed_per_second:
        raise GeneratorLimited(
            f"the generator may be the limit: {run.offered_per_second:,.0f} requests/s are more "
            f"than {SHARE_MAX:.0%} of the {ceiling.requests_per_second:,.0f} that it reaches with "
            f"{run.connections} connections against a server that does nothing"
        )
    if run.lag_p99_ms > lag_ms_max:
        raise GeneratorLimited(
            f"the generator was late by itself: {run.lag_p99_ms:.1f} ms at p99, "
            f"{lag_ms_max:g} ms are allowed; the machine may be busy with something else"
        )
