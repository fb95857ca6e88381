"""The way of the scoring protocol and the way of ASGI answer alike."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np
import pytest

from serve.scoring_protocol import SHORTCUT, ScoringProtocol
from tests.support.scoring_server import (
    Protocol,
    WireAnswer,
    scoring,
    serve,
)
from tests.support.serving import (
    GOOD_ROW,
    POISON_ROW,
    Models,
    Replica,
    make_body,
    make_replica,
)

pytestmark = pytest.mark.anyio

PACKED = "application/octet-stream"
BITS = f"{PACKED}; layout=bits"
ROUTE = "/v1/predictions"


def packed(replica: Replica, body: bytes, query: str = "?model=fragile", **headers: str) -> bytes:
    return scoring(replica, body, target=ROUTE + query, **{"content_type": BITS} | headers)


ONE_ROW = np.packbits(np.array([[0, 1, 1]], dtype=np.uint8), axis=1).tobytes()
TABLE: dict[str, Callable[[Replica], bytes]] = {
    "one row": scoring,
    "many rows": lambda replica: scoring(replica, make_body(*[GOOD_ROW] * 20)),
    "a query that JSON does not need": lambda replica: scoring(replica, target=f"{ROUTE}?a=b"),
    "a question mark alone": lambda replica: scoring(replica, target=f"{ROUTE}?"),
    "a path spelled oddly": lambda replica: scoring(replica, target="/v1/%70redictions"),
    "a fragment": lambda replica: packed(replica, ONE_ROW, "?model=fragile#part"),
    "a fragment alone": lambda replica: scoring(replica, target=f"{ROUTE}#part"),
    "an absolute target": lambda replica: scoring(replica, target=f"http://h{ROUTE}"),
    "a header twice": lambda replica: scoring(replica).replace(
        b"host: h", b"x-request-id: first\r\nhost: h"
    ),
    "packed rows": lambda replica: packed(replica, ONE_ROW * 20),
    "packed both ways": lambda replica: packed(replica, ONE_ROW * 20, accept=PACKED),
    "packed rows of a version": lambda replica: packed(
        replica, ONE_ROW, "?version=1&model=fragile"
    ),
    "packed rows without a model": lambda replica: packed(replica, ONE_ROW, ""),
    "packed rows of no version": lambda replica: packed(replica, ONE_ROW, "?model=fragile&version"),
    "packed rows with dirt": lambda replica: packed(replica, b"\xff"),
    "packed rows of no layout": lambda replica: packed(replica, ONE_ROW, content_type=PACKED),
    "answered as bytes": lambda replica: scoring(replica, accept=PACKED),
    "no body": lambda replica: scoring(replica, b""),
    "no JSON": lambda replica: scoring(replica, b"{"),
    "no such feature": lambda replica: scoring(replica, make_body(["SEND_SMSS"])),
    "no such model": lambda replica: scoring(replica, make_body(model="none")),
    "no key": lambda replica: scoring(replica, authorization=""),
    "a key of nobody": lambda replica: scoring(replica, authorization="Bearer fb_live_x"),
    "a key that is malformed": lambda replica: scoring(replica, idempotency_key="a b"),
    "a text": lambda replica: scoring(replica, content_type="text/plain"),
    "gzip": lambda replica: scoring(replica, content_encoding="gzip"),
    "too dear": lambda replica: scoring(replica, make_body(*[[]] * 101)),
    "a model that fails": lambda replica: scoring(replica, make_body(POISON_ROW)),
    "too large": lambda replica: scoring(replica, b" " * 200_000),
    "to be closed": lambda replica: scoring(replica, connection="close"),
}


async def test_the_answers_are_those_of_the_way_of_asgi(models: Models) -> None:
    ours = await answer_table(models, ScoringProtocol)
    assert ours == await answer_table(models, "httptools")
    assert len({status for status, *_ in ours.values()}) > 6


async def answer_table(models: Models, protocol: Protocol) -> dict[str, tuple[object, ...]]:
    """Each request of the table to a replica of its own, on a connection of its own."""
    answers = {}
    async with serve(make_replica(models), protocol) as server:
        for name, request_to in TABLE.items():
            replica = make_replica(models, body_bytes_max=100_000)
            SHORTCUT.app = replica.app
            request = request_to(replica)
            if b"idempotency-key" not in request:
                request = request.replace(b"host: h", b"host: h\r\nidempotency-key: k")
            answer = await (await server.connect()).ask(request)
            answers[name] = (
                answer.status,
                comparable_headers(answer),
                comparable_body(answer),
                replica.seen.outcomes,
                await replica.balance(),
            )
    return answers


def comparable_headers(answer: WireAnswer) -> dict[str, str]:
    return {name: without_ids(value) for name, value in answer.headers.items() if name != "date"}


def comparable_body(answer: WireAnswer) -> object:
    if answer.headers["content-type"] == PACKED:
        return answer.body
    return json.loads(without_ids(answer.body.decode()))


def without_ids(text: str) -> str:
    """Ids of our own, UUIDv7, are new each time."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "OURS", text)
