"""What one run of the load generator measured."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtest.bench.generator.record import unpack
from loadtest.bench.percentiles import percentile

OK, TOO_MANY_REQUESTS = 200, 429


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of the answers of one status."""

    answers: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class Run:
    """Counts and latencies. Latencies of an open loop count from the intended start."""

    seconds: float
    """For so long requests were sent; the answers to the last of them came later."""
    connections: int
    rate: float | None
    """Requests a second that were meant to be sent; None is a closed loop."""
    sent: int
    sent_in_time: int
    in_time_200: int
    milliseconds: dict[int, array[float]]
    lag_milliseconds: array[float] = field(default_factory=lambda: array("f"))
    """How late the generator itself came to each request of an open loop."""
    wrong: int = 0
    wrong_samples: list[str] = field(default_factory=list)
    refused_without_retry_after: int = 0
    socket_errors: int = 0
    timeouts: int = 0
    reconnects: int = 0
    unsent: int = 0
    """Requests of an open loop that never found a free connection."""
    generator_cpu_seconds: float = 0.0
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    """CPU seconds by group of processes, where somebody sampled them."""

    @property
    def statuses(self) -> dict[int, int]:
        """Answers by status."""
        return {status: len(values) for status, values in sorted(self.milliseconds.items())}

    @property
    def other_statuses(self) -> dict[int, int]:
        """Answers by status, without 200."""
        return {status: count for status, count in self.statuses.items() if status != OK}

    @property
    def answers(self) -> int:
        """Answers of any status."""
        return sum(self.statuses.values())

    @property
    def answers_200(self) -> int:
        """Answers that were charged."""
        return self.statuses.get(OK, 0)

    @property
    def unanswered(self) -> int:
        """Requests sent whose outcome the generator never saw."""
        return max(0, self.sent - self.answers)

    @property
    def requests_per_second(self) -> float:
        """Right answers of status 200 a second, while requests were being sent."""
        return max(0, self.in_time_200 - self.wrong) / self.seconds

    @property
    def offered_per_second(self) -> float:
        """Requests that really left, a second."""
        return self.sent_in_time / self.seconds

    @property
    def generator_us_per_request(self) -> float:
        """Microseconds of the generator's CPU for each request."""
        return self.generator_cpu_seconds / self.sent * 1e6 if self.sent else 0.0

    def latency(self, status: int = OK) -> Latency:
        """Percentiles of one status; zeros where there was no such answer."""
        values = self.milliseconds.get(status) or array("f", [0.0])
        return Latency(
            len(self.milliseconds.get(status, ())),
            *(percentile(values, percent) for percent in (50, 95, 99, 100)),
        )

    def share_within(self, status: int, milliseconds: float) -> float:
        """The share of one status's answers that came within `milliseconds`; 1 for none."""
        values: Sequence[float] = self.milliseconds.get(status, ())
        return sum(value <= milliseconds for value in values) / len(values) if values else 1.0

    def as_json(self) -> dict[str, Any]:
        """Plain values for a report: percentiles in place of every latency."""
        plain = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in {"milliseconds", "lag_milliseconds"}
        }
        plain["requests_per_second"] = self.requests_per_second
        plain["offered_per_second"] = self.offered_per_second
        plain["lag_p99_ms"] = self.lag_p99_ms
        plain["latency"] = {
            str(status): {name: getattr(found, name) for name in Latency.__dataclass_fields__}
            for status in self.statuses
            for found in (self.latency(status),)
        }
        return plain

    @property
    def lag_p99_ms(self) -> float:
        """The generator's own lateness; 0 for a closed loop."""
        return percentile(self.lag_milliseconds, 99) if self.lag_milliseconds else 0.0


def parse_run(line: str, seconds: float, connections: int, rate: float | None) -> Run:
    """The line that the generator prints, as a run."""
    said: dict[str, Any] = json.loads(line)
    said.pop("seconds")
    return Run(
        seconds=seconds,
        connections=connections,
        rate=rate,
        milliseconds={
            int(status): unpack(text) for status, text in said.pop("milliseconds").items()
        },
        lag_milliseconds=unpack(said.pop("lag_milliseconds")),
        generator_cpu_seconds=said.pop("cpu_seconds"),
        **said,
    )
