"""No URL that a user gave reaches anything but public addresses."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.accounts.outbox.addresses import AddressRefused, CheckedBackend, Resolver, is_public

pytestmark = pytest.mark.anyio

PUBLIC, PUBLIC_6 = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"

INSIDE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "233.252.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:93.184.215.14",
    "64:ff9b::7f00:1",
    "64:ff9b::5db8:d70e",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:5db8:d70e::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


class Network(httpcore.AsyncNetworkBackend):
    """Connects nowhere, and keeps where it should have."""

    def __init__(self, *down: str) -> None:
        self.connected: list[tuple[str, int]] = []
        self._down = down

    async def connect_tcp(
        self,
        host: str,
        port: int,
        *_: Any,
        **__: Any,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        if host in self._down:
            raise httpcore.ConnectError
        return httpcore.AsyncMockStream([])


class Names:
    """A resolver that gives its answers one after another, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize("text", INSIDE)
def test_address_that_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", [PUBLIC, "8.8.8.8", "1.1.1.1", "172.15.0.1", PUBLIC_6])
def test_address_that_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_no_ipv6_address_with_another_inside_is_public(inner: IPv4Address) -> None:
    mapped = IPv6Address(0xFFFF_0000_0000 + int(inner))
    compatible = IPv6Address(int(inner))
    six_to_four = IPv6Address((0x2002 << 112) + (int(inner) << 80) + 1)
    nat64 = IPv6Address((0x64FF9B << 96) + int(inner))
    teredo = IPv6Address((0x2001 << 112) + (~int(inner) & 0xFFFF_FFFF))
    assert not any(map(is_public, (mapped, compatible, six_to_four, nat64, teredo)))


async def test_connects_to_the_checked_address_and_asks_once() -> None:
    names, network = Names([PUBLIC]), Network()
    await CheckedBackend(resolve=names, network=network).connect_tcp("example.com", 443)
    assert (names.asked, network.connected) == (["example.com"], [(PUBLIC, 443)])


async def test_name_that_answers_otherwise_the_second_time_gains_nothing() -> None:
    names, network = Names([PUBLIC], ["127.0.0.1"]), Network()
    backend = CheckedBackend(resolve=names, network=network)
    await backend.connect_tcp("rebind.example", 443)
    with pytest.raises(AddressRefused):
        await backend.connect_tcp("rebind.example", 443)
    assert network.connected == [(PUBLIC, 443)]


@pytest.mark.parametrize("inside", ["127.0.0.1", "::1", "10.0.0.1", "::ffff:10.0.0.1"])
async def test_one_inner_address_among_public_ones_is_refused(inside: str) -> None:
    network = Network()
    backend = CheckedBackend(resolve=Names([PUBLIC, PUBLIC_6, inside]), network=network)
    with pytest.raises(AddressRefused):
        await backend.connect_tcp("example.com", 443)
    assert network.connected == []


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "017700000001",
        "0177.0.0.1",
        "0",
        "0xa9fea9fe",
        "2852039166",
        "::1",
        "::ffff:127.0.0.1",
        "0:0:0:0:0:ffff:7f00:1",
        "fe80::1",
    ],
)
async def test_every_spelling_of_an_inner_address_is_refused(host: str) -> None:
    """By the machine's own resolver: no name server is asked for any of these."""
    network = Network()
    with pytest.raises(AddressRefused):
        await CheckedBackend(network=network).connect_tcp(host, 80)
    assert network.connected == []


async def test_name_without_an_address_is_refused() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror("unknown")

    for resolve in (unknown, Names([]), Names(["no address"])):
        with pytest.raises(AddressRefused):
            await CheckedBackend(resolve=resolve, network=Network()).connect_tcp("a.example", 443)


async def test_next_address_is_tried_where_one_takes_no_connection() -> None:
    network = Network(PUBLIC)
    backend = CheckedBackend(resolve=Names([PUBLIC, PUBLIC_6]), network=network)
    await backend.connect_tcp("example.com", 443)
    assert network.connected == [(PUBLIC, 443), (PUBLIC_6, 443)]

    network = Network(PUBLIC, PUBLIC_6)
    backend = CheckedBackend(resolve=Names([PUBLIC, PUBLIC_6]), network=network)
    with pytest.raises(httpcore.ConnectError):
        await backend.connect_tcp("example.com", 443)


async def test_private_addresses_are_reached_where_that_is_allowed() -> None:
    network = Network()
    backend = CheckedBackend(allow_private=True, resolve=Names(["127.0.0.1"]), network=network)
    await backend.connect_tcp("receiver", 80)
    assert network.connected == [("127.0.0.1", 80)]


async def test_resolver_knows_loopback() -> None:
    assert "127.0.0.1" in await Resolver(1)("127.0.0.1", 80)
