"""Operators see drift, Prometheus its gauges, and the log says once when it begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from structlog.testing import capture_logs

from serve.accounts.chores import make_chores
from serve.accounts.drift.watch import DriftWatch
from tests.support.accounts import AccountsApp, Person
from tests.support.drift import MODEL, VERSION, add_rows, odd_rows, usual_rows

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

KEY = (MODEL, VERSION)


class Gauges:
    """The last figures of each version."""

    def __init__(self) -> None:
        self.figures: dict[tuple[str, str], tuple[int, float, float]] = {}

    def drift_measured(
        self, model: str, version: str, rows: int, score_psi: float, feature_psi_max: float
    ) -> None:
        self.figures[model, version] = (rows, score_psi, feature_psi_max)


@pytest.fixture
def today(app: AccountsApp) -> date:
    return app.clock.time.date()


async def test_operators_see_the_worst_features_and_the_probabilities(
    app: AccountsApp, operator: Person, today: date
) -> None:
    await add_rows(app.services.database, odd_rows(today), replace(odd_rows(today), model="gone"))
    report = (await operator.client.get("/v1/reports/drift", params={"top": 3})).json()
    assert (report["since"], report["until"]) == (f"{today}", f"{today + timedelta(days=1)}")
    drifted, gone = report["models"]
    assert (drifted["model"], drifted["verdict"], drifted["rows"]) == (MODEL, "drifted", 1_000)
    assert "each app" in drifted["weighting"]
    psis = [feature["psi"] for feature in drifted["features"]]
    assert psis == sorted(psis, reverse=True)
    assert (len(psis), psis[0]) == (3, drifted["feature_psi_max"])
    assert drifted["score_psi"] > 1
    assert drifted["probabilities"][3]["served_share"] == 1
    assert sum(each["reference_share"] for each in drifted["probabilities"]) == pytest.approx(
        1, abs=1e-4
    )
    assert (gone["verdict"], gone["score_psi"], gone["features"]) == ("no reference", None, [])


async def test_days_are_told_apart_and_added_up(
    app: AccountsApp, operator: Person, today: date
) -> None:
    yesterday = today - timedelta(days=1)
    await add_rows(app.services.database, usual_rows(yesterday), odd_rows(today, 100))

    async def ask(**params: object) -> list[tuple[str, int]]:
        answer = await operator.client.get("/v1/reports/drift", params=params)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        return [(one["verdict"], one["rows"]) for one in answer.json()["models"]]

    assert await ask() == [("too few rows", 100)]
    assert await ask(day=yesterday) == [("stable", 4464)]
    assert await ask(days=2, model=MODEL, version=VERSION) == [("stable", 4564)]
    assert await ask(days=2, version="7") == []


async def test_others_do_not_see_it(anna: Person) -> None:
    assert (await anna.client.get("/v1/reports/drift")).status_code == 403


async def test_drift_is_told_once_and_again_after_it_was_gone(
    app: AccountsApp, today: date
) -> None:
    gauges = Gauges()
    watch = DriftWatch(app.services, gauges)

    async def look() -> list[str]:
        with capture_logs() as logs:
            assert await watch.look() is False
        return [line["event"] for line in logs]

    assert await look() == []
    await add_rows(app.services.database, usual_rows(today))
    assert await look() == []
    assert gauges.figures == {KEY: (4464, 0, 0)}
    await add_rows(app.services.database, odd_rows(today, 40_000))
    assert [await look(), await look()] == [["drift_alert"], []]
    rows, score_psi, feature_psi_max = gauges.figures[KEY]
    assert rows == 44_464
    assert min(score_psi, feature_psi_max) > app.services.settings.drift_psi_alert
    app.clock.forward(days=1)
    assert await look() == []  # yesterday's, until today has rows enough
    assert gauges.figures[KEY] == (rows, score_psi, feature_psi_max)
    await add_rows(app.services.database, usual_rows(today + timedelta(days=1)))
    assert await look() == []
    assert gauges.figures[KEY] == (4464, 0, 0)
    app.clock.forward(days=1)
    await add_rows(app.services.database, odd_rows(today + timedelta(days=2)))
    assert await look() == ["drift_alert"]
    app.clock.forward(days=9)
    assert await look() == []
    assert gauges.figures[KEY] == (0, 0, 0)


async def test_a_reference_that_cannot_be_used_is_told_once(app: AccountsApp, today: date) -> None:
    gauges = Gauges()
    watch = DriftWatch(app.services, gauges)
    await add_rows(app.services.database, replace(odd_rows(today), model="gone"))
    with capture_logs() as logs:
        await watch.look()
        await watch.look()
    assert [line["event"] for line in logs] == ["drift_reference_unusable"]
    assert gauges.figures == {("gone", VERSION): (1_000, 0, 0)}


async def test_the_chores_measure_and_prune(
    app: AccountsApp, operator: Person, today: date
) -> None:
    kept = app.services.settings.drift_kept_days
    days = [today - timedelta(days=age) for age in (0, kept, kept + 1)]
    await add_rows(app.services.database, *map(odd_rows, days))
    for chore in make_chores(app.services):
        if chore.name.startswith("drift"):
            assert await chore.run() is False
    for day, models in zip(days, (1, 1, 0), strict=True):
        answer = await operator.client.get("/v1/reports/drift", params={"day": f"{day}"})
        assert len(answer.json()["models"]) == models
