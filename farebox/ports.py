"""Ports: whether they are free, who holds them, and free ones for what needs any."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import ExitStack

import psutil

from farebox.errors import PortTaken


def check_free(ports: Mapping[str, int]) -> None:
    """Raise PortTaken, naming each port in use, what it is for and who holds it."""
    taken = [
        f"port {port} for {purpose} is in use{_holder(port)}"
        for purpose, port in ports.items()
        if not is_free(port)
    ]
    if taken:
        raise PortTaken(
            "; ".join(taken) + ". Stop what holds it, or choose another port by the variable."
        )


def is_free(port: int) -> bool:
    """Whether `port` can be bound on all interfaces: nobody listens on any of them."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def find_free_port() -> int:
    """A port nobody uses right now."""
    return find_free_ports(1)[0]


def find_free_ports(count: int) -> list[int]:
    """Different ports that nobody uses right now: asked for one by one, two may be the same."""
    with ExitStack() as bound:
        probes = [
            bound.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            for _ in range(count)
        ]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _holder(port: int) -> str:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return ""
    for connection in connections:
        listening = connection.status == psutil.CONN_LISTEN
        if listening and connection.laddr.port == port and connection.pid:
            return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
