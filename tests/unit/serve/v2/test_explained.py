"""Explanations over the protocol: one more output, priced as on /v1."""

from __future__ import annotations

import orjson
import pytest

from tests.support.asgi import Reply, call
from tests.support.explained_model import NAME, write_explained_model
from tests.support.linear_model import NAME as LINEAR
from tests.support.linear_model import write_linear_model
from tests.support.serving import Models, Replica, make_body, make_replica

pytestmark = pytest.mark.anyio

BOTH = ["INTERNET", "SEND_SMS"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    root = tmp_path_factory.mktemp("artifacts")
    write_explained_model(root)
    write_linear_model(root)
    return Models.load(root)


@pytest.fixture
async def replica(models: Models) -> Replica:
    return make_replica(models)


async def infer(replica: Replica, model: str, *, explain: bool) -> Reply:
    """Infer of the row that has BOTH, under a key of its own."""
    features = replica.pipeline.catalog.find(model).feature_schema.names
    row = [int(name in BOTH) for name in features]
    tensor = {"name": "features", "datatype": "UINT8", "shape": [1, len(row)], "data": [row]}
    body = orjson.dumps({"inputs": [tensor], "parameters": {"explain": explain}})
    headers = {"authorization": replica.anna, "idempotency-key": f"{model}-{explain}"}
    return await call(replica.app, f"/v2/models/{model}/infer", "POST", headers, body)


async def test_an_explanation_is_the_json_of_v1_as_text(replica: Replica) -> None:
    v1 = await replica.score(make_body(BOTH, model=NAME, explain=True))
    expected = orjson.loads(v1.stored.predictions)[0]
    reply = await infer(replica, NAME, explain=True)
    outputs = {each["name"]: each["data"] for each in reply.json["outputs"]}
    assert outputs["probability"] == [expected["probability"]]
    assert [orjson.loads(text) for text in outputs["explanation"]] == [expected["explanation"]]
    assert reply.json["parameters"]["credits_charged"] == str(v1.stored.amount) == "1.5"
    again = await infer(replica, NAME, explain=True)
    assert again.json["outputs"] == reply.json["outputs"]
    assert again.headers["idempotency-replayed"] == "true"


async def test_without_explain_there_is_no_such_output(replica: Replica) -> None:
    reply = await infer(replica, NAME, explain=False)
    assert [each["name"] for each in reply.json["outputs"]] == ["probability", "label"]
    assert reply.json["parameters"]["credits_charged"] == "1"


async def test_a_model_that_cannot_explain_says_so(replica: Replica) -> None:
    told = await call(replica.app, f"/v2/models/{LINEAR}")
    assert [each["name"] for each in told.json["outputs"]] == ["probability", "label"]
    reply = await infer(replica, LINEAR, explain=True)
    assert (reply.status, reply.headers["farebox-code"]) == (422, "explanation_unsupported")
