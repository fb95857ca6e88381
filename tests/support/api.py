"""An HTTP client of the product, with one account's key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

APP = ["SEND_SMS", "RECEIVE_BOOT_COMPLETED", "INTERNET"]
PREDICTIONS = "/v1/predictions"


def body(instances: Sequence[Any] = (APP,), model: str = "android-malware") -> dict[str, Any]:
    """A request's body."""
    return {"model": model, "instances": list(instances)}


@dataclass
class Api:
    """Calls and the figures they are checked by."""

    base_url: str
    key: str
    client: httpx.Client

    @classmethod
    def connect(cls, base_url: str, key: str) -> Api:
        client = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=30,
            trust_env=False,
        )
        return cls(base_url, key, client)

    def score(self, payload: Any = None, key: str | None = None, **headers: str) -> httpx.Response:
        """POST /v1/predictions; `key` is the Idempotency-Key."""
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.client.post(PREDICTIONS, json=payload or body(), headers=headers)

    @property
    def balance(self) -> Decimal:
        """Credits now, by the API itself."""
        return Decimal(self.client.get("/v1/account").raise_for_status().json()["credits_balance"])

    def score_at_once(
        self,
        count: int,
        key: str | None = None,
        payload: Any = None,
        on_answer: Callable[[], None] = lambda: None,
    ) -> list[httpx.Response]:
        """The same request `count` times, all at the same time; `on_answer` is called at each."""
        return asyncio.run(self._score_at_once(count, key, payload or body(), on_answer))

    async def _score_at_once(
        self, count: int, key: str | None, payload: Any, on_answer: Callable[[], None]
    ) -> list[httpx.Response]:
        headers = {"Authorization": f"Bearer {self.key}"}
        if key is not None:
            headers["Idempotency-Key"] = key

        async def score(client: httpx.AsyncClient) -> httpx.Response:
            response = await client.post(PREDICTIONS, json=payload)
            on_answer()
            return response

        limits = httpx.Limits(max_connections=count)
        async with httpx.AsyncClient(
            base_url=self.base_url, headers=headers, timeout=60, limits=limits, trust_env=False
        ) as client:
            return await asyncio.gather(*(score(client) for _ in range(count)))


def statuses(responses: Sequence[httpx.Response]) -> dict[int, int]:
    """How many answers had which status."""
    counts: dict[int, int] = {}
    for response in responses:
        counts[response.status_code] = counts.get(response.status_code, 0) + 1
    return counts
