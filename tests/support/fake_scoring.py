"""A scoring server in memory for the console's jobs: it charges a key once, and has bad days."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import httpx
import numpy as np

from frontend.server import Server

ROW_BYTES = 31
PRICE = Decimal("0.5")

Trouble = Callable[[int], httpx.Response | None]
"""From the number of a request, from 1: what is answered in place of the answer, or none. The
request is done all the same where `after` is set."""


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    """A refusal as the API words it."""
    return httpx.Response(
        status, json={"code": code, "title": code, "detail": code}, headers=headers
    )


@dataclass
class FakeScoring:
    """`before` refuses requests, `after` loses answers of requests that were charged."""

    credits: Decimal = Decimal(1_000_000)
    before: Trouble = lambda _: None
    after: Trouble = lambda _: None
    requests: int = 0
    charged: Counter[str] = field(default_factory=Counter)
    """Rows charged by key."""
    expired: set[str] = field(default_factory=set)
    bodies: dict[str, str] = field(default_factory=dict)
    queries: set[str] = field(default_factory=set)

    @property
    def rows_charged(self) -> int:
        return sum(self.charged.values())

    def server(self) -> Server:
        """The console's way to it."""
        transport = httpx.MockTransport(self.answer)
        return Server(httpx.AsyncClient(base_url="http://fake", transport=transport), "token")

    def answer(self, request: httpx.Request) -> httpx.Response:
        """One request, charged once for its key."""
        self.requests += 1
        number = self.requests
        if refusal := self.before(number):
            return refusal
        key, body = request.headers["idempotency-key"], request.content
        self.queries.add(request.url.query.decode())
        digest = hashlib.sha256(body).hexdigest()
        if self.bodies.setdefault(key, digest) != digest:
            return problem(422, "idempotency_key_conflict")
        if key in self.expired:
            return problem(410, "answer_expired")
        replayed = key in self.charged
        rows = len(body) // ROW_BYTES
        if not replayed:
            if self.credits < rows * PRICE:
                return problem(402, "insufficient_credits")
            self.credits -= rows * PRICE
            self.charged[key] += rows
        return self.after(number) or _scores(body, rows, replayed=replayed)


def score(packed: np.ndarray) -> np.ndarray:
    """The share of bits that are set: every row has its own result."""
    return np.unpackbits(packed, axis=1).mean(axis=1)


def _scores(body: bytes, rows: int, *, replayed: bool) -> httpx.Response:
    packed = np.frombuffer(body, np.uint8).reshape(rows, ROW_BYTES)
    headers = {"farebox-credits-charged": str(rows * PRICE)}
    if replayed:
        headers["idempotency-replayed"] = "true"
    return httpx.Response(200, content=score(packed).astype("<f8").tobytes(), headers=headers)
