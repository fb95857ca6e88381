"""One running product for the whole tier: Ray Serve behind HAProxy, real PostgreSQL."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from models.registry import ARTIFACTS_ROOT
from tests.support.api import Api
from tests.support.drift import write_twin_model
from tests.support.fragile_model import write_fragile_model
from tests.support.linear_model import write_linear_model
from tests.support.product import Product, serve_config

FIRST_PORT = 21_000
"""Above the ports that Ray gives its workers (10002 to 19999)."""


def quick_scaling(target_load: float) -> dict[str, Any]:
    """More replicas within seconds of more load, fewer soon after it."""
    policy = {
        "policy_function": "serve.load:ScaleByLoad",
        "policy_kwargs": {"target_load": target_load},
    }
    return {
        "policy": policy,
        "upscale_delay_s": 1,
        "downscale_delay_s": 5,
        "look_back_period_s": 2,
        "metrics_interval_s": 0.5,
    }


QUICK_SCALING = {
    # Shares of a processor that bulk requests pass at once.
    "LightGBMScorer": {"autoscaling_config": quick_scaling(0.05)},
    "FeatureValidator": {
        "autoscaling_config": quick_scaling(0.15),
        # Short bounds make the 429s reachable by a test.
        "user_config": {"account_queue_requests_max": 64, "queue_requests_max": 96},
    },
}


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """The committed Serve config with quicker autoscaling, and two more models."""
    home = Path(tempfile.mkdtemp(prefix="fbx-", dir="/tmp"))
    artifacts = home / "artifacts"
    shutil.copytree(ARTIFACTS_ROOT, artifacts)
    write_fragile_model(artifacts)
    write_twin_model(artifacts)
    write_linear_model(artifacts)
    config = home / "serve.yaml"
    config.write_text(yaml.safe_dump(serve_config(QUICK_SCALING)))
    product = Product(
        home / "home",
        FIRST_PORT,
        {
            "FAREBOX_MODELS_DIR": str(artifacts),
            "FAREBOX_SERVE_CONFIG": str(config),
            "FAREBOX_DRIFT_FLUSH_SECONDS": "1",
        },
    )
    try:
        yield product.start()
    finally:
        product.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def accounts() -> Iterator[int]:
    """Numbers for account names."""
    return itertools.count()


@pytest.fixture
def make_api(product: Product, accounts: Iterator[int]) -> Iterator[Any]:
    """Makes a client with a key of a new account that was granted the credits named."""
    clients: list[httpx.Client] = []

    def make(credits_granted: str = "100") -> Api:
        key = product.create_key(f"account-{next(accounts)}", credits_granted)
        api = Api.connect(product.base_url, key)
        clients.append(api.client)
        return api

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def api(make_api: Any) -> Api:
    """A client with 100 credits."""
    connected: Api = make_api("100")
    return connected


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/cluster" in str(item.path):
            item.add_marker(pytest.mark.cluster)
