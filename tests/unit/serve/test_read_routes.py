"""The read routes and the probes: what they answer is what the document says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from billing.api_keys.values import Scope
from billing.errors import LedgerUnavailable
from tests.support.asgi import PREDICTIONS, call, post
from tests.support.documents import assert_documented
from tests.support.fragile_model import FEATURES
from tests.support.serving import ANNA, Replica, make_body, make_prices
from tests.support.troubles import lose_ledger, lose_scorer, remove_prices

pytestmark = pytest.mark.anyio


async def test_models_are_listed_with_features_and_price(
    replica: Replica, document: dict[str, Any]
) -> None:
    reply = await call(replica.app, "/v1/models")
    assert_documented(document, "/v1/models", "GET", reply)
    [card] = reply.json["models"]
    assert (card["name"], card["version"], card["default"]) == ("fragile", "1", True)
    assert card["features"] == list(FEATURES)
    assert card["labels"] == {"negative": "goodware", "positive": "malware"}
    assert card["price_per_instance"] == "1"


async def test_models_show_the_price_of_now(replica: Replica) -> None:
    replica.pipeline.pricing._table = make_prices("0.25")
    [card] = (await call(replica.app, "/v1/models")).json["models"]
    assert card["price_per_instance"] == "0.25"


async def test_a_model_without_a_price_is_listed_all_the_same(
    replica: Replica, document: dict[str, Any]
) -> None:
    remove_prices(replica)
    reply = await call(replica.app, "/v1/models")
    assert_documented(document, "/v1/models", "GET", reply)
    assert reply.json["models"][0]["price_per_instance"] is None


@pytest.mark.parametrize("path", ["/v1/account", f"{PREDICTIONS}/{ANNA}"])
async def test_a_key_that_may_only_score_cannot_read(
    replica: Replica, document: dict[str, Any], path: str
) -> None:
    scoring = replica.accounts.open_account(ANNA, frozenset({Scope.SCORE}))
    reply = await call(replica.app, path, "GET", {"authorization": scoring})
    assert (reply.status, reply.json["code"]) == (403, "scope_missing")
    assert_documented(document, path.replace(str(ANNA), "{id}"), "GET", reply)


async def test_the_account_sees_its_balance_of_now(
    replica: Replica, document: dict[str, Any]
) -> None:
    await replica.score()
    reply = await call(replica.app, "/v1/account", "GET", {"authorization": replica.anna})
    assert_documented(document, "/v1/account", "GET", reply)
    assert (reply.json["account"], reply.json["credits_balance"]) == ("account 1", "99")


async def test_the_account_needs_a_key(replica: Replica, document: dict[str, Any]) -> None:
    reply = await call(replica.app, "/v1/account")
    assert reply.status == 401
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert_documented(document, "/v1/account", "GET", reply)


async def test_the_account_without_a_ledger_is_unavailable(
    replica: Replica, document: dict[str, Any]
) -> None:
    replica.accounts.failures = [LedgerUnavailable("gone")]
    reply = await call(replica.app, "/v1/account", "GET", {"authorization": replica.anna})
    assert (reply.status, reply.json["code"]) == (503, "ledger_unavailable")
    assert_documented(document, "/v1/account", "GET", reply)


async def test_a_stored_answer_is_read_again(replica: Replica, document: dict[str, Any]) -> None:
    paid = await post(replica.app, replica.anna, make_body())
    headers = {"authorization": replica.anna}
    reply = await call(replica.app, f"{PREDICTIONS}/{paid.json['id']}", "GET", headers)
    assert reply.json == paid.json
    assert_documented(document, PREDICTIONS + "/{id}", "GET", reply)


@pytest.mark.parametrize("name", ["nonsense", "00000000-0000-0000-0000-000000000009"])
async def test_an_unknown_stored_answer_is_not_found(
    replica: Replica, document: dict[str, Any], name: str
) -> None:
    headers = {"authorization": replica.anna}
    reply = await call(replica.app, f"{PREDICTIONS}/{name}", "GET", headers)
    assert (reply.status, reply.json["code"]) == (404, "prediction_not_found")
    assert_documented(document, PREDICTIONS + "/{id}", "GET", reply)


async def test_another_accounts_stored_answer_is_not_found(replica: Replica) -> None:
    paid = await post(replica.app, replica.anna, make_body())
    headers = {"authorization": replica.boris}
    reply = await call(replica.app, f"{PREDICTIONS}/{paid.json['id']}", "GET", headers)
    assert reply.status == 404


async def test_a_pruned_stored_answer_is_gone(replica: Replica, document: dict[str, Any]) -> None:
    paid = await post(replica.app, replica.anna, make_body())
    replica.ledger.expire_answers()
    headers = {"authorization": replica.anna}
    reply = await call(replica.app, f"{PREDICTIONS}/{paid.json['id']}", "GET", headers)
    assert reply.status == 410
    assert_documented(document, PREDICTIONS + "/{id}", "GET", reply)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_healthy_replica_says_so(
    replica: Replica, document: dict[str, Any], path: str
) -> None:
    reply = await call(replica.app, path)
    assert reply.status == 200
    assert_documented(document, path, "GET", reply)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (lose_ledger, "ledger_unavailable"),
        (lose_scorer, "scorer_unavailable"),
    ],
)
async def test_a_replica_that_cannot_answer_is_alive_but_not_ready(
    replica: Replica, document: dict[str, Any], trouble: Callable[[Replica], None], code: str
) -> None:
    trouble(replica)
    reply = await call(replica.app, "/readyz")
    assert (reply.status, reply.json["code"]) == (503, code)
    assert int(reply.headers["retry-after"]) > 0
    assert_documented(document, "/readyz", "GET", reply)
    assert (await call(replica.app, "/healthz")).status == 200
