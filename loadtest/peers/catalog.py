"""The peers that the product is measured beside, and how each is run."""

from __future__ import annotations

import asyncio
import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from loadtest.inputs import Row
from loadtest.peers.running import PeerFailed, running_peer_process
from loadtest.peers.tables import create_accounts, create_database, drop_database
from loadtest.target import Target

MODEL = Path("models/artifacts/android-malware/1/model.txt")
CREDITS_EACH = 1_000_000
CONNECTIONS = 10
GOAL_ONE_ACCOUNT = 8.0
"""For the billed peer with one account: its requests wait for one row's lock."""

__all__ = ["GOAL_ONE_ACCOUNT", "PEERS", "Peer", "PeerFailed", "missing_reason", "running_peer"]


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that does the same job; `goal` is the product's requests/s over its."""

    name: str
    title: str
    billed: bool
    goal: float


@dataclass(frozen=True, slots=True)
class RunningPeer:
    """A peer that is up: its target, its process, what it is made of."""

    target: Target
    pid: int
    versions: dict[str, str]


PEERS: tuple[Peer, ...] = (
    Peer("fastapi-billed", "FastAPI, asyncpg, one transaction a request", billed=True, goal=4),
)


def missing_reason(peer: Peer) -> str | None:
    """Why the peer cannot run here; None where it can."""
    return None if MODEL.exists() else f"{peer.name} needs the model file {MODEL}"


@contextmanager
def running_peer(
    peer: Peer,
    port: int,
    *,
    database_url: str = "",
    accounts: int = 50,
    credits_each: int = CREDITS_EACH,
) -> Iterator[RunningPeer]:
    """Run the peer with fresh accounts in a fresh database, dropped at the end."""
    url = asyncio.run(create_database(database_url))
    try:
        keys = asyncio.run(create_accounts(url, accounts, credits_each))
        with running_peer_process(url, MODEL, port, CONNECTIONS) as pid:
            target = Target(
                name=peer.name,
                base_url=f"http://127.0.0.1:{port}",
                path="/v1/predictions",
                encode=_encode,
                marker=b'"probability":',
                keys=tuple(keys),
            )
            packages = ("fastapi", "uvicorn", "lightgbm", "asyncpg")
            versions = {name: version(name) for name in packages}
            yield RunningPeer(target, pid, {"python": platform.python_version(), **versions})
    finally:
        asyncio.run(drop_database(database_url))


def _encode(row: Row) -> bytes:
    body = {"model": "android-malware", "instances": [row]}
    return json.dumps(body, separators=(",", ":")).encode()
