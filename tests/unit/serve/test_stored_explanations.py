"""Why one instance of a paid prediction was answered so: from what is stored, free and bounded."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from billing.api_keys.values import Scope
from billing.errors import LedgerUnavailable
from models.registry import Catalog
from tests.support.asgi import PREDICTIONS, Reply, assert_problem, call, post
from tests.support.documents import assert_documented
from tests.support.explained_model import NAME, write_explained_model
from tests.support.fragile_model import NAME as FRAGILE
from tests.support.fragile_model import write_fragile_model
from tests.support.linear_model import NAME as LINEAR
from tests.support.linear_model import write_linear_model
from tests.support.serving import ANNA, Models, Replica, make_body, make_replica
from tests.support.troubles import lose_scorer

pytestmark = pytest.mark.anyio

BOTH = ["INTERNET", "SEND_SMS"]
ROUTE = PREDICTIONS + "/{id}/explanation"


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


async def score(replica: Replica, *instances: Any, model: str = NAME, **fields: Any) -> Any:
    body = make_body(*(instances or (BOTH,)), model=model, **fields)
    reply = await post(replica.app, replica.anna, body)
    assert reply.status == 200, reply.body
    return reply.json


async def explain(
    replica: Replica, paid: Any, query: str = "", authorization: str | None = None
) -> Reply:
    """What the route answers, as the document says it may."""
    path = f"{PREDICTIONS}/{paid['id']}/explanation"
    headers = {"authorization": authorization or replica.anna}
    reply = await call(replica.app, f"{path}?{query}" if query else path, headers=headers)
    assert_documented(replica.api.openapi(), ROUTE, "GET", reply)
    return reply


async def test_an_instance_is_explained_as_a_paid_explanation_would_be(replica: Replica) -> None:
    instances = [BOTH, [], ["SEND_SMS"]]
    paid = await score(replica, *instances)
    expected = (await score(replica, *instances, explain=True))["predictions"]
    for number, prediction in enumerate(expected):
        reply = await explain(replica, paid, f"instance={number}")
        assert reply.json == {
            "id": paid["id"],
            "model": NAME,
            "version": "1",
            "instance": number,
            "prediction": prediction,
        }
    assert (await explain(replica, paid)).json["instance"] == 0


async def test_an_instance_of_a_packed_answer_is_explained(replica: Replica) -> None:
    paid = await score(replica, *[[]] * 20, BOTH)
    reply = await explain(replica, paid, "instance=20")
    [told] = (await score(replica, BOTH, explain=True))["predictions"]
    assert reply.json["prediction"] == told


async def test_a_stored_explanation_is_told_again_whatever_became_of_the_model(
    replica: Replica,
) -> None:
    paid = await score(replica, [], BOTH, explain=True)
    replica.pipeline.models.take(Catalog(()))
    calls = list(replica.scorer.explained)
    reply = await explain(replica, paid, "instance=1")
    assert reply.json["prediction"] == paid["predictions"][1]
    assert replica.scorer.explained == calls


async def test_it_is_free_and_drift_does_not_count_it(models: Models, replica: Replica) -> None:
    paid = await score(replica)
    models.pool.scored.take()
    assert (await explain(replica, paid)).status == 200
    assert models.pool.scored.take() == {}
    assert await replica.balance() == "99"


async def test_as_many_contributions_are_told_as_the_settings_say(models: Models) -> None:
    replica = make_replica(models, explanation_features_max=1)
    reply = await explain(replica, await score(replica))
    told = reply.json["prediction"]["explanation"]["contributions"]
    assert [each["feature"] for each in told] == ["SEND_SMS"]


@pytest.mark.parametrize(
    ("instances", "asked", "said"),
    [(1, "1", "one instance: 0"), (3, "3", "3 instances: 0 to 2"), (20, "9" * 30, "0 to 19")],
)
async def test_an_instance_that_is_not_there_is_told_how_many_are(
    replica: Replica, instances: int, asked: str, said: str
) -> None:
    paid = await score(replica, *[BOTH] * instances)
    reply = await explain(replica, paid, f"instance={asked}")
    assert_problem(reply, 422, "invalid_request")
    assert [fault["pointer"] for fault in reply.json["errors"]] == ["query/instance"]
    assert said in reply.json["detail"]


@pytest.mark.parametrize("asked", ["-1", "one", "", "1.5"])
async def test_an_instance_is_a_number_from_zero(replica: Replica, asked: str) -> None:
    reply = await explain(replica, await score(replica), f"instance={asked}")
    assert_problem(reply, 422, "invalid_request")
    assert [fault["pointer"] for fault in reply.json["errors"]] == ["query/instance"]


@pytest.mark.parametrize("name", ["nonsense", str(ANNA)])
async def test_an_unknown_prediction_is_not_found(replica: Replica, name: str) -> None:
    assert_problem(await explain(replica, {"id": name}), 404, "prediction_not_found")


async def test_another_accounts_prediction_is_not_found(replica: Replica) -> None:
    reply = await explain(replica, await score(replica), authorization=replica.boris)
    assert_problem(reply, 404, "prediction_not_found")


async def test_a_pruned_prediction_is_gone(replica: Replica) -> None:
    paid = await score(replica)
    replica.ledger.expire_answers()
    assert_problem(await explain(replica, paid), 410, "answer_expired")


async def test_a_kind_that_cannot_explain_says_so(replica: Replica) -> None:
    paid = await score(replica, model=LINEAR)
    assert_problem(await explain(replica, paid), 422, "explanation_unsupported")
    assert replica.scorer.explained == []


async def test_a_version_that_is_no_longer_there_is_not_found(replica: Replica) -> None:
    paid = await score(replica)
    others = [each for each in replica.pipeline.catalog.served if each.name != NAME]
    replica.pipeline.models.take(Catalog(tuple(others)))
    assert_problem(await explain(replica, paid), 404, "model_not_found")


async def test_a_scorer_out_of_reach_is_unavailable(replica: Replica) -> None:
    paid = await score(replica)
    lose_scorer(replica)
    assert_problem(await explain(replica, paid), 503, "scorer_unavailable")


async def test_a_ledger_out_of_reach_is_unavailable(replica: Replica) -> None:
    paid = await score(replica)
    replica.accounts.failures = [LedgerUnavailable("gone")]
    reply = await explain(
        replica, paid, authorization=f"Bearer {replica.accounts.open_session(ANNA)}"
    )
    assert_problem(reply, 503, "ledger_unavailable")


async def test_contributions_that_do_not_add_up_are_not_told_and_logged(replica: Replica) -> None:
    """The fragile model's base value is NaN: nothing adds up to what it predicted."""
    paid = await score(replica, ["SEND_SMS"], model=FRAGILE)
    with capture_logs() as logs:
        assert_problem(await explain(replica, paid), 500, "prediction_failed")
    [logged] = [each for each in logs if each["event"] == "explanation_differs"]
    assert (logged["id"], logged["instance"]) == (paid["id"], 0)


async def test_another_probability_than_was_answered_is_not_explained(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the rows stored were others: BOTH was answered, no feature is explained."""
    paid = await score(replica)
    explain_row = replica.scorer.explain

    async def explain_another(
        model: str, version: str, _row: bytes, *rest: Any, **options: Any
    ) -> Any:
        return await explain_row(model, version, b"\0", *rest, **options)

    monkeypatch.setattr(replica.scorer, "explain", explain_another)
    assert_problem(await explain(replica, paid), 500, "prediction_failed")


async def test_a_key_that_may_only_score_cannot_ask_and_one_that_may_read_can(
    replica: Replica,
) -> None:
    paid = await score(replica)
    scoring = replica.accounts.open_account(ANNA, frozenset({Scope.SCORE}))
    assert_problem(await explain(replica, paid, authorization=scoring), 403, "scope_missing")
    reading = replica.accounts.open_account(ANNA, frozenset({Scope.READ}))
    replica.pipeline.authenticator.revocations_lost()
    assert (await explain(replica, paid, authorization=reading)).status == 200
    session = f"Bearer {replica.accounts.open_session(ANNA)}"
    assert (await explain(replica, paid, authorization=session)).status == 200


async def test_nobody_without_a_key_is_told(replica: Replica) -> None:
    paid = await score(replica)
    assert_problem(await explain(replica, paid, authorization="Bearer x"), 401, "unauthenticated")


async def test_each_account_has_so_many_an_hour_and_is_told_what_to_do_for_more(
    models: Models,
) -> None:
    replica = make_replica(models, explanation_rate="2 per hour")
    paid, stored = await score(replica), await score(replica, explain=True)
    of_boris = (await post(replica.app, replica.boris, make_body(BOTH, model=NAME))).json
    assert_problem(await explain(replica, paid, "instance=1"), 422, "invalid_request")
    for _ in range(2):
        assert (await explain(replica, paid)).status == 200
    reply = await explain(replica, paid)
    assert_problem(reply, 429, "too_many_attempts")
    assert 3590 <= int(reply.headers["retry-after"]) <= 3600
    assert "explain: true" in reply.json["detail"]
    assert (await explain(replica, stored)).status == 200
    assert (await explain(replica, of_boris, authorization=replica.boris)).status == 200
