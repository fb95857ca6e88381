"""One request ahead of a load: what it costs, and how long its answer is."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus

import httpx

from loadtest.bench.generator.checker import Checker
from loadtest.bench.load import FLOAT64, LoadPlan

TIMEOUT_SECONDS = 30
SAID_CHARS_MAX = 120


class ProbeRefused(Exception):
    """The server does not answer such a request with a right 200."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Of one kind of request. `price` is 0 where nobody pays."""

    price: Decimal
    answer_bytes: int


def probe(plan: LoadPlan) -> Probe:
    """Send the first of `plan`'s requests; raises ProbeRefused for anything but a right 200."""
    url = plan.target.base_url + plan.target.path
    headers = dict(line.split(": ", 1) for line in plan.headers)
    if plan.target.keys:
        headers["Authorization"] = f"Bearer {plan.target.keys[0]}"
    body = plan.bodies[0]
    answer = httpx.post(url, content=body.content, headers=headers, timeout=TIMEOUT_SECONDS)
    if answer.status_code != HTTPStatus.OK:
        said = f"status {answer.status_code}: {answer.text[:SAID_CHARS_MAX]}"
        raise ProbeRefused(f"{plan.target.name} refused {plan.content_type}: {said}")
    marker = b"" if plan.accept == FLOAT64 else plan.target.marker
    if not Checker(marker, [body.expected]).right(0, answer.content):
        said = answer.content[:SAID_CHARS_MAX].decode(errors="replace")
        raise ProbeRefused(f"{plan.target.name} gave a wrong answer: {said}")
    return Probe(_price(answer, plan), len(answer.content))


def _price(answer: httpx.Response, plan: LoadPlan) -> Decimal:
    if not plan.target.keys:
        return Decimal(0)
    if plan.accept == FLOAT64:
        return Decimal(answer.headers["Farebox-Credits-Charged"])
    return Decimal(answer.json()["credits_charged"])
