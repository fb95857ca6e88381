"""An account's books, read as its owner reads them."""

from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

from loadtest.ledger import Books, fetch_books, fetch_marks
from tests.support.local_server import Answer, Asked, local_server

ENTRIES = """\
sequence,kind,amount,balance,created_at
7,charge,-1,9,2026-01-01T00:00:00Z
8,charge,-2,7,2026-01-01T00:00:01Z
9,grant,5,12,2026-01-01T00:00:02Z
10,charge,-13.5,-1.5,2026-01-01T00:00:03Z
"""
PREDICTIONS = """\
id,sequence,instances
a,7,1
b,8,2
c,10,9
"""


def answer(asked: Asked) -> Answer:
    """Each of the account's two lists, as a page and as a file."""
    url = urlsplit(asked.path)
    if asked.headers["authorization"] != "Bearer key":
        return 401, {}
    if "format" not in parse_qs(url.query):
        return 200, {"items": [{"sequence": 7, "created_at": "2026-01-01T00:00:00Z"}]}
    return 200, ENTRIES if url.path.endswith("/entries") else PREDICTIONS


def test_only_what_lies_behind_the_mark_is_counted() -> None:
    with local_server(answer) as server:
        marks = fetch_marks(server.url, ["key"])
        books = fetch_books(server.url, ["key"], marks)
    assert books == Books(
        charges=2,
        charged=Decimal("15.5"),
        predictions=2,
        instances=11,
        balance_min=Decimal("-1.5"),
    )


def test_rows_dated_a_little_before_the_mark_are_asked_for_too() -> None:
    with local_server(answer) as server:
        fetch_books(server.url, ["key"], fetch_marks(server.url, ["key"]))
    exports = [each for each in server.asked if "format=csv" in each.path]
    assert len(exports) == 2
    assert all("since=2025-12-31T23%3A59%3A00" in each.path for each in exports)


def test_accounts_add_up() -> None:
    with local_server(answer) as server:
        keys = ["key", "key"]
        assert fetch_books(server.url, keys, fetch_marks(server.url, keys)).charges == 4
