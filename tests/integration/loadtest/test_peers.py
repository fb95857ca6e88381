"""Each installed peer comes up, answers as LightGBM does and leaves nothing behind."""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from loadtest.inputs import make_row
from loadtest.peers.catalog import PEERS, Peer, missing_reason, running_peer
from loadtest.peers.checks import check_peer
from loadtest.peers.process import PeerFailed
from tests.postgres import running_postgres

ROWS = 20
ACCOUNTS = 3

pytestmark = pytest.mark.integration


@pytest.fixture
def port() -> int:
    """A free port; the next one is MLServer's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
        return free


@contextmanager
def database_for(peer: Peer) -> Iterator[str]:
    if not peer.billed:
        yield ""
        return
    with running_postgres() as server:
        yield server.get_uri()


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_peer_answers_what_lightgbm_says(peer: Peer, port: int) -> None:
    reason = missing_reason(peer)
    if reason:
        pytest.skip(reason)
    source = random.Random(7)
    rows = [make_row(source) for _ in range(ROWS)]
    with (
        database_for(peer) as url,
        running_peer(peer, port, database_url=url, accounts=ACCOUNTS) as running,
    ):
        assert len(running.target.keys) == (ACCOUNTS if peer.billed else 0)
        assert running.versions["lightgbm"]
        check_peer(running, rows)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_peer_of_another_model_is_found_out(port: int) -> None:
    plain = next(peer for peer in PEERS if peer.name == "fastapi-plain")
    row = make_row(random.Random(7))
    with running_peer(plain, port) as running:
        target = running.target
        wrong = [0] * len(row)
        cheating = type(target)(
            target.name, target.base_url, target.path, lambda _: target.encode(wrong), target.marker
        )
        with pytest.raises(PeerFailed, match="LightGBM says"):
            check_peer(type(running)(plain, cheating, running.pid, running.versions), [row])
