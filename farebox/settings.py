"""Settings of the command line, from `FAREBOX_` variables."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from farebox.home import PROJECT_ROOT


class ProductSettings(BaseSettings):
    """Where the product listens. Everything binds loopback unless said otherwise."""

    model_config = SettingsConfigDict(env_prefix="FAREBOX_", frozen=True, extra="ignore")

    http_port: int = 8000
    """The base URL's port: HAProxy, or Serve's own proxy where there is no HAProxy."""
    grpc_port: int = 9000
    """The Open Inference Protocol over gRPC, by the same proxy."""
    fallback_proxy_port: int = 8500
    """Serve's own proxy, HAProxy's backup."""
    fallback_proxy_grpc_port: int = 9500
    """The same over gRPC."""
    haproxy_stats_port: int = 8404
    """HAProxy's statistics page. HAProxy binds it on all interfaces."""
    haproxy_metrics_port: int = 9101
    """HAProxy's metrics. HAProxy binds it on all interfaces."""
    console_port: int = Field(default=7860, ge=0, le=65_535)
    """The web console; 0: none is started."""
    dashboard_port: int = 8265
    """Ray's dashboard, which also takes the Serve config."""
    replica_port_min: int = 30_000
    """First port of the ingress replicas' own servers."""
    replica_ports: int = Field(default=200, ge=10)
    """How many ports the ingress replicas may use: half of them for HTTP, half for gRPC."""
    cpus: int = Field(default=0, ge=0)
    """Logical CPUs of the Ray node: 0 takes what the machine has, at least 2."""
    object_store_mb: int = Field(default=128, ge=80)
    """Ray's shared memory. Calls go by value, so it stays almost empty."""
    start_seconds: int = Field(default=180, ge=10)
    """How long a start may take before it is given up."""
    serve_config: Path = PROJECT_ROOT / "serve" / "config.yaml"
    """The Serve config to deploy."""
    demo_credits: int = Field(default=1_000, ge=0)
    """Credits granted once to the demo account."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def console_url(self) -> str | None:
        """Of the web console; None where none is started."""
        return f"http://127.0.0.1:{self.console_port}" if self.console_port else None

    @property
    def grpc_target(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def dashboard_url(self) -> str:
        return f"http://127.0.0.1:{self.dashboard_port}"

    def named_ports(self) -> dict[str, int]:
        """Every fixed port, by what it is for and the variable that moves it."""
        console = {"the web console (FAREBOX_CONSOLE_PORT)": self.console_port}
        return {
            "the HTTP API (FAREBOX_HTTP_PORT)": self.http_port,
            **(console if self.console_port else {}),
            "gRPC (FAREBOX_GRPC_PORT)": self.grpc_port,
            "Serve's fallback proxy (FAREBOX_FALLBACK_PROXY_PORT)": self.fallback_proxy_port,
            "Serve's fallback proxy over gRPC (FAREBOX_FALLBACK_PROXY_GRPC_PORT)": (
                self.fallback_proxy_grpc_port
            ),
            "HAProxy's statistics (FAREBOX_HAPROXY_STATS_PORT)": self.haproxy_stats_port,
            "HAProxy's metrics (FAREBOX_HAPROXY_METRICS_PORT)": self.haproxy_metrics_port,
            "Ray's dashboard (FAREBOX_DASHBOARD_PORT)": self.dashboard_port,
        }
