"""The web console: a process of its own that is a client of the HTTP API."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import httpx

from farebox.errors import StartFailed
from farebox.home import Home

_COMMAND = (sys.executable, "-m", "frontend")
_PAUSE_SECONDS = 0.2


def console_environment(
    home: Home, server_url: str, port: int, host: str | None = None
) -> dict[str, str]:
    """The environment of a console for that server; anything else the user set stays."""
    return {
        "FAREBOX_CONSOLE_WORK_DIR": str(home.console),
        **os.environ,
        "FAREBOX_CONSOLE_SERVER_URL": server_url,
        "FAREBOX_CONSOLE_PORT": str(port),
        **({"FAREBOX_CONSOLE_HOST": host} if host else {}),
    }


def start_console(home: Home, server_url: str, port: int) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, so that Ctrl-C reaches only who ends it in order."""
    with home.console_log.open("wb") as log:
        return subprocess.Popen(
            _COMMAND,
            env=console_environment(home, server_url, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_for_console(
    home: Home, console: subprocess.Popen[bytes], url: str, deadline: float
) -> None:
    """Return when it answers; raises StartFailed where it ends, or not before `deadline`."""
    while True:
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).status_code == 200:  # noqa: PLR2004
                return
        except httpx.TransportError:
            pass
        if console.poll() is not None or time.monotonic() > deadline:
            last_words = home.console_log.read_text(errors="replace").strip()[-1000:]
            raise StartFailed(
                f"the web console did not come up; its last words, from {home.console_log}:\n"
                f"{last_words}"
            )
        time.sleep(_PAUSE_SECONDS)


def become_console(home: Home, server_url: str, port: int, host: str) -> None:
    """Turn this process into a console; it ends by Ctrl-C."""
    os.execve(  # noqa: S606 - no shell is wanted
        sys.executable, _COMMAND, console_environment(home, server_url, port, host)
    )
