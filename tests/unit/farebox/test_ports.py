"""Ports in use are named with what they are for and who holds them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import psutil
import pytest

from farebox.errors import PortTaken
from farebox.ports import check_free, find_free_port, find_free_ports, is_free


@pytest.fixture
def held_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_purpose_and_process(held_port: int) -> None:
    with pytest.raises(PortTaken) as caught:
        check_free({"the dashboard (ITS_VARIABLE)": held_port})
    message = str(caught.value)
    assert f"port {held_port} for the dashboard (ITS_VARIABLE)" in message
    assert f"{psutil.Process().name()} (process {os.getpid()})" in message


def test_every_taken_port_is_named_and_no_free_one(held_port: int) -> None:
    free = find_free_port()
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(PortTaken) as caught:
        check_free({"one": held_port, "free": free, "two": other.getsockname()[1]})
    assert "for one" in str(caught.value)
    assert "for two" in str(caught.value)
    assert "for free" not in str(caught.value)


def test_free_ports_pass() -> None:
    check_free({"anything": find_free_port()})


def test_a_port_held_on_loopback_alone_is_not_free(held_port: int) -> None:
    assert not is_free(held_port)


def test_a_port_is_free_again_once_it_is_let_go() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            connection, _ = listener.accept()
            connection.close()  # what is left of it waits in TIME_WAIT, and is in nobody's way
    assert is_free(port)


def test_a_found_port_can_be_bound() -> None:
    with socket.create_server(("127.0.0.1", find_free_port())) as listener:
        assert listener.getsockname()[1] > 0


def test_free_ports_found_together_differ() -> None:
    assert len(set(find_free_ports(50))) == 50
