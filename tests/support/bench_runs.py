"""Runs for tests of what is made of runs."""

from __future__ import annotations

from array import array

from loadtest.bench.run import Run


def make_run(
    speed: float,
    *,
    statuses: dict[int, list[float]] | None = None,
    cpu_seconds: dict[str, float] | None = None,
    rate: float | None = None,
    sent_per_second: float | None = None,
    lag_ms: float = 0.0,
    wrong: int = 0,
    milliseconds: float = 1.0,
) -> Run:
    """Ten seconds at `speed` right answers a second; `statuses` are latencies by status."""
    found = statuses or {200: [milliseconds] * round(speed * 10)}
    sent = round((sent_per_second or speed) * 10)
    return Run(
        seconds=10,
        connections=8,
        rate=rate,
        sent=sent,
        sent_in_time=sent,
        in_time_200=len(found.get(200, [])),
        milliseconds={status: array("f", values) for status, values in found.items()},
        lag_milliseconds=array("f", [lag_ms] if rate is not None else []),
        wrong=wrong,
        wrong_samples=["sample"] if wrong else [],
        cpu_seconds=cpu_seconds or {},
    )
