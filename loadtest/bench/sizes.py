"""How much is measured: the short form and the long one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Seconds and counts of every scenario. A pair of rounds is A B B A."""

    connections: int = 256
    warm_up_seconds: float = 1.5
    ceiling_seconds: float = 1
    round_seconds: float = 3
    round_pairs: int = 1
    single_seconds: float = 2
    latency_seconds: float = 4
    latency_pairs: int = 1
    overload_seconds: float = 8
    overload_connections: int = 1500
    """More than the server's queues hold, or nothing is ever refused; fewer than the 4,096 that
    HAProxy accepts by default."""
    bulk_seconds: float = 2
    bulk_connections: int = 16


SHORT = Sizes()
FULL = Sizes(
    warm_up_seconds=5,
    ceiling_seconds=4,
    round_seconds=10,
    round_pairs=3,
    single_seconds=10,
    latency_seconds=20,
    latency_pairs=2,
    overload_seconds=30,
    bulk_seconds=10,
)
