"""What one run of a load generator measured."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: where, with which keys, how much of it."""

    base_url: str
    keys: list[str]
    bodies: list[str]
    connections: int
    seconds: int

    @property
    def url(self) -> str:
        """The scoring route."""
        return f"{self.base_url}/v1/predictions"


@dataclass(frozen=True, slots=True)
class Run:
    """Counts and latencies of one run. `in_time` are the answers before new requests stopped."""

    seconds: float
    sent: int
    in_time: int
    statuses: dict[int, int]
    p50_ms: float
    p99_ms: float
    wrong: int = 0
    wrong_sample: str = ""
    socket_errors: int = 0
    timeouts: int = 0
    generator: str = "wrk"
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def answers(self) -> int:
        """Answers of any status."""
        return sum(self.statuses.values())

    @property
    def answers_200(self) -> int:
        """Answers that were charged."""
        return self.statuses.get(200, 0)

    @property
    def unanswered(self) -> int:
        """Requests sent whose outcome the generator never saw."""
        return max(0, self.sent - self.answers)

    @property
    def requests_per_second(self) -> float:
        """Successful answers a second, while requests were being sent."""
        share_200 = self.answers_200 / self.answers if self.answers else 0.0
        return self.in_time * share_200 / self.seconds

    @property
    def other_statuses(self) -> dict[int, int]:
        """Answers by status, without 200."""
        return {status: count for status, count in sorted(self.statuses.items()) if status != 200}
