"""How loaded a replica is, and how many replicas that asks for.

Ray counts the calls of its own handles and of its own request wrapper. Scoring requests pass
neither (`scoring_protocol.py`, `lanes.py`), so the replicas report a load of their own, and
`scale_by_load` is the policy that `serve/config.yaml` names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from types import TracebackType
from typing import Any, Protocol

LOAD = "load"
"""The name under which every replica reports."""


class BusyTime:
    """The share of the time that work took since it was last asked for. Entered around the work."""

    def __init__(self, clock_seconds: Callable[[], float] = time.perf_counter) -> None:
        self._clock_seconds = clock_seconds
        self._busy_seconds = 0.0
        self._began = self._asked = clock_seconds()

    def __enter__(self) -> None:
        self._began = self._clock_seconds()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._busy_seconds += self._clock_seconds() - self._began

    def share(self) -> float:
        """From 0, idle, to 1, always at work; begins anew."""
        now = self._clock_seconds()
        share = self._busy_seconds / max(now - self._asked, 1e-9)
        self._busy_seconds, self._asked = 0.0, now
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
