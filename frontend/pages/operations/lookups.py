"""Finds who and what is meant, with the routes that the API has for it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from frontend.server import Problem, Server

_USERS_MAX = 500
_PREDICTIONS_MAX = 500
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Account:
    """Whose credits are moved."""

    id: str
    email: str | None = None
    role: str | None = None

    @property
    def shown(self) -> str:
        """As an operator knows it."""
        return self.email or self.id


async def fetch_emails(server: Server, account_ids: Iterable[str]) -> dict[str, str]:
    """E-mails of those of the accounts that are among the newest users. The API finds users by
    their e-mail alone, so the list is read until all are found, and no further than 500."""
    wanted = set(account_ids)
    found: dict[str, str] = {}
    cursor: str | None = None
    for _ in range(_USERS_MAX // 100):
        if wanted <= found.keys():
            break
        users, cursor = await server.pages("/accounts/v1/users", 100, cursor=cursor)
        found |= {each["account_id"]: each["email"] for each in users}
        if cursor is None:
            break
    return {each: found[each] for each in wanted if each in found}


async def find_account(server: Server, text: str) -> Account | None:
    """The account of a whole e-mail, or with an id."""
    text = text.strip()
    try:
        account_id = str(uuid.UUID(text))
    except ValueError:
        return await _find_by_email(server, text)
    if await fetch_balance(server, account_id) is None:
        return None
    emails = await fetch_emails(server, [account_id])
    if account_id not in emails:
        return Account(account_id)
    return await _find_by_email(server, emails[account_id])


async def _find_by_email(server: Server, email: str) -> Account | None:
    users = (await server.get("/accounts/v1/users", email=email))["items"] if email else []
    if not users:
        return None
    return Account(users[0]["account_id"], users[0]["email"], users[0]["role"])


async def fetch_balance(server: Server, account_id: str) -> dict[str, Any] | None:
    """None where there is no such account."""
    try:
        balance: dict[str, Any] = await server.get(f"/accounts/v1/accounts/{account_id}/balance")
    except Problem as problem:
        if problem.status == _NOT_FOUND:
            return None
        raise
    return balance


async def find_prediction(
    server: Server, account_id: str, prediction_id: str
) -> dict[str, Any] | None:
    """Among the account's newest 500: the API has no route for one of another's."""
    path = f"/accounts/v1/accounts/{account_id}/predictions"
    cursor: str | None = None
    for _ in range(_PREDICTIONS_MAX // 100):
        found, cursor = await server.pages(path, 100, cursor=cursor)
        for each in found:
            if each["id"] == prediction_id:
                return each
        if cursor is None:
            break
    return None


def reckon_left(prediction: dict[str, Any]) -> str:
    """What of its charge was not given back yet."""
    return f"{Decimal(prediction['amount']) - Decimal(prediction['refunded']):f}"


async def fetch_if_there(server: Server, path: str, **params: object) -> Any:  # noqa: ANN401 - JSON
    """None where the server has no such route yet: it is older than this console."""
    try:
        return await server.get(path, **params)
    except Problem as problem:
        if problem.code == "route_not_found":
            return None
        raise
