"""The protocol's own clients, unmodified and in environments of their own, against the product."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.installation import ROOT, ClientEnvironment, InstallFailed
from tests.support.api import APP, Api, body
from tests.support.product import Product

CLIENT_SECONDS_MAX = 120
MODEL = "android-malware"

CODES = {
    "wrong_shape": "invalid_request",
    "not_binary": "invalid_request",
    "unknown_model": "model_not_found",
    "unknown_output": "invalid_request",
    "no_credits": "insufficient_credits",
    "wrong_key": "unauthenticated",
}
"""What each request that the clients get wrong must be told."""


@dataclass(frozen=True)
class Client:
    """A client over one of the transports."""

    environment: str
    script: str
    arguments: tuple[str, ...] = ()

    def run(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What it saw; skips where it cannot be installed."""
        environment = ClientEnvironment(self.environment)
        try:
            environment.ensure()
        except InstallFailed as failed:
            pytest.skip(f"{self.environment} cannot be installed here: {failed}")
        script = ROOT / "tests" / "clients" / self.script
        done = subprocess.run(
            [str(environment.python), str(script), *self.arguments],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=CLIENT_SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        return said


CLIENTS = {
    "tritonclient[http]": Client("tritonclient", "tritonclient_http.py"),
    "tritonclient[grpc]": Client("tritonclient", "tritonclient_grpc.py"),
    "kserve over REST": Client("kserve", "kserve_both.py", ("rest",)),
    "kserve over gRPC": Client("kserve", "kserve_both.py", ("grpc",)),
}


@pytest.mark.timeout(1200)  # the first run installs the client
@pytest.mark.parametrize("name", CLIENTS)
def test_the_client_is_served_charged_and_refused(
    name: str, product: Product, make_api: Any
) -> None:
    api, broke = make_api("100"), make_api("0")
    rows = two_rows(api)
    expected = api.score(body([APP, []])).json()["predictions"]
    said = CLIENTS[name].run(
        {
            "http": product.base_url,
            "grpc": product.grpc_target,
            "model": MODEL,
            "rows": rows,
            "key": api.key,
            "broke_key": broke.key,
            "wrong_key": "fb_live_nonsense",
        }
    )
    assert [said[each] for each in ("live", "ready", "model_ready")] == [True] * 3
    assert said["other_ready"] is False
    for form, answer in said["answers"].items():
        assert answer["probability"] == [each["probability"] for each in expected], form
        assert answer["label"] == [each["label"] for each in expected], form
        assert (answer["version"], answer["credits_charged"]) == ("1", "2"), form
        assert answer["idempotency_replayed"] is False
    assert said["answers"]["binary"]["id"] == "seven"
    assert said["selected"] == ["label"]
    told = {fault: code for fault, code in CODES.items() if code in said["errors"][fault]}
    assert told == CODES, said["errors"]
    check_replay(said)
    # One request of /v1, five forms and the selected output; neither the replay nor an error.
    assert api.balance == 100 - 2 * (1 + len(said["answers"]) + 1)
    assert broke.balance == 0
    check_metadata(said)


def check_replay(said: dict[str, Any]) -> None:
    """The key by header in one form, by parameter in another: one charge, the answer again."""
    first, again = said["answers"]["keyed"], said["replay"]
    assert again["idempotency_replayed"] is True
    assert again["prediction_id"] == first["prediction_id"]
    assert again["probability"] == first["probability"]


def check_metadata(said: dict[str, Any]) -> None:
    """What kserve's clients cannot ask for, triton's can."""
    if "model" not in said:
        return
    assert said["server"]["name"] == "farebox"
    assert "binary_tensor_data" in said["server"]["extensions"]
    features = said["model"]["inputs"][0]
    assert (said["model"]["name"], features["name"]) == (MODEL, "features")
    assert [int(size) for size in features["shape"]] == [-1, 241]
    assert [each["name"] for each in said["model"]["outputs"]][:2] == ["probability", "label"]
    assert MODEL in {each["name"] for each in said["index"]}


def two_rows(api: Api) -> list[list[int]]:
    """An app and an empty one, dense."""
    features = api.client.get("/v1/models").json()["models"][0]["features"]
    return [[int(name in APP) for name in features], [0] * len(features)]
