"""The environment and the command line of the Ray head."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from farebox import ray_node
from farebox.home import Home
from farebox.ray_node import _head_command, connections_max, has_haproxy, node_environment
from farebox.settings import ProductSettings
from serve.accounts.settings import AccountsSettings

SOCKET_BYTES_MAX = 97
"""HAProxy's bound for its socket's path, the suffix that it adds while it binds taken off."""
LONGEST_SOCKET_NAME = "x" * 56

needs_haproxy = pytest.mark.skipif(not has_haproxy(), reason="no HAProxy wheel for this system")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def environment(home: Home, secrets: dict[str, str] | None = None) -> dict[str, str]:
    return node_environment(home, ProductSettings(), secrets or {})


def test_what_the_user_set_wins(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("RAY_SERVE_HAPROXY_NBTHREAD", "9")
    found = environment(home)
    assert found["OMP_NUM_THREADS"] == "7"
    assert found["RAY_SERVE_HAPROXY_NBTHREAD"] == "9"


def test_what_the_user_did_not_set_is_chosen(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "RAY_worker_niceness", "RAY_USAGE_STATS_ENABLED"):
        monkeypatch.delenv(name, raising=False)
    found = environment(home)
    assert found["OMP_NUM_THREADS"] == "1"
    assert found["RAY_worker_niceness"] == "0"
    assert found["RAY_USAGE_STATS_ENABLED"] == "0"


def test_the_rest_of_the_users_environment_is_passed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAREBOX_MODELS_DIR", "/models")
    assert environment(home)["FAREBOX_MODELS_DIR"] == "/models"


def test_payments_lead_back_to_the_console_at_its_own_port(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAREBOX_CONSOLE_PORT", "7999")
    monkeypatch.setenv("FAREBOX_PUBLIC_URL", "https://api.example.com/farebox")
    monkeypatch.setenv("FAREBOX_RETURN_ORIGINS", environment(home)["FAREBOX_RETURN_ORIGINS"])
    assert AccountsSettings().origins_returned_to == {
        ("https", "api.example.com", 443),
        ("http", "127.0.0.1", 7999),
        ("http", "localhost", 7999),
    }


def test_without_a_console_payments_lead_back_as_the_api_has_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAREBOX_CONSOLE_PORT", "0")
    monkeypatch.delenv("FAREBOX_RETURN_ORIGINS", raising=False)
    assert "FAREBOX_RETURN_ORIGINS" not in environment(home)


def test_secrets_are_passed_and_are_this_products_own(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAREBOX_DATABASE_URL", "of another")
    secrets = {"FAREBOX_DATABASE_URL": "of this", "FAREBOX_KEY_HASH_SECRET": "s"}
    assert secrets.items() <= environment(home, secrets).items()


def test_secrets_are_not_on_the_command_line(home: Home) -> None:
    command = " ".join(_head_command(home.ray, ProductSettings()))
    assert "SECRET" not in command
    assert "postgresql" not in command


def test_ray_finds_our_middlewares(home: Home) -> None:
    path = environment(home)["RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"]
    module, _, name = path.rpartition(".")
    assert callable(getattr(__import__(module, fromlist=[name]), name))


@needs_haproxy
def test_haproxys_ports_are_the_settings(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAREBOX_HAPROXY_STATS_PORT", "18404")
    monkeypatch.setenv("FAREBOX_REPLICA_PORT_MIN", "31000")
    monkeypatch.setenv("FAREBOX_REPLICA_PORTS", "50")
    found = environment(home)
    assert found["RAY_SERVE_HAPROXY_STATS_PORT"] == "18404"
    assert found["RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT"] == "31000"
    assert found["RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT"] == "31025"
    assert found["RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT"] == "31025"
    assert found["RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT"] == "31050"


@needs_haproxy
def test_haproxys_files_lie_in_this_products_own_folder(home: Home) -> None:
    found = environment(home)
    files = [value for name, value in found.items() if "HAPROXY" in name and "/" in value]
    assert len(files) >= 4
    assert all(Path(value).is_relative_to(home.ray) for value in files)


@needs_haproxy
@pytest.mark.parametrize("depth", [1, 40])
def test_haproxys_socket_path_is_short_enough_wherever_the_product_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: int
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    home = Home(tmp_path.joinpath(*["a-long-folder"] * depth))
    socket = Path(environment(home)["RAY_SERVE_HAPROXY_SOCKET_PATH"])
    assert len(str(socket.parent / "x" / LONGEST_SOCKET_NAME).encode()) <= SOCKET_BYTES_MAX


def test_without_haproxy_none_is_asked_for(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_node, "has_haproxy", lambda: False)
    monkeypatch.delenv("RAY_SERVE_ENABLE_HA_PROXY", raising=False)
    assert not [name for name in environment(home) if name.startswith("RAY_SERVE_HAPROXY")]
    assert "RAY_SERVE_ENABLE_HA_PROXY" not in environment(home)


def test_the_head_listens_on_loopback_alone(home: Home) -> None:
    command = _head_command(home.ray, ProductSettings(dashboard_port=8299, cpus=3))
    assert command[0] == sys.executable
    for option in (
        "--node-ip-address=127.0.0.1",
        "--dashboard-host=127.0.0.1",
        "--dashboard-port=8299",
        "--num-cpus=3",
        f"--temp-dir={home.ray}",
        "--disable-usage-stats",
    ):
        assert option in command


def test_a_small_machine_still_gets_two_cpus(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert "--num-cpus=2" in _head_command(home.ray, ProductSettings(cpus=0))


@pytest.mark.parametrize(
    ("descriptors", "connections"),
    [(20_000, 7_692), (1_024, 393), (1_048_576, 16_384), (resource.RLIM_INFINITY, 16_384), (1, 1)],
)
def test_haproxy_takes_as_many_connections_as_the_descriptors_allow(
    descriptors: int, connections: int
) -> None:
    assert connections_max(descriptors) == connections
