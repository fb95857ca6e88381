"""A check is paid once, and its verdict is shown whatever becomes of its reasons."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from frontend.application import make_console
from frontend.context import Console
from frontend.language import Language
from frontend.pages.check.scoring import Attempt, check, show_price
from frontend.results import ResultFiles
from frontend.server import Problem, Server, SessionEnded, Unreachable
from frontend.session import SESSION_COOKIE
from frontend.settings import ConsoleSettings

pytestmark = pytest.mark.anyio
MODEL = {
    "name": "android-malware",
    "version": "1",
    "features": ["SEND_SMS", "INTERNET"],
    "features_sha256": "0" * 64,
    "labels": {"negative": "goodware", "positive": "malware"},
    "threshold": 0.09,
    "price_per_instance": "1",
    "explanation_price_per_instance": "1",
    "default": True,
}
EXPLAINED = {
    "label": "malware",
    "probability": 0.5,
    "explanation": {
        "base": 0.0,
        "raw_score": 0.0,
        "contributions": [{"feature": "SEND_SMS", "value": 1, "contribution": 1.25}],
        "rest": -1.25,
    },
}


class Api:
    """Answers as the API does, charges once a key, and can lose an answer."""

    def __init__(self) -> None:
        self.balance = 3
        self.charged: dict[str, Any] = {}
        self.loses_answers = 0
        self.refusal: tuple[int, dict[str, str]] | None = None
        self.reasons = httpx.Response(200, json={"prediction": EXPLAINED})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/v1/models":
                return httpx.Response(200, json={"models": [MODEL]})
            case "/accounts/v1/balance":
                return httpx.Response(200, json={"available": str(self.balance)})
            case "/v1/predictions":
                return self.score(request)
            case _:
                return self.reasons

    def score(self, request: httpx.Request) -> httpx.Response:
        if self.refusal:
            return httpx.Response(self.refusal[0], json=self.refusal[1])
        key = request.headers["idempotency-key"]
        if key not in self.charged:
            self.balance -= 1
            self.charged[key] = json.loads(request.content)
        if self.loses_answers:
            self.loses_answers -= 1
            raise httpx.ReadError("lost", request=request)
        answer = {
            "id": "8b9c17ac-2bba-50b8-bea0-feece69c530a",
            "model": "android-malware",
            "version": "1",
            "predictions": [{"label": "malware", "probability": 0.5}],
            "credits_charged": "1",
            "credits_balance": str(self.balance),
        }
        return httpx.Response(200, json=answer)


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def console(api: Api, tmp_path: Path) -> Console:
    http = httpx.AsyncClient(transport=httpx.MockTransport(api), base_url="http://api")
    return make_console(
        ConsoleSettings(), Server(http), ResultFiles(tmp_path, 1.0), Language.ENGLISH
    )


REQUEST: Any = SimpleNamespace(cookies={SESSION_COOKIE: "token"})


async def press(
    console: Console, earlier: Attempt | None = None, chosen: tuple[str, ...] = ("SEND_SMS",)
) -> list[tuple[str, Attempt | None]]:
    """What one press shows, step by step, with the attempt that the page keeps."""
    shown = []
    async for html, attempt in check(console, list(chosen), "android-malware 1", earlier, REQUEST):
        shown.append((html, attempt))
    return shown


async def test_a_verdict_comes_with_its_reasons_and_what_it_cost(console: Console) -> None:
    html, attempt = (await press(console))[-1]
    assert attempt is None
    assert "Malware" in html
    assert "3 before, 2 now" in html
    assert "SEND_SMS" in html
    assert "/en/history?prediction=8b9c17ac" in html


async def test_an_answer_that_was_lost_is_fetched_and_not_paid_again(
    console: Console, api: Api
) -> None:
    api.loses_answers = 1
    steps = check(console, ["SEND_SMS"], "android-malware 1", None, REQUEST)
    _, kept = await anext(steps)
    assert kept is not None
    with pytest.raises(Unreachable):
        await anext(steps)
    html, attempt = (await press(console, kept))[-1]
    assert "Malware" in html
    assert attempt is None
    assert api.balance == 2


async def test_another_app_after_a_lost_answer_is_another_check(console: Console, api: Api) -> None:
    lost = Attempt("android-malware 1", ("SEND_SMS",), "key of the first")
    await press(console, lost, ("INTERNET",))
    assert next(iter(api.charged.values()))["instances"] == [["INTERNET"]]
    assert "key of the first" not in api.charged


async def test_nothing_chosen_asks_for_nothing(console: Console, api: Api) -> None:
    html, attempt = (await press(console, chosen=()))[-1]
    assert "Choose at least one" in html
    assert attempt is None
    assert api.charged == {}


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        (httpx.Response(410, json={"code": "answer_expired"}), "has been removed"),
        (httpx.Response(502), "does not answer"),
        (httpx.Response(401, json={"code": "unauthenticated"}), "session has ended"),
    ],
)
async def test_a_paid_verdict_is_shown_when_its_reasons_cannot_be(
    console: Console, api: Api, reasons: httpx.Response, said: str
) -> None:
    api.reasons = reasons
    html, _ = (await press(console))[-1]
    assert "Malware" in html
    assert said in html


async def test_a_refusal_is_a_problem_and_charges_nothing(console: Console, api: Api) -> None:
    api.refusal = (402, {"code": "insufficient_credits", "detail": "x"})
    with pytest.raises(Problem):
        await press(console)
    assert api.balance == 3


async def test_who_is_not_signed_in_asks_for_nothing(console: Console, api: Api) -> None:
    with pytest.raises(SessionEnded):
        async for _ in check(
            console, ["SEND_SMS"], "android-malware 1", None, SimpleNamespace(cookies={})
        ):
            pass
    assert api.charged == {}


@pytest.mark.parametrize(
    ("balance", "said"), [(3, "2 credits will be left"), (0, "Buy credits"), (1, "0 credits will")]
)
async def test_the_price_is_told_before(
    console: Console, api: Api, balance: int, said: str
) -> None:
    api.balance = balance
    shown = await show_price(console, "android-malware 1", REQUEST)
    assert said in shown.replace("\N{NO-BREAK SPACE}", " ")
