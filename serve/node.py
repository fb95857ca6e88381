"""Where the replicas of this node listen for those of the deployments that call them."""

from __future__ import annotations

import ray

from serve.settings import ServeSettings


def lane_host(settings: ServeSettings) -> str:
    """The address set for it, else the one by which other nodes reach this one."""
    return settings.lane_host or str(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]
