"""A visitor's account by the API: what a page shows of it is compared with that."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from tests.support.visitor import PASSWORD, Visitor

_COUNTED_SECONDS = 30
SESSION_COOKIE = "__Host-farebox_console"
_COOKIE_URL = "https://127.0.0.1"
"""Such a cookie is set for https alone; browsers send it to loopback without TLS too."""


def session_token(visitor: Visitor) -> str | None:
    """Out of the cookie, where somebody is signed in."""
    cookies = {each["name"]: each["value"] for each in visitor.context.cookies()}
    return cookies.get(SESSION_COOKIE)


@dataclass
class OwnAccount:
    """Calls in the visitor's name."""

    client: httpx.Client

    @property
    def balance(self) -> Decimal:
        """What can be spent now."""
        return Decimal(self.get("balance")["available"])

    @property
    def charged(self) -> Decimal:
        """Of all checks so far."""
        return -sum((Decimal(each["amount"]) for each in self.entries("charge")), Decimal(0))

    def get(self, path: str, **parameters: Any) -> Any:
        """Of the accounts API."""
        answer = self.client.get(f"/accounts/v1/{path}", params=parameters)
        return answer.raise_for_status().json()

    def wait_until_counted(self) -> None:
        """Statements and reports follow the ledger by some seconds: until they have a check."""
        deadline = time.monotonic() + _COUNTED_SECONDS
        while not any(Decimal(each["charged"]) for each in self.get("usage")["rows"]):
            assert time.monotonic() < deadline, "the check was not counted"
            time.sleep(0.2)

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """The newest first; a test has no more than one page of them."""
        page = self.get("entries", kind=kind, limit=100)
        assert page["next_cursor"] is None
        found: list[dict[str, Any]] = page["items"]
        return found

    def probabilities(self) -> list[float]:
        """As they were answered to the newest check."""
        newest = self.entries("charge")[0]["charge_id"]
        answer = self.client.get(f"/v1/predictions/{newest}").raise_for_status().json()
        return [each["probability"] for each in answer["predictions"]]

    def buy(self, credits_: int) -> None:
        """Paid on the test provider's page."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        top_up = self.client.post(
            "/accounts/v1/topups", json={"credits": str(credits_)}, headers=headers
        )
        checkout = top_up.raise_for_status().json()["checkout_url"]
        self.client.post(checkout, data={"outcome": "paid"}).raise_for_status()

    def check(self, *apps: list[str]) -> None:
        """Buys an answer."""
        body = {"model": "android-malware", "instances": list(apps)}
        self.client.post("/v1/predictions", json=body).raise_for_status()


@contextmanager
def own_account(visitor: Visitor, base_url: str) -> Iterator[OwnAccount]:
    """A new one, and the visitor signed in to it: quicker than through the forms."""
    with httpx.Client(base_url=base_url, timeout=30, trust_env=False) as client:
        user = {"email": visitor.email, "password": PASSWORD}
        client.post("/accounts/v1/users", json=user).raise_for_status()
        token = sign_in(visitor, client)
        client.headers["Authorization"] = f"Bearer {token}"
        yield OwnAccount(client)


def sign_in(visitor: Visitor, client: httpx.Client) -> str:
    """A session of the visitor's; its token is put where the console keeps it."""
    user = {"email": visitor.email, "password": PASSWORD}
    opened = client.post("/accounts/v1/sessions", json=user).raise_for_status()
    token = str(opened.json()["token"])
    cookie = {"name": SESSION_COOKIE, "value": token, "url": _COOKIE_URL, "secure": True}
    visitor.context.add_cookies([cookie])  # type: ignore[list-item]
    return token
