"""Where the replicas of this node listen for those of the deployments that call them."""

from __future__ import annotations

from serve.settings import ServeSettings


def lane_host(settings: ServeSettings) -> str:
    """The address set for it, else the one by which other nodes reach this one."""
    import ray  # noqa: PLC0415 - what holds a deployment can be imported without Ray

    return settings.lane_host or str(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]
