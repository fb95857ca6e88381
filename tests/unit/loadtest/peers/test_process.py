"""Starting a peer, and ending all that it forked."""

import socket
import sys
from pathlib import Path

import pytest

from loadtest.peers.process import Launch, PeerFailed, marked_processes, running_process

SERVER = """
import http.server, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
        return free


def launch(program: str, *arguments: str) -> Launch:
    return Launch((sys.executable, "-c", program, *arguments), "/", {})


def test_children_in_sessions_of_their_own_end_too(tmp_path: Path, port: int) -> None:
    with running_process(launch(SERVER, str(port)), port, tmp_path) as pid:
        running = {process.pid for process in marked_processes(tmp_path)}
    assert pid in running
    assert len(running) == 2
    assert marked_processes(tmp_path) == []


def test_a_peer_that_ends_at_once_shows_what_it_wrote(tmp_path: Path, port: int) -> None:
    broken = launch("raise SystemExit('the model is missing')")
    with (
        pytest.raises(PeerFailed, match="the model is missing"),
        running_process(broken, port, tmp_path),
    ):
        pytest.fail("it must not come up")


def test_a_busy_port_is_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port: int = other.getsockname()[1]
        with (
            pytest.raises(PeerFailed, match="in use"),
            running_process(launch(SERVER, str(port)), port, tmp_path),
        ):
            pytest.fail("it must not start")
    assert marked_processes(tmp_path) == []
