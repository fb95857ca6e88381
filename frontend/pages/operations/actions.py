"""What an operator is about to do: named before it is done, and done once however often pressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

from frontend.server import Problem, Server, Unreachable, new_key

_IN_FLIGHT = "request_in_flight"
_SERVER_ERROR = 500


Plan = tuple[str, dict[str, Any]]
"""Path and body of a request."""


@dataclass(frozen=True, slots=True)
class Action:
    """One request, ready to be sent, and the question that comes before."""

    method: str
    path: str
    body: Mapping[str, Any]
    question: Markup
    """HTML: what will happen, and to whom."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What the sentence afterwards needs: whose account, for one."""
    key: str = field(default_factory=new_key)
    """The Idempotency-Key."""

    def after(self, before: Action | None) -> Action:
        """With the key of `before` where that is the same request and has not succeeded: whether
        it was done then is not always known."""
        if before and (before.method, before.path, before.body) == (
            self.method,
            self.path,
            self.body,
        ):
            return replace(self, key=before.key)
        return self

    async def carry_out(self, server: Server) -> Any:  # noqa: ANN401 - JSON
        """The answer's JSON."""
        if self.method == "POST":
            return await server.post(self.path, self.body, key=self.key)
        return await server.change(self.method, self.path, self.body)


def may_be_repeated(error: Exception) -> bool:
    """Whether pressing again may succeed, or tell how the first time ended."""
    if isinstance(error, Problem):
        return error.code == _IN_FLIGHT or error.status >= _SERVER_ERROR
    return isinstance(error, Unreachable)


def plan_grant(
    account_id: str, amount: str, reason: str, priority: int, expiry: str | None
) -> Plan:
    """Credits given away."""
    body: dict[str, Any] = {
        "account_id": account_id,
        "amount": amount,
        "reason": reason,
        "priority": priority,
    }
    if expiry:
        body["expires_at"] = expiry
    return "/accounts/v1/grants", body


def plan_adjustment(account_id: str, amount: str, reason: str) -> Plan:
    """A balance put right."""
    path = f"/accounts/v1/accounts/{account_id}/adjustments"
    return path, {"amount": amount, "reason": reason}


def plan_refund(prediction_id: str, amount: str | None, reason: str) -> Plan:
    """A refund; without an amount, of all that is left."""
    body = {"reason": reason} | ({"amount": amount} if amount else {})
    return f"/accounts/v1/predictions/{prediction_id}/refunds", body


def plan_decision(request_id: str, verb: str, amount: str | None, reason: str) -> Plan:
    """A refund request accepted or declined."""
    body = {"reason": reason} | ({"amount": amount} if amount else {})
    return f"/accounts/v1/operator/refund-requests/{request_id}/{verb}", body
