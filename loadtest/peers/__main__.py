"""`python -m loadtest.peers NAME`: runs one peer on loopback until Ctrl-C, to try it by hand."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from loadtest.peers.catalog import PEERS, running_peer
from loadtest.peers.process import PeerFailed

NAMES = ", ".join(peer.name for peer in PEERS)


def main(
    name: Annotated[str, typer.Argument(help=NAMES)],
    port: Annotated[int, typer.Option()] = 8100,
    database_url: Annotated[
        str, typer.Option(help="URL of PostgreSQL, for the billed peer's own database")
    ] = "",
) -> None:
    """Serve until told to stop; a billed peer's key is printed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    peer = next((peer for peer in PEERS if peer.name == name), None)
    if peer is None:
        raise typer.BadParameter(f"no such peer: {name}; there are {NAMES}")
    try:
        with running_peer(peer, port, database_url=database_url) as running:
            print(f"{peer.title}: POST {running.target.base_url}{running.target.path}")
            for key in running.target.keys[:1]:
                print(f"key: {key}")
            signal.pause()
    except PeerFailed as error:
        print(f"peers: {error}", file=sys.stderr)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(main)
