"""Calls of a deployment: by its handle, over a lane, and again after a fault."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import numpy as np
import pytest
from ray.serve.exceptions import RayServeException

from billing.charges import Charged
from billing.credits import Credits
from billing.errors import BillingError, LedgerBusy, LedgerUnavailable, OutcomeUnknown
from models.explanations import row_type
from serve import handles
from serve.handles import Calls, CashierHandle, Handle, ScorerHandle
from serve.lanes import LaneAddress, LaneServer
from serve.refusals import Code, Refusal
from serve.transfer import NOT_LOADED, Asked, decode_rows, encode_failure, encode_outcomes
from tests.charges import make_charge

pytestmark = pytest.mark.anyio

SECONDS = 5.0
AT_ONCE = 0.01
"""Seconds to call for where no answer will come."""

Take = Callable[[bytes], Awaitable[bytes]]


class Method:
    """`handle.method`, called by `.remote()`; raises the faults first, one a call."""

    def __init__(self, answer: Callable[..., Awaitable[Any]]) -> None:
        self._answer = answer
        self.faults: list[Exception] = []
        self.calls = 0

    async def remote(self, *arguments: Any) -> Any:
        self.calls += 1
        if self.faults:
            raise self.faults.pop(0)
        return await self._answer(*arguments)


class OneReplica:
    """A deployment's handle; its one replica takes calls over lanes too once it listens."""

    def __init__(self, take: Take, said_when_ready: Any = None) -> None:
        self.server = LaneServer(take)
        self.address: LaneAddress | None = None
        self.take, self.lane, self.ready = Method(take), Method(self._lane), Method(self._ready)
        self._said_when_ready = said_when_ready

    def options(self, **_options: Any) -> OneReplica:
        return self

    @property
    def handle(self) -> Handle:
        return cast("Handle", self)

    async def _lane(self) -> LaneAddress:
        if self.address is None:
            raise RayServeException("no replica")
        return self.address

    async def _ready(self) -> Any:
        return self._said_when_ready


@asynccontextmanager
async def over_a_lane(replica: OneReplica, calls: Calls) -> AsyncIterator[None]:
    """While the replica listens and the calls have found it."""
    replica.address = await replica.server.start("127.0.0.1")
    await calls.lanes._look()
    try:
        yield
    finally:
        calls.lanes.close()
        await replica.server.close()


@pytest.fixture(autouse=True)
def _retries_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handles, "_RETRY_SECONDS", 0)


async def backwards(content: bytes) -> bytes:
    return content[::-1]


async def test_call_goes_by_the_handle_while_there_is_no_lane() -> None:
    replica = OneReplica(backwards)
    assert await Calls(replica.handle).take(b"rows", SECONDS) == b"swor"
    assert replica.take.calls == 1


async def test_call_goes_over_a_lane_where_there_is_one() -> None:
    replica = OneReplica(backwards)
    calls = Calls(replica.handle)
    async with over_a_lane(replica, calls):
        assert await calls.take(b"rows", SECONDS) == b"swor"
    assert replica.take.calls == 0


async def test_call_is_sent_again_after_a_fault_of_the_handle() -> None:
    replica = OneReplica(backwards)
    replica.take.faults = [RayServeException("the replica died")] * 2
    assert await Calls(replica.handle).take(b"rows", SECONDS) == b"swor"
    assert replica.take.calls == 3


async def test_call_whose_lane_is_lost_is_sent_again_by_the_handle() -> None:
    asked: list[bytes] = []

    async def take(content: bytes) -> bytes:
        asked.append(content)
        if len(asked) == 1:
            calls.lanes.close()
            await asyncio.Event().wait()
        return content[::-1]

    replica = OneReplica(take)
    calls = Calls(replica.handle)
    replica.address = await replica.server.start("127.0.0.1")
    await calls.lanes._look()
    assert await calls.take(b"rows", SECONDS) == b"swor"
    assert asked == [b"rows", b"rows"]
    assert replica.take.calls == 1
    for task in list(replica.server._tasks):
        task.cancel()
    await replica.server.close()


async def test_call_that_failed_in_the_replica_is_sent_again_over_the_lane() -> None:
    failures = [ValueError("for once")]

    async def take(content: bytes) -> bytes:
        if failures:
            raise failures.pop()
        return content[::-1]

    replica = OneReplica(take)
    calls = Calls(replica.handle)
    async with over_a_lane(replica, calls):
        assert await calls.take(b"rows", SECONDS) == b"swor"
    assert replica.take.calls == 0


async def test_a_mistake_of_our_own_is_not_sent_again() -> None:
    replica = OneReplica(backwards)
    replica.take.faults = [TypeError("not bytes")]
    with pytest.raises(TypeError):
        await Calls(replica.handle).take(b"rows", SECONDS)
    assert replica.take.calls == 1


async def never(_content: bytes) -> bytes:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def test_call_without_an_answer_ends_after_its_seconds() -> None:
    with pytest.raises(TimeoutError):
        await Calls(OneReplica(never).handle).take(b"rows", AT_ONCE)


async def test_call_that_fails_again_and_again_ends_after_its_seconds() -> None:
    async def fail(_content: bytes) -> bytes:
        raise RayServeException("no replica")

    replica = OneReplica(fail)
    with pytest.raises(TimeoutError):
        await Calls(replica.handle).take(b"rows", AT_ONCE)
    assert replica.take.calls > 1


async def test_scorer_that_does_not_answer_is_refused_as_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handles, "_PREDICT_SECONDS", AT_ONCE)
    with pytest.raises(Refusal) as caught:
        await ScorerHandle(OneReplica(never).handle).predict("model", "1", b"\0", 1)
    assert caught.value.code is Code.SCORER_UNAVAILABLE


async def test_a_version_that_the_scorer_cannot_load_is_refused_at_once() -> None:
    async def cannot_load(_asked: bytes) -> bytes:
        return NOT_LOADED

    replica = OneReplica(cannot_load)
    with pytest.raises(Refusal, match="Version 2 of model 'fox'") as caught:
        await ScorerHandle(replica.handle).predict("fox", "2", b"\0", 1)
    assert caught.value.code is Code.MODEL_UNAVAILABLE
    assert replica.take.calls == 1


async def test_every_scorer_is_told_of_a_new_version() -> None:
    asked: list[tuple[str, str, bytes, int]] = []

    async def take(content: bytes) -> bytes:
        asked.append(decode_rows(content)[:4])
        return NOT_LOADED

    replica = OneReplica(take)
    scorer = ScorerHandle(replica.handle)
    await scorer.warm("fox", "2")
    servers = [LaneServer(take) for _ in range(2)]
    for server in servers:
        replica.address = await server.start("127.0.0.1")
        await scorer.calls.lanes._look()
    await scorer.warm("fox", "3")
    scorer.calls.lanes.close()
    for server in servers:
        await server.close()
    assert asked == [("fox", "2", b"", 0), ("fox", "3", b"", 0), ("fox", "3", b"", 0)]


async def test_a_scorer_that_loads_for_too_long_or_fails_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handles, "_WARM_SECONDS", AT_ONCE)
    await ScorerHandle(OneReplica(never).handle).warm("fox", "2")
    replica = OneReplica(backwards)
    replica.take.faults = [RayServeException("no replica")]
    await ScorerHandle(replica.handle).warm("fox", "2")


async def test_charges_come_back_as_outcomes() -> None:
    charge = make_charge(uuid.UUID(int=1))
    outcome = Charged(charge.charge_id, Credits(7))

    async def take(_content: bytes) -> bytes:
        return encode_outcomes([outcome])

    assert await CashierHandle(OneReplica(take).handle).charge([charge]) == [outcome]


@pytest.mark.parametrize("error", [LedgerUnavailable, LedgerBusy, OutcomeUnknown])
async def test_billing_errors_cross_by_their_codes(error: type[BillingError]) -> None:
    async def take(_content: bytes) -> bytes:
        return encode_failure(error.code)

    cashier = CashierHandle(OneReplica(take, said_when_ready=error.code).handle)
    with pytest.raises(error):
        await cashier.charge([make_charge(uuid.UUID(int=1))])
    with pytest.raises(error):
        await cashier.ready()


async def test_charge_without_an_answer_has_an_unknown_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handles, "_CHARGE_SECONDS", AT_ONCE)
    with pytest.raises(OutcomeUnknown):
        await CashierHandle(OneReplica(never).handle).charge([make_charge(uuid.UUID(int=1))])


async def test_billing_that_can_write_is_ready() -> None:
    await CashierHandle(OneReplica(never).handle).ready()


async def test_explained_rows_come_back_as_the_scorer_made_them() -> None:
    explained = np.zeros(2, row_type(3))
    explained["probability"] = [0.25, np.nan]
    explained["features"][0] = [2, 0, 1]

    async def take(content: bytes) -> bytes:
        assert decode_rows(content)[:5] == ("m", "1", b"rows", 2, 3)
        return explained.tobytes()

    found = await ScorerHandle(OneReplica(take).handle).explain("m", "1", b"rows", 2, 3)
    assert found.dtype == explained.dtype
    assert found.tobytes() == explained.tobytes()


async def test_no_replica_to_explain_is_told_as_for_predictions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def take(_: bytes) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError("nobody answers")

    monkeypatch.setattr(handles, "_PREDICT_SECONDS", AT_ONCE)
    with pytest.raises(Refusal) as caught:
        await ScorerHandle(OneReplica(take).handle).explain("m", "1", b"rows", 2, 3)
    assert caught.value.code is Code.SCORER_UNAVAILABLE


async def test_drift_is_told_to_leave_out_what_was_scored_before() -> None:
    asked: list[Asked] = []

    async def take(content: bytes) -> bytes:
        asked.append(decode_rows(content))
        return np.zeros(1, row_type(3)).tobytes()

    scorer = ScorerHandle(OneReplica(take).handle)
    await scorer.explain("m", "1", b"row", 1, 3, counts=False)
    await scorer.explain("m", "1", b"row", 1, 3)
    assert [each.counts for each in asked] == [False, True]
