"""A small client of the public API, for `farebox score`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import httpx

from farebox.demo import API_KEY, URL
from farebox.errors import FareboxError, NotRunning
from farebox.home import Home, read_env_file

_SCORE_SECONDS = 30.0


class ScoringClient:
    """Sends instances to be scored with one account's key."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._base_url = base_url
        self._api_key = api_key

    @classmethod
    def from_environment(cls, home: Home) -> ScoringClient:
        """URL and key from `FAREBOX_URL` and `FAREBOX_API_KEY`, else the demo account's."""
        known = read_env_file(home.demo) | {
            name: os.environ[name] for name in (URL, API_KEY) if name in os.environ
        }
        if URL not in known or API_KEY not in known:
            raise NotRunning(
                f"no product was started here yet: run `make up`, or set {URL} and {API_KEY}"
            )
        return cls(known[URL], known[API_KEY])

    def score(
        self,
        model: str,
        instances: Sequence[Any],
        idempotency_key: str | None,
        *,
        explain: bool = False,
    ) -> dict[str, Any]:
        """The answer as JSON; raises a FareboxError that carries the problem's own words."""
        headers = {"Authorization": f"Bearer {self._api_key}"}
        asked: dict[str, Any] = {"model": model, "instances": instances}
        if explain:
            asked["explain"] = True
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        try:
            response = httpx.post(
                f"{self._base_url}/v1/predictions",
                json=asked,
                headers=headers,
                timeout=_SCORE_SECONDS,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise NotRunning(f"{self._base_url} does not answer ({error}); run `make up`") from None
        if response.is_error:
            raise FareboxError(_problem_text(response))
        answer: dict[str, Any] = response.json()
        return answer


def _problem_text(response: httpx.Response) -> str:
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return f"HTTP {response.status_code}: {response.text[:500]}"
    problem = response.json()
    lines = [f"{problem['title']} ({problem['status']} {problem['code']}): {problem['detail']}"]
    lines += [f"  {fault['pointer']}: {fault['detail']}" for fault in problem.get("errors", [])]
    return "\n".join(lines)
