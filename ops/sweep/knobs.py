"""The knobs of batching: where each stands in the Serve config, and the values to try."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Config = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Knob:
    """One number of a deployment in the Serve config."""

    name: str
    deployment: str
    path: tuple[str, ...]
    values: tuple[int, ...]


def _user(deployment: str, option: str, *values: int) -> Knob:
    return Knob(option, deployment, ("user_config", option), values)


def _replicas(deployment: str, *values: int) -> Knob:
    """The fewest replicas: a short measurement does not make the pool grow by itself."""
    return Knob("min_replicas", deployment, ("autoscaling_config", "min_replicas"), values)


KNOBS = (
    _user("FeatureValidator", "slots", 1, 2, 4, 8),
    _user("FeatureValidator", "batch_rows_max", 1024, 2048, 4096, 8192),
    _user("FeatureValidator", "queue_rows_max", 1024, 4096, 16384, 65536),
    _user("FeatureValidator", "queue_requests_max", 64, 256, 512, 2048),
    _replicas("FeatureValidator", 1, 2, 3),
    _replicas("LightGBMScorer", 1, 2),
    _user("Billing", "transaction_charges_max", 32, 128, 512, 2048),
    _user("Billing", "waiting_charges_max", 512, 2048, 8192, 32768),
    Knob("num_replicas", "Billing", ("num_replicas",), (1, 2)),
)


def value_of(config: Config, knob: Knob) -> int | None:
    """The knob's value in the config; None where it is not set there."""
    for deployment in _deployments(config, knob):
        place: Any = deployment
        for step in knob.path:
            place = place.get(step) if isinstance(place, dict) else None
        return place if isinstance(place, int) else None
    return None


def turned(config: Config, knob: Knob, value: int) -> Config:
    """The same config but for this one value."""
    changed = copy.deepcopy(config)
    for deployment in _deployments(changed, knob):
        place = deployment
        for step in knob.path[:-1]:
            place = place[step]
        place[knob.path[-1]] = value
    return changed


def _deployments(config: Config, knob: Knob) -> Iterator[Config]:
    for application in config["applications"]:
        for deployment in application.get("deployments", []):
            if deployment["name"] == knob.deployment:
                yield deployment
