"""The API as the console calls it: JSON in and out, and three ways for a call to fail."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

_CONNECT_RETRIES = 2
_CONNECTIONS_MAX = 256


class ServerError(Exception):
    """A call did not succeed."""


class Unreachable(ServerError):
    """The server did not answer, or not with anything of its own: whether it did what was asked
    is unknown. Sending the same again with the same key is safe."""


class SessionEnded(ServerError):
    """Whoever asks is not signed in, or no longer."""


class Problem(ServerError):
    """The server refused, with a problem document (RFC 9457)."""

    def __init__(
        self, status: int, document: Mapping[str, Any], retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(status, document, retry_after_seconds)
        self.status = status
        self.code = str(document.get("code", ""))
        self.detail = str(document.get("detail") or document.get("title") or "")
        self.document = document
        self.retry_after_seconds = retry_after_seconds
        """When to come again, where the server said so."""

    @property
    def faults(self) -> list[tuple[str, str]]:
        """Pointer into the request and what is wrong there, for each fault that was named."""
        return [(each["pointer"], each["detail"]) for each in self.document.get("errors") or []]


def new_key() -> str:
    """An Idempotency-Key: what is sent twice with it is done once."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Server:
    """Calls in the name of nobody, or of whoever `token` stands for."""

    http: httpx.AsyncClient
    token: str | None = field(default=None, repr=False)

    def as_user(self, token: str | None) -> Server:
        """The same server, asked in the name of a session; raises SessionEnded without one."""
        if not token:
            raise SessionEnded
        return Server(self.http, token)

    async def get(self, path: str, **params: object) -> Any:  # noqa: ANN401 - JSON
        """The answer's JSON; parameters that are None or empty are left out."""
        return _read(await self.send("GET", path, params=params))

    async def post(self, path: str, body: object = None, *, key: str | None = None) -> Any:  # noqa: ANN401 - JSON
        """The answer's JSON, or None where it has no body. `key`: the Idempotency-Key."""
        headers = {"Idempotency-Key": key} if key else {}
        response = await self.send("POST", path, json=body, headers=headers)
        return _read(response) if response.content else None

    async def change(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
        """PUT, PATCH or DELETE; the answer's JSON, or None where it has no body."""
        response = await self.send(method, path, json=body)
        return _read(response) if response.content else None

    async def pages(
        self, path: str, items_max: int, **params: object
    ) -> tuple[list[dict[str, Any]], str | None]:
        """The first items of a list, over as many pages as that takes, and the cursor behind."""
        items: list[dict[str, Any]] = []
        cursor = params.pop("cursor", None)
        while True:
            page = await self.get(
                path, **params, limit=min(100, items_max - len(items)), cursor=cursor
            )
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None or len(items) >= items_max:
                return items, cursor

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request. Raises Unreachable, SessionEnded or Problem; never sends twice by itself
        once a connection stands."""
        request = self._request(method, path, params, headers, json=json, content=content)
        try:
            response = await self.http.send(request)
        except httpx.RequestError as error:
            raise Unreachable(str(error)) from error
        _check(response)
        return response

    @asynccontextmanager
    async def stream(self, path: str, **params: object) -> AsyncIterator[httpx.Response]:
        """GET whose body is read bit by bit: exports can be long."""
        request = self._request("GET", path, params, None)
        try:
            response = await self.http.send(request, stream=True)
        except httpx.RequestError as error:
            raise Unreachable(str(error)) from error
        try:
            if not response.is_success:
                await response.aread()
            _check(response)
            yield response
        finally:
            await response.aclose()

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, object] | None,
        headers: Mapping[str, str] | None,
        **body: Any,  # noqa: ANN401 - json or content
    ) -> httpx.Request:
        given: dict[str, Any] = {
            name: value for name, value in (params or {}).items() if value not in (None, "")
        }
        sent = dict(headers or {})
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        # None, not {}: that would take away a query that `path` has.
        return self.http.build_request(method, path, params=given or None, headers=sent, **body)


def connect(server_url: str, request_seconds: float) -> Server:
    """A server asked in nobody's name; close its `http` at the end."""
    transport = httpx.AsyncHTTPTransport(
        retries=_CONNECT_RETRIES, limits=httpx.Limits(max_connections=_CONNECTIONS_MAX)
    )
    return Server(
        httpx.AsyncClient(
            base_url=server_url, timeout=request_seconds, transport=transport, trust_env=False
        )
    )


def _read(response: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    try:
        return response.json()
    except ValueError as error:
        raise Unreachable(f"{response.request.url.path}: no JSON") from error


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    try:
        document = response.json()
    except ValueError:
        document = None
    if not isinstance(document, dict) or "code" not in document:
        raise Unreachable(f"{response.request.url.path}: {response.status_code} without a problem")
    if document["code"] == "unauthenticated":
        raise SessionEnded
    wait = response.headers.get("retry-after", "")
    raise Problem(response.status_code, document, float(wait) if wait.isdecimal() else None)
