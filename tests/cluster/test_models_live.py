"""Models are published, promoted, tried, rolled back and retired while clients go on."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.accounts import create_key
from billing.credits import Credits
from billing.database import Database
from billing.reports.shadows import ShadowDay, fetch_shadow_differences
from billing.settings import BillingSettings
from farebox.home import Home
from farebox.store import billing_settings
from models.registry import read_catalog
from serve.served_models import Canary
from tests.support.api import Api, statuses
from tests.support.live_models import (
    SEEN_SECONDS,
    Answered,
    LiveModels,
    constant_load,
    make_logistic_onnx,
)
from tests.support.product import Product

SMS = ["SEND_SMS"]
LOG_ODDS = {"1": 1.0, "2": 2.0}
"""Of an app with SEND_SMS, by version of the models published here."""
CLIENTS = 3


def probability(version: str) -> float:
    return 1 / (1 + math.exp(-LOG_ODDS[version]))


def ask(model: str, *instances: Sequence[str], **fields: Any) -> dict[str, Any]:
    return {"model": model, "instances": [*(instances or (SMS,))], **fields}


@pytest.fixture
def live(product: Product) -> LiveModels:
    return LiveModels(product)


@pytest.fixture
def published(live: LiveModels) -> Iterator[str]:
    """The name of a new model whose version 1 answers and whose version 2 is there too."""
    name = f"live-{uuid.uuid4().hex[:8]}"
    for version, log_odds in LOG_ODDS.items():
        live.publish_tree(name, version, log_odds + 1)
    live.wait_for(name, "2")
    yield name
    live.remove(name)


@pytest.fixture
def apis(product: Product) -> Iterator[list[Api]]:
    """Of accounts with 100,000 credits each."""
    keys = open_accounts(product, CLIENTS, "100000").values()
    connected = [Api.connect(product.base_url, key) for key in keys]
    yield connected
    for api in connected:
        api.client.close()


def assert_all_answered_rightly(answers: Sequence[Answered]) -> None:
    """Each with 200, and with the probability that the version it names gives."""
    assert statuses([one.response for one in answers]) == {200: len(answers)}
    for one in answers:
        assert one.probability == pytest.approx(probability(one.version), abs=1e-6)


def versions_asked_after(answers: Sequence[Answered], moment_seconds: float) -> set[str]:
    asked_after = [one for one in answers if one.asked_seconds > moment_seconds]
    assert asked_after
    return {one.version for one in asked_after}


def wait_for_answer(answers: Sequence[Answered], version: str, since_seconds: float) -> None:
    """Return when a request asked since then was answered by the version, within 5 s of it."""
    deadline = since_seconds + SEEN_SECONDS
    while not any(
        one.version == version for one in answers[:] if one.asked_seconds > since_seconds
    ):
        assert time.monotonic() < deadline, f"version {version} did not answer in time"
        time.sleep(0.05)


def test_a_model_and_a_version_are_published_under_load_and_served_without_a_restart(
    live: LiveModels, product: Product, apis: list[Api], published: str
) -> None:
    replicas = product.running("FeatureValidator") | product.running("LightGBMScorer")
    content, fitted = make_logistic_onnx()
    with constant_load(apis[1:], ask(published)) as answers:
        live.publish_onnx("live-logistic", content, "0.25")
        live.publish_tree(published, "3", 1)
        live.wait_for("live-logistic", "1")
        live.wait_for(published, "3")
        second = apis[0].score(ask("live-logistic", SMS, ["INTERNET"])).json()
        third = apis[0].score(ask(published, version="3")).json()
    assert_all_answered_rightly(answers)
    assert {one.version for one in answers} == {"1"}
    expected = fitted.predict_proba([[0, 0, 1], [0, 1, 0]])[:, 1]
    found = [one["probability"] for one in second["predictions"]]
    assert found == pytest.approx(list(expected), abs=1e-6)
    assert (second["model"], second["version"]) == ("live-logistic", "1")
    assert second["credits_charged"] == "0.5"
    assert third["predictions"][0]["probability"] == pytest.approx(0.5)
    assert replicas <= product.running("FeatureValidator") | product.running("LightGBMScorer")
    live.remove("live-logistic")


@pytest.mark.timeout(300)
def test_promotion_rollback_and_retirement_under_load_fail_no_request(
    live: LiveModels, product: Product, apis: list[Api], published: str
) -> None:
    before = apis[0].score(ask(published), key="before").json()
    with constant_load(apis, ask(published)) as answers:
        time.sleep(0.5)
        promoting = time.monotonic()
        product.run("models", "promote", published, "2")
        wait_for_answer(answers, "2", time.monotonic())
        time.sleep(SEEN_SECONDS / 2)
        assert versions_asked_after(answers, time.monotonic() - 0.5) == {"2"}
        product.run("models", "rollback", published)
        wait_for_answer(answers, "1", time.monotonic())
        time.sleep(SEEN_SECONDS / 2)
        product.run("models", "retire", published, "2")
        time.sleep(SEEN_SECONDS / 2)
    assert_all_answered_rightly(answers)
    assert {one.version for one in answers if one.answered_seconds < promoting} == {"1"}
    assert versions_asked_after(answers, time.monotonic() - SEEN_SECONDS / 2) == {"1"}
    sent = Counter(one.response.json()["id"] for one in answers)
    assert set(sent.values()) == {1}
    assert sum(100_000 - api.balance for api in apis) == len(answers) + 1
    refused = apis[0].score(ask(published, version="2"))
    assert (refused.status_code, refused.json()["code"]) == (410, "version_retired")
    assert "leave the version out" in refused.json()["detail"]
    assert apis[0].score(ask(published), key="before").json()["id"] == before["id"]


def test_a_canary_answers_its_share_of_accounts_at_its_own_price(
    live: LiveModels, product: Product, published: str
) -> None:
    product.run("prices", "set", published, "--version", "2", "--credits", "3")
    accounts = open_accounts(product, 60, "10")
    product.run("models", "canary", published, "2", "--percent", "30")
    challenger = read_catalog(live.root).look_up(published, "2")
    expected = {
        account_id: "2" if Canary(challenger, 30).takes(account_id) else "1"
        for account_id in accounts
    }
    live.wait_until(lambda card: card["name"] == published and card["canary_percent"] == 30)
    for _ in range(2):
        answers = {
            account_id: score_once(product, key, published) for account_id, key in accounts.items()
        }
        assert {one: answer["version"] for one, answer in answers.items()} == expected
    assert 8 <= list(expected.values()).count("2") <= 28
    for answer in answers.values():
        assert answer["credits_charged"] == {"1": "1", "2": "3"}[answer["version"]]
        assert answer["credits_balance"] == {"1": "8", "2": "4"}[answer["version"]]


def score_once(product: Product, key: str, model: str) -> dict[str, Any]:
    api = Api.connect(product.base_url, key)
    try:
        answer: dict[str, Any] = api.score(ask(model)).raise_for_status().json()
    finally:
        api.client.close()
    return answer


def open_accounts(product: Product, count: int, credits_each: str) -> dict[uuid.UUID, str]:
    """New accounts with these credits each, and a key of each."""

    async def create(database: Database, settings: BillingSettings) -> dict[uuid.UUID, str]:
        made = [
            await create_key(
                database,
                settings.key_hash_secret,
                f"live-{uuid.uuid4()}",
                Credits.parse(credits_each),
            )
            for _ in range(count)
        ]
        return {one.account.id: one.api_key.reveal() for one in made}

    return asyncio.run(use_database(product, create))


async def use_database(product: Product, use: Any) -> Any:
    settings = billing_settings(Home(product.home), product.record["database_url"])
    database = Database(settings)
    try:
        return await use(database, settings)
    finally:
        await database.close()


def test_a_shadow_changes_no_answer_and_no_charge_and_its_differences_are_recorded(
    live: LiveModels, product: Product, apis: list[Api], published: str
) -> None:
    product.run("models", "shadow", published, "2")
    live.wait_until(lambda card: card["name"] == published and card["shadow"])
    api = apis[0]
    for _ in range(20):
        answer = api.score(ask(published, SMS, ["INTERNET"])).json()
        assert (answer["version"], answer["credits_charged"]) == ("1", "2")
        assert answer["predictions"][0]["probability"] == pytest.approx(probability("1"))
    assert api.balance == 100_000 - 40
    day = wait_for_differences(product, published, instances=40)
    assert (day.pair.champion, day.pair.challenger) == ("1", "2")
    found = day.differences
    assert (found.disagreements, found.failed) == (0, 0)
    apart = probability("2") - probability("1")
    assert found.difference_max == pytest.approx(apart, abs=1e-6)
    assert found.difference_mean == pytest.approx(apart / 2, abs=1e-6)
    assert sum(found.histogram) == 40
    table = product.run("models", "differences", published).stdout
    assert "2 with 1" in table
    assert "0 (0.00%)" in table


def wait_for_differences(product: Product, model: str, instances: int) -> ShadowDay:
    """Replicas store them every 10 s."""
    today = datetime.now(UTC).date()

    async def fetch(database: Database, _settings: BillingSettings) -> list[ShadowDay]:
        return await fetch_shadow_differences(database, today - timedelta(days=1), today, model)

    deadline = time.monotonic() + 30
    while True:
        days: list[ShadowDay] = asyncio.run(use_database(product, fetch))
        if sum(day.differences.instances for day in days) == instances:
            [day] = days
            return day
        assert time.monotonic() < deadline, days
        time.sleep(0.5)


def test_a_version_that_cannot_be_loaded_is_refused_free_and_harms_no_other(
    live: LiveModels, apis: list[Api], published: str
) -> None:
    api = apis[0]
    live.bring_broken(published, "9")
    live.wait_for(published, "9")
    with constant_load(apis[1:], ask(published)) as answers:
        refused = [api.score(ask(published, version="9")) for _ in range(10)]
    assert {one.json()["code"] for one in refused} == {"model_unavailable"}
    assert statuses(refused) == {503: 10}
    assert api.balance == 100_000
    assert_all_answered_rightly(answers)


def test_the_ledger_reconciles_after_all_this(product: Product) -> None:
    assert "the ledger is clean" in product.run("reconcile").stdout
