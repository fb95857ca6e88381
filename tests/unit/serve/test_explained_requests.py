"""A request with explanations, from its body to the stored answer: priced, kept and refused."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest

from billing.prices import PriceTable
from models.registry import Catalog
from serve.pricing import Pricing
from tests.support.asgi import PREDICTIONS, Reply, assert_problem, call, post
from tests.support.documents import assert_documented
from tests.support.explained_model import BASE, INTERNET, NAME, SEND_SMS, write_explained_model
from tests.support.fragile_model import NAME as FRAGILE
from tests.support.fragile_model import write_fragile_model
from tests.support.linear_model import NAME as LINEAR
from tests.support.linear_model import write_linear_model
from tests.support.serving import ANNA, Models, Replica, make_body, make_prices, make_replica, turns

pytestmark = pytest.mark.anyio

PACKED = "application/octet-stream"
BITS = f"{PACKED}; layout=bits"
BOTH = ["INTERNET", "SEND_SMS"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    root = tmp_path_factory.mktemp("artifacts")
    write_fragile_model(root)
    write_explained_model(root)
    write_linear_model(root)
    return Models.load(root)


@pytest.fixture
async def replica(models: Models) -> Replica:
    return make_replica(models)


def explained(*instances: Any, **fields: Any) -> bytes:
    return make_body(*(instances or (BOTH,)), model=NAME, **{"explain": True, **fields})


async def post_as_anna(replica: Replica, body: bytes, **headers: str) -> Reply:
    return await post(replica.app, replica.anna, body, **headers)


async def test_each_prediction_tells_what_contributed(replica: Replica) -> None:
    reply = await post_as_anna(replica, explained(BOTH, ["SEND_SMS"]))
    assert_documented(replica.api.openapi(), PREDICTIONS, "POST", reply)
    first, second = reply.json["predictions"]
    assert list(first) == ["label", "probability", "explanation"]
    assert first["explanation"] == {
        "base": BASE,
        "raw_score": 3.0,
        "contributions": [
            {"feature": "SEND_SMS", "value": 1, "contribution": SEND_SMS},
            {"feature": "INTERNET", "value": 1, "contribution": INTERNET},
        ],
        "rest": 0.0,
    }
    assert second["explanation"]["contributions"] == [
        {"feature": "SEND_SMS", "value": 1, "contribution": SEND_SMS},
        {"feature": "INTERNET", "value": 0, "contribution": -INTERNET},
    ]
    for each in (first, second):
        raw_score = each["explanation"]["raw_score"]
        assert each["probability"] == pytest.approx(1 / (1 + math.exp(-raw_score)), abs=1e-12)


async def test_the_prediction_is_that_of_a_plain_request(replica: Replica) -> None:
    plain = (await post_as_anna(replica, make_body(BOTH, [], model=NAME))).json["predictions"]
    found = (await post_as_anna(replica, explained(BOTH, []))).json["predictions"]
    assert [each.pop("explanation") is not None for each in found] == [True, True]
    assert found == plain


async def test_as_many_contributions_are_told_as_the_settings_say(models: Models) -> None:
    replica = make_replica(models, explanation_features_max=1)
    [prediction] = (await post_as_anna(replica, explained())).json["predictions"]
    told = prediction["explanation"]
    assert [each["feature"] for each in told["contributions"]] == ["SEND_SMS"]
    assert told["rest"] == INTERNET


async def test_prediction_and_explanation_are_one_charge(replica: Replica) -> None:
    reply = await post_as_anna(replica, explained(BOTH, [], []))
    assert (reply.json["credits_charged"], reply.json["credits_balance"]) == ("4.5", "95.5")
    [charge] = replica.charged
    assert (str(charge.amount), charge.instances) == ("4.5", 3)


async def test_explain_false_is_a_plain_request(replica: Replica) -> None:
    reply = await post_as_anna(replica, explained(explain=False))
    assert reply.json["credits_charged"] == "1"
    assert "explanation" not in reply.json["predictions"][0]
    assert (replica.scorer.rows, replica.scorer.explained) == ([1], [])


async def test_a_retry_is_answered_the_same_bytes_free(replica: Replica) -> None:
    first = await post_as_anna(replica, explained(), idempotency_key="k")
    again = await post_as_anna(replica, explained(), idempotency_key="k")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.body == first.body
    stored = await call(
        replica.app,
        f"{PREDICTIONS}/{first.json['id']}",
        headers={"authorization": replica.anna},
    )
    assert stored.body == first.body
    assert_documented(replica.api.openapi(), PREDICTIONS + "/{id}", "GET", stored)
    assert await replica.balance() == "98.5"


async def test_the_same_key_without_explanation_is_another_request(replica: Replica) -> None:
    await post_as_anna(replica, explained(), idempotency_key="k")
    reply = await post_as_anna(replica, make_body(BOTH, model=NAME), idempotency_key="k")
    assert (reply.status, reply.json["code"]) == (422, "idempotency_key_conflict")


async def test_plain_and_explained_requests_share_no_batch(replica: Replica) -> None:
    plain, with_reasons = make_body(BOTH, model=NAME), explained()
    replies = await asyncio.gather(
        *(post_as_anna(replica, body) for body in (plain, with_reasons, plain, with_reasons))
    )
    assert [reply.status for reply in replies] == [200] * 4
    assert (replica.scorer.rows, replica.scorer.explained) == ([2], [2])
    shown = ["explanation" in reply.json["predictions"][0] for reply in replies]
    assert shown == [False, True, False, True]


async def test_a_client_that_goes_away_takes_its_waiting_request_with_it(replica: Replica) -> None:
    replica.scorer.gate.clear()
    under_way = asyncio.create_task(replica.score(make_body(BOTH, model=NAME)))
    await turns()
    waiting = asyncio.create_task(replica.score(explained()))
    await turns()
    waiting.cancel()
    await asyncio.wait([waiting])
    replica.scorer.gate.set()
    await under_way
    assert replica.scorer.explained == []
    assert replica.pipeline.batcher.jobs_waiting == 0


async def test_a_row_that_cannot_be_explained_is_not_charged_and_those_beside_it_are(
    models: Models,
) -> None:
    """The fragile model's base value is NaN: nothing adds up to what it predicts."""
    replica = make_replica(models)
    failed, paid = await asyncio.gather(
        post_as_anna(replica, make_body(["SEND_SMS"], model=FRAGILE, explain=True)),
        post_as_anna(replica, explained()),
    )
    assert_problem(failed, 500, "prediction_failed")
    assert paid.status == 200
    assert await replica.balance() == "98.5"


async def test_more_instances_than_the_bound_are_refused_before_a_hop(models: Models) -> None:
    replica = make_replica(models, explained_instances_max=2)
    assert (await post_as_anna(replica, explained([], []))).status == 200
    reply = await post_as_anna(replica, explained([], [], []))
    assert_problem(reply, 422, "invalid_request")
    problem = reply.json
    assert [fault["pointer"] for fault in problem["errors"]] == ["/instances"]
    assert "1 to 2" in problem["detail"]
    assert replica.scorer.explained == [2]
    assert (await post_as_anna(replica, make_body([], [], [], model=NAME))).status == 200


async def test_a_kind_that_cannot_explain_is_refused_before_a_hop(replica: Replica) -> None:
    reply = await post_as_anna(replica, make_body(BOTH, model=LINEAR, explain=True))
    assert_problem(reply, 422, "explanation_unsupported")
    assert_documented(replica.api.openapi(), PREDICTIONS, "POST", reply)
    assert replica.scorer.explained == []
    assert await replica.balance() == "100"
    assert (await post_as_anna(replica, make_body(BOTH, model=LINEAR))).status == 200


async def test_a_paid_explanation_is_replayed_whatever_became_of_the_model(
    models: Models, replica: Replica
) -> None:
    first = await post_as_anna(replica, explained(), idempotency_key="k")
    onnx = models.catalog.find(NAME).model_copy(update={"kind": "onnx"})
    replica.pipeline.models.take(Catalog((onnx,)))
    assert (await post_as_anna(replica, explained(), idempotency_key="k")).body == first.body


async def test_without_a_price_for_explanations_predictions_are_sold_alone(
    replica: Replica,
) -> None:
    replica.pipeline.pricing = Pricing(replica.accounts, make_prices("1", None))
    assert_problem(await post_as_anna(replica, explained()), 503, "price_missing")
    assert (await post_as_anna(replica, make_body(BOTH, model=NAME))).status == 200
    cards = (await call(replica.app, "/v1/models")).json["models"]
    assert {card["explanation_price_per_instance"] for card in cards} == {None}


async def test_an_explanation_is_not_sold_without_a_price_of_the_prediction(
    replica: Replica,
) -> None:
    [_, of_explanations] = make_prices("1").prices
    replica.pipeline.pricing = Pricing(replica.accounts, PriceTable((of_explanations,)))
    assert_problem(await post_as_anna(replica, explained()), 503, "price_missing")


async def test_models_show_what_an_explanation_costs(replica: Replica) -> None:
    cards = (await call(replica.app, "/v1/models")).json["models"]
    shown = {card["name"]: card["explanation_price_per_instance"] for card in cards}
    assert shown == {NAME: "0.5", FRAGILE: "0.5", LINEAR: None}


async def test_an_account_that_can_pay_the_prediction_alone_is_refused(models: Models) -> None:
    replica = make_replica(models, credits_granted="1")
    reply = await post_as_anna(replica, explained())
    assert_problem(reply, 402, "insufficient_credits")
    problem = reply.json
    assert (problem["required"], problem["available"]) == ("1.5", "1")
    assert await replica.balance(ANNA) == "1"


async def test_packed_rows_are_explained_by_their_query(replica: Replica) -> None:
    headers = {"content_type": BITS, "query": f"model={NAME}&explain=true"}
    packed = await post_as_anna(replica, b"\x60\x20", **headers)
    as_json = await post_as_anna(replica, explained(BOTH, ["SEND_SMS"]))
    assert packed.json["predictions"] == as_json.json["predictions"]
    assert packed.json["credits_charged"] == "3"


@pytest.mark.parametrize("said", ["True", "1", "yes", ""])
async def test_a_query_says_true_or_false(replica: Replica, said: str) -> None:
    headers = {"content_type": BITS, "query": f"model={NAME}&explain={said}"}
    reply = await post_as_anna(replica, b"\x60", **headers)
    assert_problem(reply, 422, "invalid_request")
    problem = reply.json
    assert [fault["pointer"] for fault in problem["errors"]] == ["query/explain"]


async def test_explanations_are_not_answered_as_bytes(replica: Replica) -> None:
    for headers in (
        {"content_type": BITS, "query": f"model={NAME}&explain=true"},
        {"content_type": "application/json"},
    ):
        body = b"\x60" if headers["content_type"] == BITS else explained()
        reply = await post_as_anna(replica, body, accept=PACKED, **headers)
        assert_problem(reply, 406, "not_acceptable")
        assert_documented(replica.api.openapi(), PREDICTIONS, "POST", reply)
    assert await replica.balance() == "100"


async def test_the_price_of_now_is_charged(replica: Replica) -> None:
    table = make_prices("1", "0.5")
    raised = tuple(replace(price, amount=price.amount * 2) for price in table.prices)
    replica.pipeline.pricing = Pricing(replica.accounts, PriceTable(raised))
    assert (await post_as_anna(replica, explained())).json["credits_charged"] == "3"
