"""Composes the Serve application `scoring`; `serve/config.yaml` names `serve.app:build`."""

from __future__ import annotations

from typing import Any

from ray import serve as ray_serve
from ray.serve import Application

from serve.billing import Billing
from serve.scorer import LightGBMScorer
from serve.validator import FeatureValidator


def build(_arguments: dict[str, Any]) -> Application:
    """FeatureValidator in front of LightGBMScorer and Billing.

    Only the shape stands here. Numbers (replicas, bounds, autoscaling) are in the config.
    """
    scorer = ray_serve.deployment()(LightGBMScorer)
    billing = ray_serve.deployment()(Billing)
    validator = ray_serve.deployment()(ray_serve.ingress()(FeatureValidator))
    return validator.bind(scorer.bind(), billing.bind())
