"""How loaded a replica is, and how many replicas that asks for.

Ray counts the calls of its own handles and of its own request wrapper. Scoring requests pass
neither (`scoring_protocol.py`, `lanes.py`), so the replicas report a load of their own, and
`ScaleByLoad` is the policy that `serve/config.yaml` names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Protocol

LOAD = "load"
"""The name under which every replica reports."""


class CpuShare:
    """The share of a processor that this process took since it was last asked for."""

    def __init__(
        self,
        clock_seconds: Callable[[], float] = time.perf_counter,
        cpu_seconds: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock_seconds, self._cpu_seconds = clock_seconds, cpu_seconds
        self._asked, self._used = clock_seconds(), cpu_seconds()

    def take(self) -> float:
        """From 0, idle, to 1, a whole processor, or more where threads share the work."""
        now, used = self._clock_seconds(), self._cpu_seconds()
        share = (used - self._used) / max(now - self._asked, 1e-9)
        self._asked, self._used = now, used
        return share


class Context(Protocol):
    """What the policy reads of Ray's `AutoscalingContext`."""

    @property
    def aggregated_metrics(self) -> Mapping[str, Mapping[Hashable, float]] | None: ...

    @property
    def target_num_replicas(self) -> int: ...


class ScaleByLoad:
    """An autoscaling policy: as many replicas as bring each one's load to `target_load`.

    Ray applies the bounds, the delays and the smoothing of `autoscaling_config` to what it says.
    """

    def __init__(self, target_load: float) -> None:
        self._target_load = target_load

    def __call__(self, context: Context) -> tuple[float, dict[str, Any]]:
        """Replicas wanted, and no state of its own."""
        loads = (context.aggregated_metrics or {}).get(LOAD)
        if not loads:
            return context.target_num_replicas, {}
        return sum(loads.values()) / self._target_load, {}
