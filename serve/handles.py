"""The ports over Ray: the only place, with `serve/app.py`, that knows deployment handles.

A call may fail because a replica died before, while or after it ran. Predicting again is harmless,
and a charge carries its own id, so both are simply sent again until their deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from billing.charges import Charge, Outcome
from billing.errors import BillingError, LedgerBusy, LedgerUnavailable, OutcomeUnknown
from serve.ports import Probabilities
from serve.refusals import Code, Refusal
from serve.transfer import decode_outcomes, encode_charges

Handle: TypeAlias = DeploymentHandle[Any]

_PREDICT_SECONDS = 8.0
"""For a batch to be scored, tries together; below the request's deadline of 10 s."""
_CHARGE_SECONDS = 30.0
"""For a batch to be charged: past the request's deadline, so that an outcome becomes known."""
_READY_SECONDS = 5.0
_RETRY_SECONDS = 0.1
_FAULTS: tuple[type[Exception], ...] = (RayError, RayServeException)

_FAILURES: dict[str, type[BillingError]] = {
    error.code: error for error in (LedgerUnavailable, LedgerBusy, OutcomeUnknown)
}
"""Billing errors cross the hop by their codes: Ray pickles an exception by its arguments."""


async def _call(method: Any, *arguments: Any, seconds: float) -> Any:
    """Call a deployment's method, again after a fault of Ray's, for `seconds` at the most."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                return await method.remote(*arguments)
            except _FAULTS:
                await asyncio.sleep(_RETRY_SECONDS)


def _plain(handle: Handle) -> Handle:
    """Arguments by value: a reference costs three times the CPU for a few kilobytes."""
    return handle.options(
        _by_reference=False, request_serialization="pickle", response_serialization="pickle"
    )


class ScorerHandle:
    """The Scorer port over the LightGBMScorer deployment."""

    def __init__(self, handle: Handle) -> None:
        handle = _plain(handle)
        self._predict = handle.predict
        self._ready = handle.ready

    async def predict(
        self, model: str, version: str, packed_rows: bytes, rows: int
    ) -> Probabilities:
        try:
            answer = await _call(
                self._predict, model, version, packed_rows, rows, seconds=_PREDICT_SECONDS
            )
        except TimeoutError:
            raise _scorer_unavailable() from None
        return np.frombuffer(answer, dtype=np.float64)

    async def ready(self) -> None:
        try:
            await _call(self._ready, seconds=_READY_SECONDS)
        except TimeoutError:
            raise _scorer_unavailable() from None


class CashierHandle:
    """The Cashier port over the Billing deployment."""

    def __init__(self, handle: Handle) -> None:
        handle = _plain(handle)
        self._charge = handle.charge
        self._ready = handle.ready

    async def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        try:
            reply = await _call(self._charge, encode_charges(charges), seconds=_CHARGE_SECONDS)
        except TimeoutError:
            raise OutcomeUnknown("billing did not answer in time") from None
        if isinstance(reply, str):
            raise _failure(reply)
        return decode_outcomes(reply, charges)

    async def ready(self) -> None:
        try:
            reply = await _call(self._ready, seconds=_READY_SECONDS)
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
