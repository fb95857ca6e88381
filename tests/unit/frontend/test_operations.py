"""What the operators' page reckons: timelines, histograms, what is typed, who is meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from markupsafe import Markup

from frontend.language import Language
from frontend.pages.operations.actions import (
    Action,
    may_be_repeated,
    plan_adjustment,
    plan_decision,
    plan_grant,
    plan_refund,
)
from frontend.pages.operations.figures import Figures
from frontend.pages.operations.forms import (
    FormFault,
    read_amount,
    read_id,
    read_moment,
    read_reason,
)
from frontend.pages.operations.latency import LABELS, merge_buckets
from frontend.pages.operations.lookups import (
    Account,
    fetch_emails,
    fetch_if_there,
    find_account,
    find_prediction,
    reckon_left,
)
from frontend.pages.operations.timeline import (
    VIEWS,
    add_credits,
    count_predictions,
    draw_credits,
    draw_latency,
    draw_requests,
    fill_gaps,
    find_busiest,
    find_slowest,
)
from frontend.server import Problem, Server, Unreachable

NOW = datetime(2026, 11, 28, 13, 20, tzinfo=UTC)
ANNA = "01a22249-ec60-754a-900a-78069b2dd677"
DEMO = "01a22227-eb4a-74a9-9628-cfd7d30008fc"
PREDICTION = "a94ece22-4fbd-5c20-b396-1faf20e6390e"


def period(hour: int, **more: Any) -> dict[str, Any]:
    requests = {"total": 3, "answered": 2, "refused": 1, "failed": 0}
    latency = {"p50_ms": 4.0, "p95_ms": 9.0, "p99_ms": 20.0}
    return {
        "period": f"2026-11-28T{hour:02}:00:00Z",
        "predictions": 2,
        "charged": "0.1",
        "refunded": "0",
        "requests": requests,
        "latency": latency,
        **more,
    }


def report(*periods: dict[str, Any]) -> dict[str, Any]:
    return {
        "since": "2026-11-28T10:00:00Z",
        "until": "2026-11-28T14:00:00Z",
        "as_of": "2026-11-28T13:20:00Z",
        "periods": list(periods),
    }


def test_periods_that_the_api_leaves_out_are_filled_with_zeros_up_to_now() -> None:
    filled = fill_gaps(report(period(11), period(13)), "hour")
    assert [each["period"].hour for each in filled] == [10, 11, 12, 13]
    assert [each["predictions"] for each in filled] == [0, 2, 0, 2]
    assert draw_requests(filled, {"refused": "R"})[1] == (filled[1]["period"], "R", 1)


def test_no_period_of_the_future_is_drawn() -> None:
    early = report() | {"as_of": "2026-11-28T11:30:00Z"}
    assert [each["period"].hour for each in fill_gaps(early, "hour")] == [10, 11]


def test_by_the_minute_sums_are_unknown_and_not_zero() -> None:
    filled = fill_gaps(report(), "minute")
    assert len(filled) == 200
    assert count_predictions(filled, "P") == []
    assert draw_credits(filled, {"charged": "C"}) == []


def test_credits_are_added_exactly() -> None:
    filled = fill_gaps(report(*(period(hour) for hour in (10, 11, 12))), "hour")
    assert add_credits(filled) == {"charged": "0.3", "refunded": "0"}


def test_periods_without_an_answer_have_no_latency() -> None:
    filled = fill_gaps(report(period(11)), "hour")
    assert [moment.hour for moment, _, _ in draw_latency(filled, {"p50_ms": "p50"})] == [11]


def test_the_busiest_and_the_slowest_period_are_found() -> None:
    slow = period(12, latency={"p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 90.0})
    busy = period(13, requests={"total": 9, "answered": 9, "refused": 0, "failed": 0})
    filled = fill_gaps(report(period(11), slow, busy), "hour")
    busiest, slowest = find_busiest(filled), find_slowest(filled)
    assert busiest is not None
    assert busiest["period"].hour == 13
    assert slowest is not None
    assert slowest["period"].hour == 12


def test_a_quiet_time_has_neither() -> None:
    filled = fill_gaps(report(), "hour")
    assert find_busiest(filled) is None
    assert find_slowest(filled) is None


def test_a_view_asks_for_its_hours() -> None:
    assert VIEWS["week"].since(NOW) == (NOW - timedelta(days=7)).isoformat()


def test_buckets_become_few_bars_with_the_empty_ones_between() -> None:
    buckets = [
        {"from_ms": 2.1, "to_ms": 2.2, "requests": 4},
        {"from_ms": 2.2, "to_ms": 2.3, "requests": 1},
        {"from_ms": 6.9, "to_ms": 7.2, "requests": 2},
    ]
    assert merge_buckets(buckets) == [("2–3", 5), ("3–5", 0), ("5–7", 2)]  # noqa: RUF001


def test_latencies_beyond_the_last_edge_are_kept() -> None:
    assert merge_buckets([{"from_ms": 60_000.0, "requests": 1}]) == [(LABELS[-1], 1)]
    assert merge_buckets([]) == []


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("10", "10"),
        (" 1 000.50 ", "1000.5"),
        ("1000,5", "1000.5"),
        ("+2", "2"),
        ("0.000001", "0.000001"),
    ],
)
def test_amounts_are_read_exactly(text: str, amount: str) -> None:
    assert read_amount(text) == amount


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "amount_unreadable"),
        (None, "amount_unreadable"),
        ("1,000", "amount_unreadable"),
        ("1e3", "amount_unreadable"),
        ("0.0000001", "amount_unreadable"),
        ("--5", "amount_unreadable"),
        ("-5", "amount_negative"),
        ("0", "amount_zero"),
    ],
)
def test_what_could_be_meant_otherwise_is_no_amount(text: str | None, fault: str) -> None:
    with pytest.raises(FormFault) as raised:
        read_amount(text)
    assert raised.value.name == fault


def test_an_adjustment_may_take_and_a_price_may_be_zero() -> None:
    assert read_amount("\N{MINUS SIGN}5", signed=True) == "-5"
    assert read_amount("0", zero=True) == "0"


def test_a_reason_is_needed_and_has_a_limit() -> None:
    assert read_reason("  thanks ") == "thanks"
    for text, fault in (
        (" ", "reason_missing"),
        (None, "reason_missing"),
        ("x" * 501, "reason_long"),
    ):
        with pytest.raises(FormFault) as raised:
            read_reason(text)
        assert raised.value.name == fault


def test_moments_are_of_utc_and_to_come() -> None:
    assert read_moment("2026-11-29", NOW) == "2026-11-29T00:00:00+00:00"
    assert read_moment(" 2026-11-28  13:21 UTC", NOW) == "2026-11-28T13:21:00+00:00"
    assert read_moment("", NOW) is None
    for text, fault in (("2026-11-28 13:20", "moment_past"), ("29.11.2026", "moment_unreadable")):
        with pytest.raises(FormFault) as raised:
            read_moment(text, NOW)
        assert raised.value.name == fault


def test_a_prediction_is_named_by_its_whole_id() -> None:
    assert read_id(f" {PREDICTION.upper()} ") == PREDICTION
    with pytest.raises(FormFault):
        read_id("a94ece22")


def test_the_same_deed_keeps_its_key_and_another_gets_its_own() -> None:
    path, body = plan_grant(ANNA, "5", "thanks", 50, None)
    first = Action("POST", path, body, Markup(""))
    same = Action("POST", path, dict(body), Markup("")).after(first)
    other = Action("POST", path, body | {"amount": "6"}, Markup("")).after(first)
    assert same.key == first.key
    assert other.key != first.key
    assert Action("POST", path, body, Markup("")).after(None).key != first.key


def test_what_is_left_out_is_not_sent() -> None:
    assert "expires_at" not in plan_grant(ANNA, "5", "why", 50, None)[1]
    assert plan_refund(PREDICTION, None, "why")[1] == {"reason": "why"}
    assert plan_refund(PREDICTION, "1", "why")[1] == {"reason": "why", "amount": "1"}
    assert plan_adjustment(ANNA, "-1", "why")[1] == {"amount": "-1", "reason": "why"}
    assert plan_decision("7", "decline", None, "why")[0].endswith("/refund-requests/7/decline")


def test_only_what_may_have_been_done_is_to_be_pressed_again() -> None:
    assert may_be_repeated(Unreachable("away"))
    assert may_be_repeated(Problem(503, {"code": "ledger_unavailable"}))
    assert may_be_repeated(Problem(409, {"code": "request_in_flight"}))
    assert not may_be_repeated(Problem(409, {"code": "refund_request_decided"}))


def test_what_is_left_of_a_charge_is_reckoned_exactly() -> None:
    assert reckon_left({"amount": "3", "refunded": "0.1"}) == "2.9"


def test_figures_are_written_as_the_language_has_them() -> None:
    english, russian = Figures(Language.ENGLISH), Figures(Language.RUSSIAN)
    assert english.count(12_345) == "12,345"
    assert russian.decimal(0.5) == "0,5"
    assert english.milliseconds(4.312) == "4.3"
    assert english.milliseconds(1234.5) in {"1,234", "1,235"}
    assert english.decimal(None) == english.milliseconds(None) == "–"  # noqa: RUF001


class FakeApi:
    """Users and predictions by pages, as the API has them."""

    def __init__(self, users: int = 0) -> None:
        self.users = [
            {"account_id": f"id-{n}", "email": f"u{n}@example.com", "role": "user"}
            for n in range(users)
        ]
        self.asked: list[str] = []

    def server(self) -> Server:
        transport = httpx.MockTransport(self._answer)
        return Server(httpx.AsyncClient(base_url="http://api", transport=transport), "token")

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        params = request.url.params
        if request.url.path == "/accounts/v1/users":
            email = params.get("email")
            if email is not None:
                found = [each for each in self.users if each["email"] == email]
                return httpx.Response(200, json={"items": found, "next_cursor": None})
            begin = int(params.get("cursor", 0))
            items = self.users[begin : begin + int(params["limit"])]
            end = begin + len(items)
            cursor = str(end) if end < len(self.users) else None
            return httpx.Response(200, json={"items": items, "next_cursor": cursor})
        if request.url.path.endswith("/predictions"):
            items = [{"id": PREDICTION, "amount": "1", "refunded": "0"}]
            return httpx.Response(200, json={"items": items, "next_cursor": None})
        if request.url.path == f"/accounts/v1/accounts/{DEMO}/balance":
            return httpx.Response(200, json={"available": "1"})
        code = "route_not_found" if "reports" in request.url.path else "not_found"
        return httpx.Response(404, json={"code": code, "detail": "no"})


@pytest.mark.anyio
async def test_emails_are_read_until_all_are_found_and_no_further() -> None:
    api = FakeApi(users=1_000)
    assert await fetch_emails(api.server(), ["id-3", "id-150"]) == {
        "id-3": "u3@example.com",
        "id-150": "u150@example.com",
    }
    assert len(api.asked) == 2


@pytest.mark.anyio
async def test_an_account_that_nobody_signs_in_to_ends_the_search_after_500_users() -> None:
    api = FakeApi(users=1_000)
    assert await fetch_emails(api.server(), ["nobody"]) == {}
    assert len(api.asked) == 5


@pytest.mark.anyio
async def test_nobody_is_asked_for_when_nobody_is_wanted() -> None:
    api = FakeApi(users=10)
    assert await fetch_emails(api.server(), []) == {}
    assert api.asked == []


@pytest.mark.anyio
async def test_accounts_are_found_by_email_or_id() -> None:
    server = FakeApi(users=2).server()
    assert await find_account(server, " u1@example.com ") == Account(
        "id-1", "u1@example.com", "user"
    )
    assert await find_account(server, DEMO) == Account(DEMO)
    assert await find_account(server, ANNA) is None
    assert await find_account(server, "x@example.com") is None
    assert await find_account(server, "") is None


@pytest.mark.anyio
async def test_a_prediction_is_found_in_its_account() -> None:
    server = FakeApi().server()
    found = await find_prediction(server, ANNA, PREDICTION)
    assert found is not None
    assert found["amount"] == "1"
    assert await find_prediction(server, ANNA, "another") is None


@pytest.mark.anyio
async def test_a_route_that_an_older_server_lacks_is_none_and_other_faults_are_told() -> None:
    server = FakeApi().server()
    assert await fetch_if_there(server, "/accounts/v1/reports/replicas") is None
    with pytest.raises(Problem):
        await fetch_if_there(server, "/accounts/v1/missing")


@pytest.mark.anyio
async def test_a_deed_is_sent_with_its_key() -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("idempotency-key"))
        return httpx.Response(201, json={"id": "1"})

    http = httpx.AsyncClient(base_url="http://api", transport=httpx.MockTransport(answer))
    deed = Action("POST", "/grants", {"amount": "1"}, Markup(""))
    assert await deed.carry_out(Server(http, "token")) == {"id": "1"}
    await Action("PUT", "/role", {"role": "user"}, Markup("")).carry_out(Server(http, "token"))
    assert seen == [deed.key, None]
