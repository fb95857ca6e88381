"""Latency: one request at a time on an idle server, and by the clock at half of the peak."""

from __future__ import annotations

import time
from dataclasses import dataclass

from loadtest.bench.goals import Goal
from loadtest.bench.percentiles import median
from loadtest.bench.run import Run
from loadtest.bench.sizes import Sizes
from loadtest.bench.stage import Server, Stage
from loadtest.peers.catalog import PEERS, Peer, missing_reason
from loadtest.peers.process import PeerFailed

PLAIN_PEER = "fastapi-plain"
SETTLE_SECONDS = 3
"""After a full load: until the server is idle, its logs and statistics written."""
IDLE_P50_MS_MAX = 5.0
P99_RATIO_MAX = 1.5
OVERHEAD_SECONDS = 2


@dataclass(frozen=True, slots=True)
class LatencyResult:
    """Runs by server: idle ones, and those at the same offered rate. The peer may be missing."""

    peak_per_second: float
    rate: float
    product_single: Run
    product: list[Run]
    peer_single: Run | None
    peer: list[Run]
    left_out: str | None

    @property
    def p99_ratio(self) -> float | None:
        """The product's p99 over the plain peer's, median of the rounds."""
        if not self.peer:
            return None
        return median(
            [
                ours.latency().p99_ms / theirs.latency().p99_ms
                for ours, theirs in zip(self.product, self.peer, strict=True)
            ]
        )

    @property
    def goals(self) -> list[Goal]:
        """Idle p50, and the ratio where there is one."""
        idle = self.product_single.latency().p50_ms
        goals = [Goal("idle p50", idle, IDLE_P50_MS_MAX, at_most=True, unit=" ms")]
        if self.p99_ratio is not None:
            name = f"p99 at half the peak over {PLAIN_PEER}'s"
            goals.append(Goal(name, self.p99_ratio, P99_RATIO_MAX, at_most=True))
        return goals


def planned_seconds(sizes: Sizes) -> float:
    """About how long `measure_latency` takes."""
    each = sizes.latency_seconds + OVERHEAD_SECONDS
    single = sizes.single_seconds + SETTLE_SECONDS + OVERHEAD_SECONDS
    return 2 * single + sizes.latency_pairs * (4 * each + 10)


def measure_latency(stage: Stage, peak_per_second: float) -> LatencyResult:
    """A B B A at half of `peak_per_second`, the plain peer running only in the middle."""
    rate = peak_per_second / 2
    single = _measure_single(stage, stage.product)
    peer, left_out = _find_plain_peer()
    ours: list[Run] = []
    theirs: list[Run] = []
    peer_single = None
    for _ in range(stage.sizes.latency_pairs):
        ours.append(_measure_half(stage, stage.product, rate))
        if peer is None:
            continue
        try:
            with stage.peer(peer) as server:
                peer_single = peer_single or _measure_single(stage, server)
                theirs += [_measure_half(stage, server, rate) for _ in range(2)]
        except PeerFailed as error:
            peer, left_out = None, str(error)
            continue
        ours.append(_measure_half(stage, stage.product, rate))
    return LatencyResult(peak_per_second, rate, single, ours, peer_single, theirs, left_out)


def _find_plain_peer() -> tuple[Peer | None, str | None]:
    found = next((peer for peer in PEERS if peer.name == PLAIN_PEER), None)
    reason = missing_reason(found) if found else f"there is no peer {PLAIN_PEER}"
    return (None, reason) if reason else (found, None)


def _measure_single(stage: Stage, server: Server) -> Run:
    time.sleep(SETTLE_SECONDS)
    plan = stage.singles(server, connections=1, seconds=stage.sizes.single_seconds)
    return stage.measure(server, plan, "one at a time")


def _measure_half(stage: Stage, server: Server, rate: float) -> Run:
    plan = stage.singles(server, seconds=stage.sizes.latency_seconds, rate=rate)
    return stage.measure(server, plan, "half of the peak")
