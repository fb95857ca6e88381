"""Where a replica's gRPC server listens: Ray would take every interface of the machine."""

from __future__ import annotations

from typing import Any

from serve.node import lane_host
from serve.settings import ServeSettings

_NAME = "add_grpc_address"


def listen_as_lanes() -> None:
    """Have gRPC servers of this process listen where HAProxy reaches them, as lanes do.

    Ray calls `add_grpc_address` for each, with `[::]` and the port.
    """
    from ray.serve._private import default_impl  # noqa: PLC0415 - only where Ray serves

    setattr(default_impl, _NAME, _add_address)


def _add_address(server: Any, address: str) -> None:  # noqa: ANN401 - a server of grpc's
    port = address.rpartition(":")[2]
    server.add_insecure_port(f"{lane_host(ServeSettings())}:{port}")
