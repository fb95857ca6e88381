"""Knobs are read from and turned in a Serve config."""

from __future__ import annotations

from typing import Any

import yaml

from farebox.home import PROJECT_ROOT
from ops.sweep.knobs import KNOBS, Knob, turned, value_of

SLOTS = Knob("slots", "FeatureValidator", ("user_config", "slots"), (1, 2))
REPLICAS = Knob("num_replicas", "Billing", ("num_replicas",), (1, 2))


def config(**deployment: Any) -> dict[str, Any]:
    own = {"name": "FeatureValidator", **deployment}
    return {"applications": [{"name": "scoring", "deployments": [own]}, {"name": "accounts"}]}


def test_a_value_is_found_where_the_config_sets_it() -> None:
    assert value_of(config(user_config={"slots": 3}), SLOTS) == 3


def test_a_value_that_the_config_does_not_set_is_none() -> None:
    assert value_of(config(user_config={}), SLOTS) is None
    assert value_of(config(), SLOTS) is None
    assert value_of(config(user_config={"slots": 3}), REPLICAS) is None


def test_turning_a_knob_changes_this_value_alone() -> None:
    before = config(user_config={"slots": 1, "deadline_seconds": 10}, num_replicas=2)
    after = turned(before, SLOTS, 4)
    assert after == config(user_config={"slots": 4, "deadline_seconds": 10}, num_replicas=2)
    assert value_of(before, SLOTS) == 1


def test_the_committed_config_sets_the_validators_knobs() -> None:
    committed = yaml.safe_load((PROJECT_ROOT / "serve" / "config.yaml").read_text())
    validators = [knob for knob in KNOBS if knob.deployment == "FeatureValidator"]
    assert len(validators) == 5
    assert all(value_of(committed, knob) in knob.values for knob in validators)
