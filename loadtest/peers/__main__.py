"""`python -m loadtest.peers --database-url URL --model FILE`: runs the plain peer on loopback."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

WORKER_START_SECONDS = 60
"""uvicorn ends workers that do not answer it for so long; 5 s is too short to import LightGBM."""


def main(
    database_url: Annotated[str, typer.Option(help="URL of the database `farebox_peer`")],
    model: Annotated[Path, typer.Option(help="a LightGBM text model", exists=True)],
    port: Annotated[int, typer.Option()] = 8100,
    workers: Annotated[int, typer.Option()] = 2,
    connections: Annotated[int, typer.Option(help="database connections of a worker")] = 10,
) -> None:
    """Serve on loopback until told to stop."""
    os.environ.update(
        PEER_DATABASE_URL=database_url,
        PEER_MODEL=str(model),
        PEER_CONNECTIONS=str(connections),
        OMP_NUM_THREADS="1",
    )
    uvicorn.run(
        "loadtest.peers.fastapi_billed:create_app",
        factory=True,
        host="127.0.0.1",
        port=port,
        workers=workers,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        timeout_worker_healthcheck=WORKER_START_SECONDS,
    )


if __name__ == "__main__":
    typer.run(main)
