"""Connects to public addresses alone, whatever a name stands for.

A name is looked up once for each connection, every address it stands for is checked, and one of
those very addresses is connected to: a name that answers otherwise the next time gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpcore

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses, as text, of a host and a port; raises OSError where there are none."""

_ADDRESSES_MAX = 8
"""Tried one after another; a name with more is looked at no further."""

# Beside what `ipaddress` knows: its lists grew with Python's versions.
_NEVER = tuple(
    ip_network(text)
    for text in (
        "100.64.0.0/10",  # shared by carriers; some clouds' metadata
        "168.63.129.16/32",  # Azure's wire server: a public number, answered inside
        "192.0.0.0/24",  # IETF assignments; Oracle's metadata
        "192.88.99.0/24",  # relays of 6to4
        "198.18.0.0/15",  # benchmarks
        "2001::/23",  # IETF assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: holds an IPv4 address
        "3fff::/20",  # documentation
    )
)
_GLOBAL_UNICAST = ip_network("2000::/3")
"""All other IPv6: loopback, mapped, NAT64 (64:ff9b::/96), unique local, link-local, multicast."""


class AddressRefused(Exception):
    """The host stands for no address, or for one that is not public."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is reached over the internet alone and holds no other address."""
    if address.version == 6 and address not in _GLOBAL_UNICAST:  # noqa: PLR2004 - IPv6
        return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _NEVER)


class Resolver:
    """The machine's own, in threads of its own: slow names keep no database's name waiting."""

    def __init__(self, threads: int = 16) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolver")

    async def __call__(self, host: str, port: int) -> list[str]:
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [str(address[0]) for *_, address in found]


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """httpcore's way to the network, by checked addresses. `allow_private` checks nothing."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        resolve: Resolve | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._resolve = resolve or Resolver()
        self._network = network or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """To the first of the host's addresses that takes the connection.

        Raises AddressRefused before anything is sent, httpcore's errors where none takes it.
        """
        failure: Exception | None = None
        for address in await self._find(host, port):
            try:
                return await self._network.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    async def _find(self, host: str, port: int) -> list[IPv4Address | IPv6Address]:
        """All must be public: a name that stands for both kinds is a trick or a mistake."""
        try:
            texts = await self._resolve(host, port)
            addresses = [ip_address(text) for text in dict.fromkeys(texts)]
        except (OSError, ValueError) as error:
            raise AddressRefused(host) from error
        if not addresses:
            raise AddressRefused(host)
        if not self._allow_private and not all(map(is_public, addresses)):
            raise AddressRefused(host)
        return addresses[:_ADDRESSES_MAX]
