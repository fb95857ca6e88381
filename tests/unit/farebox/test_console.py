"""The console's process: how it is told what to do, and what is said when it does not come up."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from farebox.console import console_environment, wait_for_console
from farebox.errors import StartFailed
from farebox.home import Home
from farebox.ports import find_free_port

NO_SITE = [sys.executable, "-S", "-E", "-c"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.create()
    return home


def test_a_console_is_told_its_server_whatever_the_environment_says(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAREBOX_CONSOLE_SERVER_URL", "http://another")
    monkeypatch.setenv("FAREBOX_CONSOLE_HOST", "0.0.0.0")
    told = console_environment(home, "http://this", 7861)
    assert told["FAREBOX_CONSOLE_SERVER_URL"] == "http://this"
    assert told["FAREBOX_CONSOLE_PORT"] == "7861"
    assert told["FAREBOX_CONSOLE_HOST"] == "0.0.0.0"
    assert console_environment(home, "x", 1, "127.0.0.1")["FAREBOX_CONSOLE_HOST"] == "127.0.0.1"


def test_files_lie_in_the_products_folder_unless_told_otherwise(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAREBOX_CONSOLE_WORK_DIR", raising=False)
    told = console_environment(home, "x", 1)
    assert told["FAREBOX_CONSOLE_WORK_DIR"] == str(home.root / "console")
    monkeypatch.setenv("FAREBOX_CONSOLE_WORK_DIR", "/elsewhere")
    assert console_environment(home, "x", 1)["FAREBOX_CONSOLE_WORK_DIR"] == "/elsewhere"


def test_a_console_that_ends_is_told_with_its_last_words(home: Home) -> None:
    with home.console_log.open("wb") as log:
        console = subprocess.Popen([*NO_SITE, "print('no such option')"], stdout=log)
    url = f"http://127.0.0.1:{find_free_port()}"
    with pytest.raises(StartFailed, match="no such option"):
        wait_for_console(home, console, url, time.monotonic() + 30)


def test_a_console_that_never_answers_is_waited_for_no_longer_than_said(home: Home) -> None:
    home.console_log.write_text("still importing")
    console = subprocess.Popen([*NO_SITE, "import time; time.sleep(60)"])
    try:
        url = f"http://127.0.0.1:{find_free_port()}"
        with pytest.raises(StartFailed, match="still importing"):
            wait_for_console(home, console, url, time.monotonic() + 0.5)
    finally:
        console.kill()
        console.wait()
