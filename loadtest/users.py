"""The kinds of users. Weights are shares of all users, and, as each begins one request a second,
of all requests.

They follow what an API of this kind sees: most calls score the one application that somebody is
about to install; some customers collect a few and send them together; client libraries put a key
on what they may have to retry, and a few percent of all calls are retries; about one call in
twenty is wrong, mostly of people who are just starting; and now and then somebody looks at a
balance or a bill.
"""

from __future__ import annotations

import functools
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from locust import task

from loadtest.bad_input import BadRequest, make_bad_requests
from loadtest.crowd import crowd
from loadtest.customer import ROUTE, Customer, encode
from loadtest.inputs import Instance, as_names, as_object, make_instance, make_row
from loadtest.shapes import BULK_PER_USER_SECOND, BULK_WEIGHT, SINGLE_WEIGHT

BATCH_MAX = 20
BULK_ROWS = 1024
"""The most that a request takes."""
ACCOUNTS = "/accounts/v1"
STORED_FOR = timedelta(hours=23)
"""Answers are kept for 24 hours; younger ones can be read."""


class SingleRowCustomer(Customer):
    """One application a request, without a key: 74 % of all. Names are what people and scripts
    write, dense rows what programs that extract features send, objects are rarer."""

    weight = 74

    @task(4)
    def score_names(self) -> None:
        """By the names of the features that are present."""
        self.score("names", [as_names(self.row(), crowd.features)])

    @task(4)
    def score_dense(self) -> None:
        """As zeros and ones."""
        self.score("dense", [self.row()])

    @task(2)
    def score_object(self) -> None:
        """As an object of names."""
        self.score("object", [as_object(self.row(), crowd.features)])


class BatchCustomer(Customer):
    """Several applications a request, in mixed formats."""

    weight = 8

    @task
    def score_batch(self) -> None:
        """2 to 20 at once."""
        count = self.random.randint(2, BATCH_MAX)
        self.score("batch", [make_instance(self.random, crowd.features) for _ in range(count)])


class RetryingCustomer(Customer):
    """Puts an Idempotency-Key on each request and retries some: the answer was lost on its way, or
    a job ran twice. One retry in five is a mistake: the same key with another body."""

    weight = 8

    def on_start(self) -> None:
        """Nothing to retry yet."""
        super().on_start()
        self.last: tuple[list[Instance], str, dict[str, Any]] | None = None

    @task(5)
    def score_keyed(self) -> None:
        """With a fresh key, and remembered."""
        instances: list[Instance] = [self.row()]
        key = str(uuid.uuid4())
        answer = self.score("keyed", instances, key)
        self.last = (instances, key, answer) if answer is not None else None

    @task(4)
    def replay(self) -> None:
        """The request before again: the same answer, free."""
        if self.last is None:
            self.score_keyed()
        else:
            instances, key, answer = self.last
            self.score("replay", instances, key, earlier=answer)

    @task(1)
    def reuse_key(self) -> None:
        """The key of the request before with another body: refused, and free."""
        if self.last is None:
            self.score_keyed()
            return
        instances, key, _ = self.last
        changed = encode([*instances, self.row()])
        if self.refused("conflict", BadRequest(changed, 422, "idempotency_key_conflict"), key):
            crowd.tally.conflicts += 1


class CarelessCustomer(Customer):
    """Sends nothing but bad input, from an account of its own: nothing may be charged to that."""

    weight = 5

    def choose_key(self) -> str:
        """Of an account that nobody else scores with."""
        return crowd.careless_key_for(self.number)

    @task
    def send_bad_input(self) -> None:
        """One of the ways to get it wrong."""
        if self.refused("bad input", self.random.choice(bad_requests())):
            crowd.tally.refusals += 1


class Reader(Customer):
    """Reads an account's balance, history and use, as a console or a nightly script does."""

    weight = 5

    def on_start(self) -> None:
        """Nothing seen yet."""
        super().on_start()
        self.seen: str | None = None

    @task(4)
    def read_balance(self) -> None:
        """What is left."""
        self.read("account", "/v1/account")

    @task(2)
    def list_predictions(self) -> None:
        """The newest, to pick one from."""
        since = quote((datetime.now(UTC) - STORED_FOR).isoformat())
        page = self.read("predictions", f"{ACCOUNTS}/predictions?limit=20&since={since}")
        items = page["items"] if page else []
        self.seen = self.random.choice(items)["id"] if items else None

    @task(2)
    def read_answer(self) -> None:
        """A stored answer again, from the scoring application."""
        if self.seen is None:
            self.list_predictions()
        else:
            self.read("answer", f"{ROUTE}/{self.seen}")

    @task(1)
    def read_prediction(self) -> None:
        """With what was asked and paid, from the accounts application."""
        if self.seen is None:
            self.list_predictions()
        else:
            self.read("prediction", f"{ACCOUNTS}/predictions/{self.seen}")

    @task(1)
    def list_entries(self) -> None:
        """Movements of credits."""
        self.read("entries", f"{ACCOUNTS}/entries?limit=50")

    @task(1)
    def read_usage(self) -> None:
        """What was used by hours."""
        self.read("usage", f"{ACCOUNTS}/usage?by=hour")


class KeyedCustomer(Customer):
    """Single rows with a key on each, as a client library sends them: for what must not fail while
    replicas come and go."""

    weight = SINGLE_WEIGHT

    @task
    def score_keyed(self) -> None:
        """One application as zeros and ones."""
        self.score("single", [self.row()], str(uuid.uuid4()))


class BulkCustomer(Customer):
    """The largest requests, five a second: what keeps a scorer busy."""

    weight = BULK_WEIGHT
    requests_per_second = BULK_PER_USER_SECOND

    @task
    def score_bulk(self) -> None:
        """1,024 applications; the key makes it another request than the one before."""
        self.send("bulk", bulk_body(), BULK_ROWS, str(uuid.uuid4()))


@functools.cache
def bulk_body() -> bytes:
    """Made once: making it takes longer than scoring it."""
    source = random.Random(0)
    return encode([make_row(source, len(crowd.features)) for _ in range(BULK_ROWS)])


@functools.cache
def bad_requests() -> list[BadRequest]:
    """Made once."""
    return make_bad_requests(crowd.features)
