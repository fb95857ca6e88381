"""Locust users that score applications in every format, in batches and with retries.

Run by `python -m loadtest.load`, which sets FAREBOX_LOAD_KEYS (a file with one API key a line) and
FAREBOX_LOAD_TALLY (where the sum of what was charged is written at the end).
"""

from __future__ import annotations

import itertools
import os
import random
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from locust import FastHttpUser, between, events, task
from locust.contrib.fasthttp import ResponseContextManager
from locust.env import Environment

from loadtest.answers import answer_fault, replay_fault
from loadtest.inputs import Instance, as_names, as_object, make_instance, make_row
from loadtest.tally import Tally

MODEL = "android-malware"
ROUTE = "/v1/predictions"
BATCH_MAX = 20

tally = Tally()
features: list[str] = []
keys: list[str] = []
next_user = itertools.count()


def prepare(environment: Environment, **_: object) -> None:
    """Read the keys, and the names of the model's features from the server."""
    keys[:] = Path(os.environ["FAREBOX_LOAD_KEYS"]).read_text().split()
    headers = {"Authorization": f"Bearer {keys[0]}"}
    answer = httpx.get(f"{environment.host}/v1/models", headers=headers, timeout=10)
    models = answer.raise_for_status().json()["models"]
    features[:] = next(model["features"] for model in models if model["name"] == MODEL)


def write_tally(environment: Environment, **_: object) -> None:
    """Keep what was measured and charged, after the last user stopped."""
    total = environment.stats.total
    tally.requests, tally.failures = total.num_requests, total.num_failures
    tally.requests_per_second = total.total_rps
    tally.p95_ms = float(total.get_response_time_percentile(0.95))
    tally.p99_ms = float(total.get_response_time_percentile(0.99))
    tally.write(Path(os.environ["FAREBOX_LOAD_TALLY"]))


class Customer(FastHttpUser):
    """Scores applications and pays for them."""

    wait_time = between(0.01, 0.05)
    network_timeout = 10.0
    connection_timeout = 10.0

    def on_start(self) -> None:
        """Take the next key in turn."""
        number = next(next_user)
        self.source = random.Random(number)
        self.authorization = f"Bearer {keys[number % len(keys)]}"

    @task(4)
    def score_names(self) -> None:
        """One application by the names of its features."""
        self.score("names", [as_names(make_row(self.source, len(features)), features)])

    @task(2)
    def score_object(self) -> None:
        """One application as an object."""
        self.score("object", [as_object(make_row(self.source, len(features)), features)])

    @task(4)
    def score_dense(self) -> None:
        """One application as zeros and ones."""
        self.score("dense", [make_row(self.source, len(features))])

    @task(1)
    def score_batch(self) -> None:
        """Several applications at once, in mixed formats."""
        count = self.source.randint(2, BATCH_MAX)
        self.score("batch", [make_instance(self.source, features) for _ in range(count)])

    @task(1)
    def retry(self) -> None:
        """The same request twice with one key: the second must replay the first, free of charge."""
        instances: list[Instance] = [make_row(self.source, len(features))]
        key = str(uuid.uuid4())
        first = self.score("keyed", instances, key)
        if first is not None:
            self.score("replay", instances, key, earlier=first)

    def score(
        self,
        name: str,
        instances: list[Instance],
        key: str | None = None,
        *,
        earlier: dict[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """Send one request and check its answer; None where it is not the right one."""
        headers = {"Authorization": self.authorization}
        if key is not None:
            headers["Idempotency-Key"] = key
        body = {"model": MODEL, "instances": instances}
        with self.client.post(
            ROUTE, json=body, headers=headers, name=name, catch_response=True
        ) as answer:
            if answer.status_code != 200:
                if answer.status_code in (0, 500, 502, 503, 504) and earlier is None:
                    tally.unknown += len(instances)
                answer.failure(f"status {answer.status_code}: {(answer.text or '')[:200]}")
                return None
            return _accept(answer, len(instances), earlier)


def _accept(
    answer: ResponseContextManager, instances: int, earlier: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Count a 200 and check it."""
    said: dict[str, Any] = answer.json()
    headers = answer.headers
    replayed = str(headers.get("Idempotency-Replayed", "")) if headers else ""
    if replayed == "true":
        tally.replays += 1
    else:
        tally.answers_200 += 1
        tally.charged += Decimal(said.get("credits_charged", "0"))
    fault = answer_fault(said, instances)
    if fault is None and earlier is not None:
        fault = replay_fault(earlier, said, replayed)
    if fault is not None:
        tally.wrong.append(fault)
        answer.failure(fault)  # type: ignore[no-untyped-call]
        return None
    return said


events.test_start.add_listener(prepare)  # type: ignore[no-untyped-call]
events.quitting.add_listener(write_tally)  # type: ignore[no-untyped-call]
