"""What the catalog says of the peers."""

from pathlib import Path

import pytest

from loadtest.peers.catalog import BILLED, PEERS, PLAIN, running_peer
from loadtest.peers.process import PeerFailed

NAMES = ["fastapi-billed", "fastapi-plain", "litserve", "bentoml", "mlserver"]


def test_every_peer_has_a_name_and_a_goal() -> None:
    assert [peer.name for peer in PEERS] == NAMES
    assert [peer.goal for peer in PEERS] == [4, 1, 3, 3, 3]
    assert [peer.name for peer in PEERS if peer.billed] == ["fastapi-billed"]


def test_a_title_tells_the_version_installed() -> None:
    assert PLAIN.versions()["fastapi"] in PLAIN.title


def test_a_billed_peer_needs_a_database() -> None:
    with (
        pytest.raises(PeerFailed, match="PostgreSQL"),
        running_peer(BILLED, 1, model=Path(__file__)),
    ):
        pytest.fail("it must not start")


def test_the_model_must_be_there() -> None:
    with (
        pytest.raises(PeerFailed, match="model file"),
        running_peer(PLAIN, 1, model=Path("none.txt")),
    ):
        pytest.fail("it must not start")
