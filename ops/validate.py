"""Validates the deployment files as the tools that read them do; part of `make check`."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.serve.schema import ServeDeploySchema

from serve.settings import ValidatorConfig

ROOT = Path(__file__).resolve().parent.parent


def validate_serve_config(path: Path) -> None:
    """The Serve config by Serve's schema, and the validator's bounds by our own."""
    config = ServeDeploySchema.model_validate(yaml.safe_load(path.read_text()))
    for application in config.applications:
        for deployment in application.deployments:
            if deployment.name == "FeatureValidator":
                ValidatorConfig.model_validate(deployment.user_config)


def validate_cluster(path: Path) -> None:
    """The cluster launcher's file as `ray up` reads it."""
    validate_config(prepare_config(yaml.safe_load(path.read_text())))


def main() -> None:
    """Validate both, naming each; the first that is wrong ends with its error."""
    for path, validate in (
        (ROOT / "serve" / "config.yaml", validate_serve_config),
        (ROOT / "cluster.yaml", validate_cluster),
    ):
        validate(path)
        sys.stdout.write(f"{path.relative_to(ROOT)} is valid\n")


if __name__ == "__main__":
    main()
