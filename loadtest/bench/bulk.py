"""Bulk: 1,024 rows a request in each format, beside `Booster.predict` in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from loadtest.bench.goals import Goal
from loadtest.bench.load import FLOAT64, JSON, Body, LoadPlan
from loadtest.bench.oracle import make_rows
from loadtest.bench.probe import ProbeRefused
from loadtest.bench.product import MODEL_NAME, encode_instances
from loadtest.bench.run import Run
from loadtest.bench.sizes import Sizes
from loadtest.bench.stage import Stage
from loadtest.inputs import Row, as_names

ROWS = 1024
"""Of a request: the most that the server takes in one."""
BODIES = 4
ACCOUNTS = 4
SEED = 1024
BITS = "application/octet-stream; layout=bits"
BINARY_MIN = 0.8
SETTLE_SECONDS = 2
OVERHEAD_SECONDS = 2

Encode = Callable[[Sequence[Row], Sequence[str]], bytes]


@dataclass(frozen=True, slots=True)
class Format:
    """One way to send many rows and to get their probabilities."""

    name: str
    content_type: str
    accept: str
    encode: Encode
    path_suffix: str = ""

    @property
    def is_binary(self) -> bool:
        """The rows are packed: the goal is set for these."""
        return self.content_type != JSON


@dataclass(frozen=True, slots=True)
class BulkRun:
    """Rows a second in one format; `refused` says why there is no run."""

    format_name: str
    is_binary: bool
    request_bytes: int
    run: Run | None
    refused: str = ""

    @property
    def rows_per_second(self) -> float:
        """Rows of right answers a second."""
        return self.run.requests_per_second * ROWS if self.run else 0.0


@dataclass(frozen=True, slots=True)
class BulkResult:
    """All formats beside the model alone."""

    in_process_rows_per_second: float
    runs: list[BulkRun]

    def ratio(self, run: BulkRun) -> float:
        """Billed rows/s over HTTP, over rows/s of the model alone on one thread."""
        return run.rows_per_second / self.in_process_rows_per_second

    @property
    def goals(self) -> list[Goal]:
        """One for each packed format that the server takes."""
        return [
            Goal(f"bulk, {run.format_name}, over one thread", self.ratio(run), BINARY_MIN)
            for run in self.runs
            if run.is_binary
        ]


def encode_names(rows: Sequence[Row], features: Sequence[str]) -> bytes:
    """JSON with the names of the features that are present."""
    return encode_instances([as_names(row, features) for row in rows])


def encode_dense(rows: Sequence[Row], features: Sequence[str]) -> bytes:
    """JSON with every zero and one."""
    assert len(rows[0]) == len(features)
    return encode_instances(rows)


def encode_bits(rows: Sequence[Row], features: Sequence[str]) -> bytes:
    """One bit a feature, most significant first, each row padded to whole bytes."""
    assert len(rows[0]) == len(features)
    return np.packbits(np.asarray(rows, dtype=np.uint8), axis=1).tobytes()


FORMATS = (
    Format("JSON names", JSON, "", encode_names),
    Format("JSON dense", JSON, "", encode_dense),
    Format("packed bits, JSON answer", BITS, "", encode_bits, f"?model={MODEL_NAME}"),
    Format("packed bits, float64 answer", BITS, FLOAT64, encode_bits, f"?model={MODEL_NAME}"),
)


def planned_seconds(sizes: Sizes) -> float:
    """About how long `measure_bulk` takes."""
    each = sizes.bulk_seconds + sizes.ceiling_seconds + OVERHEAD_SECONDS
    return len(FORMATS) * each + sizes.bulk_seconds + SETTLE_SECONDS


def measure_bulk(stage: Stage) -> BulkResult:
    """The model alone while nothing else runs, then each format."""
    rows = make_rows(ROWS * BODIES, SEED)
    time.sleep(SETTLE_SECONDS)
    alone = stage.oracle.rows_per_second(
        np.asarray(rows, dtype=np.uint8), ROWS, stage.sizes.bulk_seconds
    )
    stage.progress.say(f"the model alone, one thread: {alone:,.0f} rows/s")
    probabilities = stage.oracle.score(rows)
    return BulkResult(alone, [_measure(stage, each, rows, probabilities) for each in FORMATS])


def _measure(
    stage: Stage, form: Format, rows: Sequence[Row], probabilities: Sequence[float]
) -> BulkRun:
    plan = _plan(stage, form, rows, probabilities)
    size = len(plan.bodies[0].content)
    try:
        run = stage.measure(stage.product, plan, f"{ROWS} rows a request, {form.name}")
    except ProbeRefused as error:
        stage.faults.append(f"bulk, {form.name}: {error}")
        stage.progress.say(f"bulk, {form.name}: {error}")
        return BulkRun(form.name, form.is_binary, size, None, str(error))
    return BulkRun(form.name, form.is_binary, size, run)


def _plan(
    stage: Stage, form: Format, rows: Sequence[Row], probabilities: Sequence[float]
) -> LoadPlan:
    target = stage.product.with_accounts(ACCOUNTS)
    bodies = tuple(
        Body(
            form.encode(rows[at : at + ROWS], stage.oracle.features),
            tuple(probabilities[at : at + ROWS]),
        )
        for at in range(0, len(rows), ROWS)
    )
    return LoadPlan(
        replace(target, path=target.path + form.path_suffix),
        bodies,
        stage.sizes.bulk_connections,
        stage.sizes.bulk_seconds,
        content_type=form.content_type,
        accept=form.accept,
    )
