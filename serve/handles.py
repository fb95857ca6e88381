"""The ports over the deployments: the only place, with `serve/app.py`, that knows Ray's handles.

A call may fail because a replica died before, while or after it ran. Predicting again is harmless,
and a charge carries its own id, so both are simply sent again until their deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from billing.charges import Charge, Outcome
from billing.errors import BillingError, LedgerBusy, LedgerUnavailable, OutcomeUnknown
from models.explanations import Explanations, row_type
from serve.lanes import LaneAddress, LaneLost, Lanes
from serve.ports import Probabilities
from serve.refusals import Code, Refusal
from serve.transfer import NOT_LOADED, decode_outcomes, encode_charges, encode_rows

Handle: TypeAlias = DeploymentHandle[Any]

_PREDICT_SECONDS = 8.0
"""For a batch to be scored, tries together; below the request's deadline of 10 s."""
_WARM_SECONDS = 3.0
"""For a new version to be loaded before it is asked for: what takes longer is waited for then."""
_CHARGE_SECONDS = 30.0
"""For a batch to be charged: past the request's deadline, so that an outcome becomes known."""
_READY_SECONDS = 5.0
_RETRY_SECONDS = 0.1
_FAULTS: tuple[type[Exception], ...] = (RayError, RayServeException, LaneLost)

_FAILURES: dict[str, type[BillingError]] = {
    error.code: error for error in (LedgerUnavailable, LedgerBusy, OutcomeUnknown)
}
"""Billing errors cross the hop by their codes: Ray pickles an exception by its arguments."""


class Calls:
    """Calls of one deployment: over a lane where there is one, else by Ray's handle.

    The deployment has `take(bytes) -> bytes`, `ready()` and `lane() -> LaneAddress`.
    """

    def __init__(self, handle: Handle) -> None:
        # Arguments by value: a reference costs three times the CPU for a few kilobytes.
        handle = handle.options(
            _by_reference=False, request_serialization="pickle", response_serialization="pickle"
        )
        self._take, self._lane, self._ready = handle.take, handle.lane, handle.ready
        self.lanes = Lanes(self._find)

    async def take(self, content: bytes, seconds: float) -> bytes:
        """Call, again after a fault, for `seconds` at the most; raises TimeoutError then."""
        async with asyncio.timeout(seconds):
            while True:
                lane = self.lanes.pick()
                try:
                    return await (self._by_handle(content) if lane is None else lane.call(content))
                except _FAULTS:
                    await asyncio.sleep(_RETRY_SECONDS)

    async def take_everywhere(self, content: bytes, seconds: float) -> None:
        """Call every replica there is a lane to, once, for `seconds` at the most; never raises."""
        calls = [lane.call(content) for lane in self.lanes.open] or [self._by_handle(content)]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*calls, return_exceptions=True)

    async def _by_handle(self, content: bytes) -> bytes:
        answer: bytes = await self._take.remote(content)
        return answer

    async def ready(self) -> Any:
        """What the replica says of itself; raises TimeoutError where none answers."""
        async with asyncio.timeout(_READY_SECONDS):
            while True:
                try:
                    return await self._ready.remote()
                except _FAULTS:
                    await asyncio.sleep(_RETRY_SECONDS)

    async def _find(self) -> LaneAddress:
        address: LaneAddress = await self._lane.remote()
        return address


class ScorerHandle:
    """The Scorer port over the LightGBMScorer deployment."""

    def __init__(self, handle: Handle) -> None:
        self.calls = Calls(handle)

    async def predict(
        self, model: str, version: str, packed_rows: bytes, rows: int
    ) -> Probabilities:
        answer = await self._ask(model, version, packed_rows, rows)
        return np.frombuffer(answer, dtype=np.float64)

    async def explain(
        self,
        model: str,
        version: str,
        packed_rows: bytes,
        rows: int,
        features_max: int,
        *,
        counts: bool = True,
    ) -> Explanations:
        answer = await self._ask(model, version, packed_rows, rows, features_max, counts=counts)
        return np.frombuffer(answer, dtype=row_type(features_max))

    async def shadow(
        self, model: str, version: str, packed_rows: bytes, rows: int
    ) -> Probabilities:
        answer = await self._ask(model, version, packed_rows, rows, counts=False)
        return np.frombuffer(answer, dtype=np.float64)

    async def warm(self, model: str, version: str) -> None:
        """Return when every scorer has this version, or has had a fair time to load it."""
        await self.calls.take_everywhere(encode_rows(model, version, b"", 0), _WARM_SECONDS)

    async def ready(self) -> None:
        try:
            await self.calls.ready()
        except TimeoutError:
            raise _scorer_unavailable() from None

    async def _ask(self, model: str, version: str, *rows: Any, counts: bool = True) -> bytes:
        content = encode_rows(model, version, *rows, counts=counts)
        try:
            answer = await self.calls.take(content, _PREDICT_SECONDS)
        except TimeoutError:
            raise _scorer_unavailable() from None
        if answer == NOT_LOADED:
            raise _not_loaded(model, version)
        return answer


class CashierHandle:
    """The Cashier port over the Billing deployment."""

    def __init__(self, handle: Handle) -> None:
        self.calls = Calls(handle)

    async def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        try:
            reply = await self.calls.take(encode_charges(charges), _CHARGE_SECONDS)
        except TimeoutError:
            raise OutcomeUnknown("billing did not answer in time") from None
        outcomes = decode_outcomes(reply, charges)
        if isinstance(outcomes, str):
            raise _failure(outcomes)
        return outcomes

    async def ready(self) -> None:
        try:
            reply = await self.calls.ready()
        except TimeoutError:
            raise LedgerUnavailable("billing did not answer in time") from None
        if reply is not None:
            raise _failure(reply)


def _failure(code: str) -> BillingError:
    return _FAILURES[code]("from the billing deployment")


def _scorer_unavailable() -> Refusal:
    return Refusal(
        Code.SCORER_UNAVAILABLE,
        "No replica of the model answered in time; nothing was charged. Send the request again.",
    )


def _not_loaded(model: str, version: str) -> Refusal:
    return Refusal(
        Code.MODEL_UNAVAILABLE,
        f"Version {version} of model {model!r} cannot be loaded right now; nothing was charged. "
        "Send the request again, or name another version.",
    )
