"""Buys the parts of a job, some at a time, and sends each again until it is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import httpx
import numpy as np

from frontend.pages.many.jobs import JobNotes, Part
from frontend.server import Problem, Server, ServerError, Unreachable

PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 30.0)
"""Between attempts at one part: a minute and a half, in which a service is started anew."""

_PAUSE_SECONDS_MAX = 60.0
_ROUNDS_MAX = 100
_PACKED = "application/octet-stream"
_WORTH_ANOTHER_ATTEMPT = frozenset({409, 429, 502, 503, 504})
EXPIRED = "answer_expired"
NO_CREDITS = "insufficient_credits"
_DOUBLE_BYTES = 8
_CHARGED = "farebox-credits-charged"


class Stopped(Exception):
    """Somebody wants no more parts to be sent."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is bought: parts of the file with that hash, by that version."""

    sha256: str
    model: str
    version: str
    parts: Sequence[Part]
    pay_anew: bool = False
    """Whether parts whose stored answers were removed are bought a second time."""

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


@dataclass(slots=True)
class Progress:
    """How far a job is. `paid` is what the rows done cost, whenever that was."""

    rows: int
    began_seconds: float
    rows_done: int = 0
    rows_fetched: int = 0
    """Of `rows_done`, those that had been paid before this run."""
    paid: Decimal = Decimal(0)
    paid_before: Decimal = Decimal(0)
    waiting: int = 0
    """Parts that pause before another attempt."""

    def seconds_left(self, now: float) -> float | None:
        """At the pace so far."""
        if not self.rows_done:
            return None
        return (now - self.began_seconds) / self.rows_done * (self.rows - self.rows_done)


class Run:
    """One go at an order: `finish()` once. What was answered stays in `probabilities`."""

    def __init__(
        self,
        server: Server,
        order: Order,
        notes: JobNotes,
        *,
        at_once: int,
        pauses_seconds: Sequence[float] = PAUSES_SECONDS,
    ) -> None:
        self.progress = Progress(order.rows, time.monotonic())
        self.probabilities = np.full(order.rows, np.nan)
        self.order = order
        self._server = server
        self._notes = notes
        self._at_once = at_once
        self._pauses_seconds = pauses_seconds
        self._sent_before = frozenset(notes.sent)
        self._stopping = asyncio.Event()
        self._error: Exception | None = None

    def stop(self) -> None:
        """Send no more parts; those under way are waited for."""
        self._stopping.set()

    async def finish(self) -> None:
        """Buy all parts. Raises Stopped, or the first error that more attempts do not help; parts
        under way then are waited for, as they may be paid already."""
        parts = iter(self.order.parts)
        async with asyncio.TaskGroup() as workers:
            for _ in range(self._at_once):
                workers.create_task(self._work(parts))
        if self._error:
            raise self._error
        if self.progress.rows_done < self.progress.rows:
            raise Stopped

    async def _work(self, parts: Iterator[Part]) -> None:
        for part in parts:
            if self._stopping.is_set():
                return
            try:
                await self._buy(part)
            except (ServerError, Stopped) as error:
                self._error = self._error or error
                self.stop()
                return

    async def _buy(self, part: Part) -> None:
        for round_ in range(_ROUNDS_MAX):
            try:
                response, attempts = await self._ask(part, round_)
            except Problem as problem:
                self._forget(part, problem.code)
                if problem.code != EXPIRED or not self.order.pay_anew:
                    raise
            else:
                self._take(part, response, attempts)
                return
        raise Unreachable("answers of every round were removed")

    def _forget(self, part: Part, code: str) -> None:
        """Note that a part has to be paid: its answer is gone, or it never was, as the server
        looks for an earlier charge before it refuses for want of credits."""
        if code == EXPIRED or (code == NO_CREDITS and part.index not in self._sent_before):
            self._notes.answered.discard(part.index)
            self._notes.sent.discard(part.index)
            self._notes.save()

    async def _ask(self, part: Part, round_: int) -> tuple[httpx.Response, int]:
        """The answer, and how many attempts it took."""
        self._note(self._notes.sent, part)
        for attempt, pause in enumerate((*self._pauses_seconds, None), start=1):
            try:
                return await self._send(part, round_), attempt
            except ServerError as error:
                if pause is None or not _may_pass(error):
                    raise
                wanted = error.retry_after_seconds if isinstance(error, Problem) else None
                await self._pause(max(pause, wanted or 0.0))
        raise AssertionError("the last attempt answers or raises")

    async def _send(self, part: Part, round_: int) -> httpx.Response:
        order = self.order
        response = await self._server.send(
            "POST",
            "/v1/predictions",
            params={"model": order.model, "version": order.version},
            content=part.body,
            headers={
                "Content-Type": f"{_PACKED}; layout=bits",
                "Accept": _PACKED,
                "Idempotency-Key": part.key(order.sha256, order.model, order.version, round_),
            },
        )
        whole = len(response.content) == part.rows * _DOUBLE_BYTES
        if not whole or _CHARGED not in response.headers:
            raise Unreachable("an answer that is not the server's: something between changed it")
        return response

    def _take(self, part: Part, response: httpx.Response, attempts: int) -> None:
        values = np.frombuffer(response.content, "<f8")
        self.probabilities[part.start : part.start + part.rows] = values
        charged = Decimal(response.headers[_CHARGED])
        is_replay = response.headers.get("idempotency-replayed") == "true"
        progress = self.progress
        progress.rows_done += part.rows
        progress.paid += charged
        if is_replay and (attempts == 1 or part.index in self._sent_before):
            progress.rows_fetched += part.rows
            progress.paid_before += charged
        self._note(self._notes.answered, part)

    def _note(self, noted: set[int], part: Part) -> None:
        if part.index not in noted:
            noted.add(part.index)
            self._notes.save()

    async def _pause(self, seconds: float) -> None:
        self.progress.waiting += 1
        try:
            async with asyncio.timeout(min(seconds, _PAUSE_SECONDS_MAX)):
                await self._stopping.wait()
        except TimeoutError:
            return
        finally:
            self.progress.waiting -= 1
        raise Stopped


def _may_pass(error: ServerError) -> bool:
    if isinstance(error, Problem):
        return error.status in _WORTH_ANOTHER_ATTEMPT
    return isinstance(error, Unreachable)
