"""How the offered load goes over time: pure numbers, which Locust's shape reads.

Users of ordinary traffic begin one request a second each, so their number is the offered rate: 150
users offer 150 requests/s. A user that waits for an answer longer than that begins fewer, which is
the difference between what was offered and what was achieved.
"""

from __future__ import annotations

from dataclasses import dataclass

REQUESTS_PER_USER_SECOND = 1.0
"""Slow enough that a user is hardly ever still waiting when its next request is due."""
BULK_PER_USER_SECOND = 5.0
"""More than a server beside its generator can do, so that the scorer is never out of work, from so
few users that all of them together fit into the queue of a single validator."""
SPAWN_PER_SECOND = 100.0
"""Locust warns above it; the steps of a spike come within three seconds on two cores."""

TRAFFIC = ("SingleRowCustomer", "BatchCustomer", "RetryingCustomer", "CarelessCustomer", "Reader")
"""Users of ordinary traffic, by the names of their classes in `users.py`."""
POOL_FILLERS = ("KeyedCustomer", "BulkCustomer")
"""Users that make both pools grow: many single rows at once, and bulk."""
SINGLE_WEIGHT, BULK_WEIGHT = 10, 1


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a run: the rate goes evenly from one share of the shape's height to another."""

    time_share: float
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Shape:
    """Stages whose time shares make one, the users that take part, and how long it lasts."""

    name: str
    seconds: int
    stages: tuple[Stage, ...]
    users: tuple[str, ...] = TRAFFIC
    per_user_second: float = REQUESTS_PER_USER_SECOND
    """Requests that a user begins, on average over all users."""

    def height_at(self, elapsed_share: float) -> float | None:
        """Share of the shape's height at a share of its time; None when it is over."""
        begin = 0.0
        for stage in self.stages:
            end = begin + stage.time_share
            if elapsed_share < end:
                done = (elapsed_share - begin) / stage.time_share
                return stage.begin + (stage.end - stage.begin) * done
            begin = end
        return None

    def users_at(self, elapsed_seconds: float, seconds: float, height: float) -> int | None:
        """How many users, where `height` is the offered rate at the top; None when it is over."""
        share = self.height_at(elapsed_seconds / seconds)
        return None if share is None else max(1, round(share * height / self.per_user_second))


def steps(count: int) -> tuple[Stage, ...]:
    """As many even steps up to the full height, each long enough to see what it does."""
    return tuple(Stage(1 / count, n / count, n / count) for n in range(1, count + 1))


STEADY = Shape("steady", 60, (Stage(0.1, 0, 1), Stage(0.9, 1, 1)))
RAMP = Shape("ramp", 100, steps(10))
SPIKE = Shape("spike", 75, (Stage(0.4, 0.2, 0.2), Stage(0.2, 1, 1), Stage(0.4, 0.2, 0.2)))
SOAK = Shape("soak", 1800, (Stage(0.01, 0, 1), Stage(0.99, 1, 1)))
AUTOSCALE = Shape(
    "autoscale",
    300,
    # Low long enough to be seen, high long enough for a replica to start and for a redeploy, and
    # low again for longer than the pools wait before they shrink.
    (Stage(0.1, 0.1, 0.1), Stage(0.02, 0.1, 1), Stage(0.43, 1, 1), Stage(0.45, 0.1, 0.1)),
    POOL_FILLERS,
    (SINGLE_WEIGHT * REQUESTS_PER_USER_SECOND + BULK_WEIGHT * BULK_PER_USER_SECOND)
    / (SINGLE_WEIGHT + BULK_WEIGHT),
)
REDEPLOY_TIME_SHARE = 0.35
"""The middle of the high phase of AUTOSCALE."""

SHAPES = {shape.name: shape for shape in (STEADY, RAMP, SPIKE, SOAK, AUTOSCALE)}
