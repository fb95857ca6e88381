"""The peers that Farebox is measured beside: what each is, and how to run it for a while."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtest.champion import champion_file
from loadtest.inputs import Row
from loadtest.peers.bodies import encode_instances, encode_row, encode_rows, encode_tensor
from loadtest.peers.environments import Environment, OwnEnvironment
from loadtest.peers.launches import (
    Place,
    launch_bentoml,
    launch_fastapi_billed,
    launch_fastapi_plain,
    launch_litserve,
    launch_mlserver,
)
from loadtest.peers.mlserver_settings import MODEL_NAME
from loadtest.peers.process import Launch, PeerFailed, running_process
from loadtest.peers.tables import create_accounts, create_database, drop_database
from loadtest.target import Target

ACCOUNTS = 50
CREDITS_EACH = 1_000_000
CONNECTIONS = 10
GOAL_ONE_ACCOUNT = 8.0
"""Of the billed peer when all requests are one account's; its `goal` is for 50 accounts."""
PORTS_EACH = 2
"""A peer takes its port and may take the next: MLServer's gRPC server cannot be switched off."""
ENGINE = ("lightgbm", "numpy", "uvicorn", "uvloop", "httptools", "fastapi")


@dataclass(frozen=True, slots=True)
class Peer:
    """Another way to serve the same model; `goal` is what the product's rate over its should be."""

    name: str
    label: str
    detail: str
    distribution: str
    billed: bool
    goal: float
    environment: Environment | OwnEnvironment
    launch: Callable[[Place], Launch]
    path: str
    encode: Callable[[Row], bytes]
    marker: bytes

    @property
    def title(self) -> str:
        """For a table, with the version that is really installed."""
        version = self.versions().get(self.distribution)
        return f"{self.label} {version}, {self.detail}" if version else self.label

    def versions(self) -> dict[str, str]:
        """Of Python and of the packages that matter to its speed."""
        return self.environment.versions((self.distribution, *ENGINE))


@dataclass(frozen=True, slots=True)
class RunningPeer:
    """A peer that is ready; `pid` is the process above all of its own."""

    peer: Peer
    target: Target
    pid: int
    versions: dict[str, str]


BILLED = Peer(
    name="fastapi-billed",
    label="FastAPI",
    detail="asyncpg, one transaction per request",
    distribution="fastapi",
    billed=True,
    goal=4,
    environment=OwnEnvironment(),
    launch=launch_fastapi_billed,
    path="/v1/predictions",
    encode=encode_instances,
    marker=b'"probability":',
)
PLAIN = Peer(
    name="fastapi-plain",
    label="FastAPI",
    detail="no billing",
    distribution="fastapi",
    billed=False,
    goal=1,
    environment=OwnEnvironment(),
    launch=launch_fastapi_plain,
    path="/v1/predictions",
    encode=encode_instances,
    marker=b'"probability":',
)
LITSERVE = Peer(
    name="litserve",
    label="LitServe",
    detail="batching, no billing",
    distribution="litserve",
    billed=False,
    goal=3,
    environment=Environment("litserve"),
    launch=launch_litserve,
    path="/predict",
    encode=encode_row,
    marker=b'"probability":',
)
BENTOML = Peer(
    name="bentoml",
    label="BentoML",
    detail="adaptive batching, no billing",
    distribution="bentoml",
    billed=False,
    goal=3,
    environment=Environment("bentoml"),
    launch=launch_bentoml,
    path="/predict",
    encode=encode_rows,
    marker=b"[",
)
MLSERVER = Peer(
    name="mlserver",
    label="MLServer",
    detail="adaptive batching, no billing",
    distribution="mlserver",
    billed=False,
    goal=3,
    environment=Environment("mlserver"),
    launch=launch_mlserver,
    path=f"/v2/models/{MODEL_NAME}/infer",
    encode=encode_tensor,
    marker=b'"data":[',
)
PEERS = (BILLED, PLAIN, LITSERVE, BENTOML, MLSERVER)


def missing_reason(peer: Peer) -> str | None:
    """None where `peer` can be started, else a sentence that says why not and what to do."""
    return peer.environment.missing_reason()


@contextmanager
def running_peer(
    peer: Peer,
    port: int,
    *,
    database_url: str = "",
    accounts: int = ACCOUNTS,
    credits_each: int = CREDITS_EACH,
    model: Path | None = None,
    connections: int = CONNECTIONS,
) -> Iterator[RunningPeer]:
    """Run `peer` on loopback while the block lasts; raises PeerFailed where it does not come up.

    A billed peer makes its own database on the PostgreSQL server of `database_url`, with
    `accounts` accounts and a key each, and drops it afterwards; `connections` are each worker's.
    """
    reason = missing_reason(peer)
    if reason:
        raise PeerFailed(reason)
    model = model or champion_file()
    if not model.exists():
        raise PeerFailed(f"{peer.name} needs the model file {model}")
    billing = _books(database_url, accounts, credits_each) if peer.billed else _no_books()
    with _folder() as folder, billing as (own_database_url, keys):
        place = Place(
            peer.environment.python, folder, port, model.resolve(), own_database_url, connections
        )
        with running_process(peer.launch(place), port, folder) as pid:
            base_url = f"http://127.0.0.1:{port}"
            target = Target(peer.name, base_url, peer.path, peer.encode, peer.marker, keys)
            yield RunningPeer(peer, target, pid, peer.versions())


@contextmanager
def _books(
    server_url: str, accounts: int, credits_each: int
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The URL of a fresh database, which is dropped at the end, and a key for each account."""
    if not server_url:
        raise PeerFailed("a billed peer needs the URL of a PostgreSQL server")
    url = asyncio.run(create_database(server_url))
    try:
        yield url, tuple(asyncio.run(create_accounts(url, accounts, credits_each)))
    finally:
        asyncio.run(drop_database(server_url))


@contextmanager
def _no_books() -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "", ()


@contextmanager
def _folder() -> Iterator[Path]:
    """Short: sockets of the peers have their paths in it."""
    with tempfile.TemporaryDirectory(prefix="fb-peer-", ignore_cleanup_errors=True) as name:
        yield Path(name)
