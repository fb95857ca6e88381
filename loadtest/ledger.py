"""What the product's books say of an account, read over HTTP as the account's owner would.

Entries are numbered without a gap, so whatever a run did to an account lies behind the newest entry
from before it. Charges and predictions are exported as two files and counted apart.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import httpx

ACCOUNTS = "/accounts/v1"
HTTP_TIMEOUT_SECONDS = 60
OVERLAP = timedelta(minutes=1)
"""An entry may be committed after one that was dated later; those before the mark are left out by
their number."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest entry of an account at some moment."""

    sequence: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Books:
    """What happened to accounts since their marks."""

    charges: int = 0
    charged: Decimal = Decimal(0)
    predictions: int = 0
    instances: int = 0
    balance_min: Decimal = Decimal(0)
    """The lowest balance after any entry; 0 where none was below it."""

    def __add__(self, other: Books) -> Books:
        return Books(
            self.charges + other.charges,
            self.charged + other.charged,
            self.predictions + other.predictions,
            self.instances + other.instances,
            min(self.balance_min, other.balance_min),
        )

    def __str__(self) -> str:
        return (
            f"{self.charges:,} charges of {self.charged} credits, {self.predictions:,} predictions"
        )


def fetch_marks(base_url: str, keys: Sequence[str]) -> list[Mark]:
    """Where each key's account stands now."""
    with _client(base_url) as client:
        return [_fetch_mark(client, key) for key in keys]


def fetch_books(base_url: str, keys: Sequence[str], marks: Sequence[Mark]) -> Books:
    """What happened to all these accounts together since their marks."""
    with _client(base_url) as client:
        pairs = zip(keys, marks, strict=True)
        return sum((_fetch_account(client, key, mark) for key, mark in pairs), Books())


def _client(base_url: str) -> httpx.Client:
    return httpx.Client(base_url=base_url + ACCOUNTS, timeout=HTTP_TIMEOUT_SECONDS)


def _fetch_mark(client: httpx.Client, key: str) -> Mark:
    answer = client.get("/entries", params={"limit": 1}, headers=_headers(key)).raise_for_status()
    newest = answer.json()["items"][0]
    return Mark(newest["sequence"], datetime.fromisoformat(newest["created_at"]))


def _fetch_account(client: httpx.Client, key: str, mark: Mark) -> Books:
    books = Books()
    for row in _export(client, "/entries", key, mark):
        books += Books(balance_min=min(Decimal(row["balance"]), Decimal(0)))
        if row["kind"] == "charge":
            books += Books(charges=1, charged=-Decimal(row["amount"]))
    for row in _export(client, "/predictions", key, mark):
        books += Books(predictions=1, instances=int(row["instances"]))
    return books


def _export(client: httpx.Client, path: str, key: str, mark: Mark) -> Iterator[dict[str, str]]:
    """The rows behind the mark, oldest first."""
    wanted = {"format": "csv", "since": (mark.created_at - OVERLAP).isoformat()}
    with client.stream("GET", path, params=wanted, headers=_headers(key)) as answer:
        answer.raise_for_status()
        rows = csv.DictReader(answer.iter_lines())
        yield from (row for row in rows if int(row["sequence"]) > mark.sequence)


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
