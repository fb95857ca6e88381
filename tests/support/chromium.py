"""A real browser for tests: Debian's Chromium, installed where it is missing and can be."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",  # as root, as in continuous integration
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    # Chromium's own services are no part of the page: without these it looks up foreign hosts.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_INSTALL_SECONDS = 300


@functools.cache
def find_chromium() -> tuple[str | None, str]:
    """The executable, or None and a sentence why there is none."""
    found = _look()
    if found:
        return found, ""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return None, "there is no Chromium: install it, such as by `apt install chromium`"
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "chromium"]):
        try:
            done = subprocess.run(
                command,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                capture_output=True,
                text=True,
                timeout=_INSTALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None, f"`{' '.join(command)}` took longer than {_INSTALL_SECONDS} s"
        if done.returncode:
            return None, f"`{' '.join(command)}` failed: {done.stderr.strip()[-300:]}"
    found = _look()
    return (found, "") if found else (None, "Chromium was installed, and is not on the path")


def _look() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)
