"""Targets of the load test, and which of them a run missed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from loadtest.measured import ALL, Figures

DEFAULT = "two-cores"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What requests must keep; what is None is not looked at."""

    requests_per_second_min: float | None = None
    p50_ms_max: float | None = None
    p95_ms_max: float | None = None
    p99_ms_max: float | None = None
    error_share_max: float | None = None


@dataclass(frozen=True, slots=True)
class Targets:
    """Of one shape on one machine: the load to offer, and what must hold under it."""

    machine: str
    offered_per_second: float
    """At the top of the shape."""
    bounds: Bounds
    """All requests together."""
    achieved_share_min: float | None = None
    """Of the offered load."""
    knee_per_second_min: float | None = None
    requests: Mapping[str, Bounds] = field(default_factory=dict)
    """By the names of requests."""

    def at(self, offered_per_second: float) -> Targets:
        """The same for another load: so much fewer or more requests/s must be reached."""
        least = self.bounds.requests_per_second_min
        scale = offered_per_second / self.offered_per_second
        bounds = replace(
            self.bounds, requests_per_second_min=None if least is None else least * scale
        )
        return replace(self, offered_per_second=offered_per_second, bounds=bounds)


def read_targets(path: Path, machine: str, shape: str) -> Targets:
    """The table of `shape` in that of `machine`; raises ValueError where there is none."""
    machines = tomllib.loads(path.read_text())
    if machine not in machines:
        raise ValueError(f"{path} has targets for {', '.join(machines)}; not for {machine!r}")
    if shape not in machines[machine]:
        raise ValueError(f"{path} has no targets for the shape {shape!r} on {machine!r}")
    return parse_targets(machines[machine]["machine"], machines[machine][shape])


def parse_targets(machine: str, table: dict[str, Any]) -> Targets:
    """Raises TypeError for a name that is no target."""
    names = {each.name for each in fields(Bounds)}
    others: dict[str, Any] = {name: value for name, value in table.items() if name not in names}
    requests = {name: Bounds(**each) for name, each in others.pop("requests", {}).items()}
    bounds = Bounds(**{name: value for name, value in table.items() if name in names})
    return Targets(machine=machine, bounds=bounds, requests=requests, **others)


def missed(
    targets: Targets, figures: Mapping[str, Figures], achieved_share: float, knee: float
) -> list[str]:
    """Each target that was missed, in words; a value on the bound is good."""
    misses = _below(
        "achieved share of the offered load", achieved_share, targets.achieved_share_min
    )
    misses += _below("knee, requests/s", knee, targets.knee_per_second_min)
    for name, bounds in {ALL: targets.bounds, **targets.requests}.items():
        prefix = "" if name == ALL else f"{name}: "
        if name in figures:
            misses += [prefix + miss for miss in _missed_bounds(bounds, figures[name])]
        else:
            misses.append(f"{prefix}no request of this name was sent")
    return misses


def _missed_bounds(bounds: Bounds, figures: Figures) -> list[str]:
    return [
        *_below("requests/s", figures.requests_per_second, bounds.requests_per_second_min),
        *_above("p50 ms", figures.p50_ms, bounds.p50_ms_max),
        *_above("p95 ms", figures.p95_ms, bounds.p95_ms_max),
        *_above("p99 ms", figures.p99_ms, bounds.p99_ms_max),
        *_above("error share", figures.error_share, bounds.error_share_max),
    ]


def _below(name: str, value: float, bound: float | None) -> list[str]:
    missed_it = bound is not None and value < bound
    return [f"{name}: {value:.4g}, the target is at least {bound:g}"] if missed_it else []


def _above(name: str, value: float, bound: float | None) -> list[str]:
    missed_it = bound is not None and value > bound
    return [f"{name}: {value:.4g}, the target is at most {bound:g}"] if missed_it else []
