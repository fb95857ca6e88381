"""How each peer is started, with its best settings for two cores shared with the generator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loadtest.peers.environments import ROOT
from loadtest.peers.mlserver_settings import MODEL_NAME, write_repository
from loadtest.peers.process import Launch

WORKERS = 2
WORKER_START_SECONDS = 60
"""uvicorn ends workers that do not answer it for so long; 5 s is too short to import LightGBM."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer runs; `connections` are to the database, of each worker."""

    python: Path
    folder: Path
    port: int
    model: Path
    database_url: str = ""
    connections: int = 10


def launch_fastapi_billed(place: Place) -> Launch:
    """Two workers, each with a pool of its own."""
    return Launch(
        _uvicorn(place, "loadtest.peers.fastapi_billed:create_app"),
        "/healthz",
        {
            **_environment(place),
            "PEER_DATABASE_URL": place.database_url,
            "PEER_CONNECTIONS": str(place.connections),
        },
    )


def launch_fastapi_plain(place: Place) -> Launch:
    """Two workers."""
    command = _uvicorn(place, "loadtest.peers.fastapi_plain:create_app")
    return Launch(command, "/healthz", _environment(place))


def launch_litserve(place: Place) -> Launch:
    """Its settings are in `litserve_app`."""
    command = (str(place.python), "-m", "loadtest.peers.litserve_app", str(place.port))
    return Launch(command, "/health", _environment(place))


def launch_bentoml(place: Place) -> Launch:
    """Its settings are in `bentoml_app`; it writes home and tells its makers only where it may."""
    command = (
        *(str(place.python), "-m", "bentoml", "serve", "loadtest.peers.bentoml_app:Scorer"),
        *("--host", "127.0.0.1", "--port", str(place.port), "--working-dir", str(ROOT)),
    )
    environment = {
        **_environment(place),
        "BENTOML_HOME": str(place.folder / "home"),
        "BENTOML_DO_NOT_TRACK": "True",
        # Without it, each request makes spans that nobody collects.
        "OTEL_SDK_DISABLED": "true",
    }
    return Launch(command, "/readyz", environment)


def launch_mlserver(place: Place) -> Launch:
    """Its settings are in `mlserver_settings`."""
    repository = write_repository(place.folder, place.port, place.model)
    command = (str(place.python.parent / "mlserver"), "start", str(repository))
    return Launch(command, f"/v2/models/{MODEL_NAME}/ready", _environment(place))


def _uvicorn(place: Place, factory: str) -> tuple[str, ...]:
    return (
        *(str(place.python), "-m", "uvicorn", factory, "--factory"),
        *("--host", "127.0.0.1", "--port", str(place.port), "--workers", str(WORKERS)),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
        *("--timeout-worker-healthcheck", str(WORKER_START_SECONDS)),
    )


def _environment(place: Place) -> dict[str, str]:
    """One thread a prediction; this checkout is where modules of `loadtest` come from."""
    return {
        "PEER_MODEL": str(place.model),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
