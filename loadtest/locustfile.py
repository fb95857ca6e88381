"""What Locust loads: the users, the one shape, and what passes between master and workers.

`python -m loadtest.load` sets FAREBOX_LOAD_PLAN for the process that leads the run: a file with the
keys, the shape and where the tally goes. Workers need none: the master sends each its share of the
keys before it sends users, and they send back what they counted along with Locust's own reports.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from locust import LoadTestShape, events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from loadtest.crowd import crowd, share_of
from loadtest.plan import PLAN_VARIABLE, LoadPlan, read_plan
from loadtest.shapes import SHAPES, SPAWN_PER_SECOND
from loadtest.tally import Failure, from_plain
from loadtest.users import (
    BatchCustomer,
    BulkCustomer,
    CarelessCustomer,
    KeyedCustomer,
    Reader,
    RetryingCustomer,
    SingleRowCustomer,
)

__all__ = [
    "BatchCustomer",
    "BulkCustomer",
    "CarelessCustomer",
    "KeyedCustomer",
    "PlannedShape",
    "Reader",
    "RetryingCustomer",
    "SingleRowCustomer",
]

KEYS_MESSAGE = "keys"
TALLY = "tally"
QUIET_SECONDS = 5.0
"""After the last user stopped: workers report every three seconds, CSV files are written each."""


def read_own_plan() -> LoadPlan | None:
    """Of the process that leads the run; a worker on another machine has none."""
    path = os.environ.get(PLAN_VARIABLE)
    return read_plan(Path(path)) if path else None


plan = read_own_plan()


class PlannedShape(LoadTestShape):
    """The plan's shape; at its end all users stop, and what they counted comes in, before Locust
    ends: it would not wait for the workers' last reports itself."""

    ended_seconds: float | None = None

    def tick(self) -> tuple[int, float] | None:
        """How many users now, and how fast they come and go."""
        assert plan is not None
        elapsed = time.perf_counter() - self.start_time
        users = SHAPES[plan.shape].users_at(elapsed, plan.seconds, plan.offered_per_second)
        if users is not None:
            return users, SPAWN_PER_SECOND
        if self.ended_seconds is None or self.users_left():
            self.ended_seconds = elapsed
        return (0, SPAWN_PER_SECOND) if elapsed - self.ended_seconds < QUIET_SECONDS else None

    def users_left(self) -> int:
        """In all processes."""
        return self.runner.user_count if self.runner else 0


if plan is None:
    PlannedShape.abstract = True


def listen(environment: Environment, **_: object) -> None:
    """A worker takes its keys from the master."""
    if isinstance(environment.runner, WorkerRunner):
        environment.runner.register_message(KEYS_MESSAGE, take_keys)


def take_keys(environment: Environment, msg: Any, **_: object) -> None:  # noqa: ANN401 - Locust's
    """Join the run with the keys that the master sent, before its message that spawns users."""
    crowd.join(msg.data["keys"], msg.data["host"])


def hand_out_keys(environment: Environment, **_: object) -> None:
    """Before any user starts: to every worker its share, or all to the users of this process."""
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        return
    assert plan is not None
    if not isinstance(runner, MasterRunner):
        crowd.join({"paying": plan.paying, "careless": plan.careless}, plan.base_url)
        return
    workers = [client.id for client in runner.clients.all]
    for index, worker in enumerate(workers):
        keys = {
            "paying": share_of(plan.paying, index, len(workers)),
            "careless": share_of(plan.careless, index, len(workers)),
        }
        runner.send_message(KEYS_MESSAGE, {"keys": keys, "host": plan.base_url}, worker)


def record_failure(name: str, exception: Exception | None, start_time: float, **_: object) -> None:
    """Keep when each failed request was sent: Locust keeps only how many there were."""
    if exception is not None:
        crowd.tally.record_failure(Failure(start_time, name, str(exception)[:300]))


def report_tally(data: dict[str, Any], **_: object) -> None:
    """Give the master what was counted since the last report."""
    data[TALLY] = crowd.tally.drain()


def take_tally(data: dict[str, Any], **_: object) -> None:
    """Add what a worker counted."""
    if TALLY in data:
        crowd.tally.add(from_plain(data[TALLY]))


def note_saturation(**_: object) -> None:
    """This process of the generator used more than nine tenths of a core."""
    crowd.tally.generator_saturated = True


def write_tally(environment: Environment, **_: object) -> None:
    """Keep what was counted, after the last user stopped."""
    if plan is not None and not isinstance(environment.runner, WorkerRunner):
        crowd.tally.write(plan.tally)


events.init.add_listener(listen)  # type: ignore[no-untyped-call]
events.test_start.add_listener(hand_out_keys)  # type: ignore[no-untyped-call]
events.request.add_listener(record_failure)  # type: ignore[no-untyped-call]
events.report_to_master.add_listener(report_tally)  # type: ignore[no-untyped-call]
events.worker_report.add_listener(take_tally)  # type: ignore[no-untyped-call]
events.cpu_warning.add_listener(note_saturation)  # type: ignore[no-untyped-call]
events.quitting.add_listener(write_tally)  # type: ignore[no-untyped-call]
