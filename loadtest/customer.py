"""A Locust user of an account: sends requests, checks the answers, and counts what was charged.

What counts as failed: every answer that is not the right one, and every request without an answer.
geventhttpclient looks whether a kept connection was closed before it uses it again, and opens
another one then: that is no failure and no resend. Once a POST was sent, it never sends it again by
itself, as it may have been carried out. We do what a careful client does: a request with an
Idempotency-Key whose connection ends before any answer is sent again once with the same key, so
that it cannot be charged twice. It is counted as `resent`, shown, and fails if the second fails.
A request without a key is failed at once, and its price is in doubt.
"""

from __future__ import annotations

import json
import random
import time
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from geventhttpclient.response import HTTPConnectionClosed
from locust import FastHttpUser
from locust.contrib.fasthttp import ResponseContextManager

from loadtest.answers import answer_fault, replay_fault
from loadtest.bad_input import BadRequest, Refused, refusal_fault
from loadtest.crowd import MODEL, crowd
from loadtest.failures import describe_status
from loadtest.inputs import Instance, Row, make_row
from loadtest.shapes import REQUESTS_PER_USER_SECOND

ROUTE = "/v1/predictions"
RESENT = "resent"
"""Name under which the first, unanswered half of a request that was sent twice is listed."""
TIMEOUT_SECONDS = 15.0
"""The server answers within its deadline of 10 s, if only by a refusal."""
MAYBE_CHARGED = {0, 500, 502, 503, 504}
CONNECTION_ENDED = (HTTPConnectionClosed, ConnectionResetError, BrokenPipeError)


class Customer(FastHttpUser):
    """Begins requests at an even pace, one a second; every task sends exactly one."""

    abstract = True
    requests_per_second = REQUESTS_PER_USER_SECOND
    network_timeout = TIMEOUT_SECONDS
    connection_timeout = TIMEOUT_SECONDS
    concurrency = 1

    def on_start(self) -> None:
        """Take a number and a key, and wait a part of a second: users do not march in step."""
        self.number = next(crowd.numbers)
        self.random = random.Random(self.number)
        self.key = self.choose_key()
        # Locust starts many users in one moment; unshifted, all would ask in the same one for ever.
        time.sleep(random.random() / self.requests_per_second)
        self.due_seconds = time.perf_counter()

    def wait_time(self) -> float:
        """Until the next request is due: as Locust's `constant_pacing`, but counted from the first
        request on and by its own clock, so that users x rate is the offered rate to the request."""
        now = time.perf_counter()
        self.due_seconds = max(self.due_seconds + 1 / self.requests_per_second, now)
        return self.due_seconds - now

    def choose_key(self) -> str:
        """The API key of this user."""
        return crowd.key_for(self.number)

    def row(self) -> Row:
        """An application, dense."""
        return make_row(self.random, len(crowd.features))

    def score(
        self,
        name: str,
        instances: list[Instance],
        key: str | None = None,
        earlier: dict[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """Send one scoring request and check its answer; None where it is not the right one."""
        return self.send(name, encode(instances), len(instances), key, earlier)

    def send(
        self,
        name: str,
        body: bytes,
        instances: int,
        key: str | None = None,
        earlier: dict[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """The same with a body made before. `earlier` is the answer that must be replayed."""
        if key is not None:
            with self.post(name, body, key) as answer:
                if not connection_ended(answer):
                    return judge(answer, instances, earlier)
                answer.request_meta["name"] = RESENT
                answer.success()
                crowd.tally.resent += 1
        with self.post(name, body, key) as answer:
            return judge(answer, instances, earlier)

    def refused(self, name: str, wanted: BadRequest, key: str | None = None) -> bool:
        """Send what must be refused; True where it was, in the right words."""
        with self.post(name, wanted.body, key, wanted.media_type) as answer:
            got = Refused(answer.status_code, header(answer, "Content-Type"), answer.content or b"")
            fault = refusal_fault(wanted, got) if got.status else "no answer"
            if fault is None:
                answer.success()
                return True
            if got.status == HTTPStatus.OK:
                crowd.tally.record_wrong(f"bad input was answered: {wanted.code}")
            answer.failure(fault)
            return False

    def read(self, name: str, path: str) -> dict[str, Any] | None:
        """Get something of one's own; None where that failed."""
        headers = {"Authorization": f"Bearer {self.key}"}
        with self.client.get(path, headers=headers, name=name, catch_response=True) as answer:
            if answer.status_code != HTTPStatus.OK:
                answer.failure(describe(answer))
                return None
            crowd.tally.reads += 1
            said: dict[str, Any] = json.loads(answer.content)
            return said

    def post(
        self, name: str, body: bytes, key: str | None, content_type: str = "application/json"
    ) -> ResponseContextManager:
        """One POST to the scoring route; Locust sends bytes as they are, whatever its types say."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": content_type}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.client.request(
            "POST",
            ROUTE,
            data=body,  # type: ignore[arg-type]
            headers=headers,
            name=name,
            catch_response=True,
        )


def encode(instances: list[Instance]) -> bytes:
    """The JSON body that asks for these."""
    return json.dumps({"model": MODEL, "instances": instances}, separators=(",", ":")).encode()


def judge(
    answer: ResponseContextManager, instances: int, earlier: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Count the answer to a scoring request; None, and a failure, where it is not the right one."""
    if answer.status_code != HTTPStatus.OK:
        if answer.status_code in MAYBE_CHARGED and earlier is None:
            crowd.tally.unknown_requests += 1
            crowd.tally.unknown += crowd.price * instances
        answer.failure(describe(answer))  # type: ignore[no-untyped-call]
        return None
    said: dict[str, Any] = json.loads(answer.content)
    replayed = header(answer, "Idempotency-Replayed")
    count_charge(said, instances, replayed=earlier is not None)
    fault = answer_fault(said, instances)
    if fault is None and earlier is not None:
        fault = replay_fault(earlier, said, replayed)
    if fault is None:
        return said
    crowd.tally.record_wrong(fault)
    answer.failure(fault)  # type: ignore[no-untyped-call]
    return None


def count_charge(said: dict[str, Any], instances: int, *, replayed: bool) -> None:
    """A replay of an answer that we saw is free; one of an answer that was lost was charged."""
    if replayed:
        crowd.tally.replays += 1
        return
    crowd.tally.answers_200 += 1
    crowd.tally.instances += instances
    crowd.tally.charged += Decimal(said.get("credits_charged", "0"))


def connection_ended(answer: ResponseContextManager) -> bool:
    """Whether the connection was closed after the request was sent and before any answer."""
    return answer.status_code == 0 and isinstance(error_of(answer), CONNECTION_ENDED)


def error_of(answer: ResponseContextManager) -> object:
    """Why there is no answer."""
    return getattr(answer, "error", None)


def describe(answer: ResponseContextManager) -> str:
    """What went wrong, on one line."""
    if answer.status_code == 0:
        return f"no answer: {error_of(answer)!r}"
    return describe_status(answer.status_code, answer.content or b"")


def header(answer: ResponseContextManager, name: str) -> str:
    """One header; empty where there is none."""
    return str(answer.headers.get(name, "")) if answer.headers else ""
