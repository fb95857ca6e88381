"""Users of a running product, made and asked over its HTTP API."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from tests.support.api import APP, PREDICTIONS, body
from tests.support.visitor import PASSWORD

_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class User:
    """Somebody signed in, and the API in their name; paths as `/v1/balance`."""

    base_url: str
    email: str
    account_id: str
    token: str

    def get(self, path: str, **params: Any) -> Any:
        """The answer's JSON."""
        return self._send("GET", f"/accounts{path}", params=params)

    def post(self, path: str, payload: Any) -> Any:
        """The answer's JSON."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return self._send("POST", f"/accounts{path}", json=payload, headers=headers)

    def score(self, *apps: list[str], key: str | None = None) -> dict[str, Any]:
        """The answer to a prediction for `apps`, paid by the session or by an API key."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer: dict[str, Any] = self._send(
            "POST", PREDICTIONS, json=body(apps or (APP,)), headers=headers
        )
        return answer

    def make_key(self, name: str) -> str:
        """A new API key's secret."""
        return str(self.post("/v1/keys", {"name": name, "scopes": ["score", "read"]})["key"])

    def ask_refund(self, prediction_id: str, reason: str) -> str:
        """The id of the refund request that was made."""
        path = f"/v1/predictions/{prediction_id}/refund-requests"
        return str(self.post(path, {"reason": reason})["id"])

    def give_role(self, user: User, role: str) -> None:
        """As an admin."""
        self._send("PUT", f"/accounts/v1/users/{user.account_id}/role", json={"role": role})

    def models(self) -> list[dict[str, Any]]:
        """What is served."""
        models: list[dict[str, Any]] = self._send("GET", "/v1/models")["models"]
        return models

    @property
    def available(self) -> Decimal:
        """Credits that can be spent now."""
        return Decimal(self.get("/v1/balance")["available"])

    def _send(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Any:
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return _send(self.base_url, method, path, headers=sent, **options)


def sign_in(base_url: str, email: str) -> User:
    """Whoever has that e-mail, and the password of all who visit."""
    credentials = {"email": email, "password": PASSWORD}
    session = _send(base_url, "POST", "/accounts/v1/sessions", json=credentials)
    return User(base_url, email, session["account_id"], session["token"])


def sign_up(base_url: str, name: str = "user") -> User:
    """A new user, with the credits that each is welcomed with."""
    email = f"{name}-{secrets.token_hex(6)}@example.com"
    credentials = {"email": email, "password": PASSWORD}
    _send(base_url, "POST", "/accounts/v1/users", json=credentials)
    return sign_in(base_url, email)


def _send(base_url: str, method: str, path: str, **options: Any) -> Any:
    answer = httpx.request(
        method, base_url + path, timeout=_TIMEOUT_SECONDS, trust_env=False, **options
    )
    return answer.raise_for_status().json()
