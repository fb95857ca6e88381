"""How often passwords may be tried and mails asked for.

Counted in moving windows in the memory of the replica: with n replicas a patient client gets up to
n times the rate, and a restart begins anew. That bounds guessing and the cost of hashing; it is no
ledger.
"""

from __future__ import annotations

import hmac
import math
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

import limits
from fastapi import Request
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from serve.accounts.settings import AccountsSettings
from serve.refusals import Code, Refusal

_BUCKETS = 65_536
"""Counts are kept for so many groups of e-mails and addresses, so that memory is bounded. Who
shares a group with whom changes with the process and cannot be found out."""

_NEIGHBOURHOOD_BITS = 64
"""Of an IPv6 address: one household has so many that counting single ones would be idle."""

Network = IPv4Network | IPv6Network


class Throttle:
    """Bounds one kind of attempt by e-mail, by client address and in all."""

    def __init__(self, name: str, *, per_email: str, per_address: str, in_all: str) -> None:
        self._name = name
        self._per_email = limits.parse(per_email)
        self._per_address = limits.parse(per_address)
        self._in_all = limits.parse(in_all)
        self._secret = secrets.token_bytes(32)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def attempt(self, email: str, address: str | None, now: datetime) -> None:
        """Count an attempt, or raise TOO_MANY_ATTEMPTS; those refused do not count."""
        windows = list(self._windows(email, address))
        for item, key in windows:
            if not self._limiter.test(item, key):
                reset_time = self._limiter.get_window_stats(item, key).reset_time
                raise _refused(max(1, math.ceil(reset_time - now.timestamp())))
        for item, key in windows:
            self._limiter.hit(item, key)

    def forgive(self, email: str) -> None:
        """Forget the e-mail's attempts: the right person came."""
        self._limiter.clear(self._per_email, self._bucket(email))

    def _windows(
        self, email: str, address: str | None
    ) -> Iterator[tuple[limits.RateLimitItem, str]]:
        yield self._per_email, self._bucket(email)
        if address is not None:
            yield self._per_address, self._bucket(f"from {address}")
        yield self._in_all, self._name

    def _bucket(self, text: str) -> str:
        digest = hmac.digest(self._secret, text.encode(), "sha256")
        return f"{self._name} {int.from_bytes(digest[:8], 'big') % _BUCKETS}"


class Throttles:
    """Those of the application, and where requests come from."""

    def __init__(self, settings: AccountsSettings) -> None:
        self.sign_in = Throttle(
            "sign_in",
            per_email=settings.sign_in_rate_per_email,
            per_address=settings.sign_in_rate_per_address,
            in_all=settings.sign_in_rate_in_all,
        )
        self.sign_up = Throttle(
            "sign_up",
            per_email=settings.sign_up_rate_per_email,
            per_address=settings.sign_up_rate_per_address,
            in_all=settings.sign_up_rate_in_all,
        )
        self._trusted_proxies = settings.trusted_proxies

    def client_address(self, request: Request) -> str | None:
        """Of whoever stands before our proxies; None where that cannot be known."""
        return find_client_address(
            request.client.host if request.client else None,
            ",".join(request.headers.getlist("x-forwarded-for")),
            self._trusted_proxies,
        )


def find_client_address(
    peer: str | None, forwarded_for: str, trusted_proxies: Sequence[Network]
) -> str | None:
    """The last address in `X-Forwarded-For` that is no proxy of ours; its /64 if it is IPv6.

    None where the peer is no trusted proxy, or where nothing but proxies is named: what an
    unknown peer writes there is its own invention.
    """
    if peer is None or not _is_trusted(peer, trusted_proxies):
        return None
    for hop in reversed(forwarded_for.split(",")):
        if not _is_trusted(hop, trusted_proxies):
            return _neighbourhood(hop)
    return None


def _parse(text: str) -> object:
    address = ip_address(text.strip())
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _is_trusted(text: str, trusted_proxies: Sequence[Network]) -> bool:
    try:
        address = _parse(text)
    except ValueError:
        return False
    return any(address in network for network in trusted_proxies)


def _neighbourhood(text: str) -> str | None:
    try:
        address = _parse(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), _NEIGHBOURHOOD_BITS), strict=False))
    return str(address)


def _refused(seconds: int) -> Refusal:
    return Refusal(
        Code.TOO_MANY_ATTEMPTS,
        f"There were too many attempts; the next can be made in {seconds} s.",
        {"retry_after_seconds": seconds},
    )
