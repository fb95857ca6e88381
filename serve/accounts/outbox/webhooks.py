"""Sends an event to a URL that a user chose, signed with the alert's secret."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ssl
from datetime import datetime

import httpcore
import httpx
import orjson

from billing.outbox.values import Claimed
from serve.accounts.outbox.addresses import AddressRefused, CheckedBackend, Resolve
from serve.accounts.outbox.sending import NotSent
from serve.accounts.outbox.urls import read_url

_USER_AGENT = "Farebox-Webhooks/1"
_CONNECTS = 3
_NO_PUBLIC_ADDRESS = "The URL's host does not stand for public addresses alone."


class WebhookSender:
    """POSTs without following redirects; of the answer, only the status is read."""

    def __init__(
        self,
        *,
        timeout_seconds: float,
        allow_http: bool = False,
        allow_private: bool = False,
        resolve: Resolve | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._allow_http = allow_http
        self._backend = CheckedBackend(
            allow_private=allow_private, resolve=resolve, network=network
        )
        self._ssl_context = ssl_context or httpcore.default_ssl_context()

    async def send(self, claimed: Claimed, now: datetime) -> None:
        """Arrived is what was answered by a status from 200 to 299. Raises NotSent."""
        if claimed.url is None or claimed.secret is None:
            raise NotSent("The alert was deleted.", is_final=True)
        try:
            url = read_url(claimed.url, allow_http=self._allow_http)
        except ValueError as error:
            raise NotSent(str(error), is_final=True) from error
        body = orjson.dumps(claimed.payload)
        headers = {
            "Host": url.netloc.decode(),
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "User-Agent": _USER_AGENT,
            "Farebox-Delivery": str(claimed.id),
            "Farebox-Signature": sign(claimed.secret, body, now),
        }
        status = await self._post(url, headers, body)
        if 300 <= status < 400:  # noqa: PLR2004 - redirects
            raise NotSent(f"The receiver answered {status}: redirects are not followed.")
        if not 200 <= status < 300:  # noqa: PLR2004 - success
            raise NotSent(f"The receiver answered {status}.")

    async def _post(self, url: httpx.URL, headers: dict[str, str], body: bytes) -> int:
        """The answer's status. The connection is used for nothing else."""
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        # A share of the time, so that the next address gets its chance too.
        extensions = {"timeout": {"connect": self._timeout_seconds / _CONNECTS}}
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                httpcore.AsyncConnectionPool(
                    ssl_context=self._ssl_context,
                    network_backend=self._backend,
                    max_keepalive_connections=0,
                ) as pool,
                pool.stream(
                    "POST", target, headers=[*headers.items()], content=body, extensions=extensions
                ) as answer,
            ):
                return answer.status
        except AddressRefused as error:
            raise NotSent(_NO_PUBLIC_ADDRESS) from error
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise NotSent(f"No answer in {self._timeout_seconds:g} seconds.") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise NotSent(f"The connection failed: {_describe(error)}") from error


def sign(secret: str, body: bytes, now: datetime) -> str:
    """`t=<Unix time>,v1=<HMAC-SHA256 of "t.body" in hexadecimal>`, keyed with the whole secret."""
    seconds = int(now.timestamp())
    message = f"{seconds}.".encode() + body
    return f"t={seconds},v1={hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()}"


def _describe(error: Exception) -> str:
    """The kind of error, and a certificate's fault; nothing of where the connection went."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not trusted ({cause.verify_message})"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
