"""Which keys were used is written down once in a while, and not lost by an outage."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest

from billing.errors import LedgerUnavailable
from billing.sessions.values import SESSION_KEY_ID
from serve.key_uses import KeyUses

pytestmark = pytest.mark.anyio


class Book:
    """What was written."""

    def __init__(self) -> None:
        self.written: list[set[str]] = []
        self.is_gone = False

    async def write(self, key_ids: Collection[str]) -> None:
        if self.is_gone:
            raise LedgerUnavailable("gone")
        self.written.append(set(key_ids))


@pytest.fixture
def book() -> Book:
    return Book()


async def test_a_key_is_written_once_however_often_it_was_used(book: Book) -> None:
    uses = KeyUses(book.write)
    for key_id in ("a", "b", "a"):
        uses.note(key_id)
    await uses.flush()
    await uses.flush()
    assert book.written == [{"a", "b"}]
    uses.note("a")
    await uses.flush()
    assert book.written == [{"a", "b"}, {"a"}]


async def test_what_cannot_be_written_is_kept(book: Book) -> None:
    uses, book.is_gone = KeyUses(book.write), True
    uses.note("a")
    await uses.flush()
    book.is_gone = False
    uses.note("b")
    await uses.flush()
    assert book.written == [{"a", "b"}]


async def test_it_is_flushed_again_and_again(book: Book) -> None:
    uses = KeyUses(book.write)
    keeping = asyncio.create_task(uses.keep_flushed(pause_seconds=0.001))
    for number in range(2):
        uses.note("a")
        while len(book.written) <= number:
            await asyncio.sleep(0.001)
    keeping.cancel()
    await asyncio.wait([keeping])
    assert book.written == [{"a"}, {"a"}]


async def test_a_session_is_no_key_whose_use_is_written(book: Book) -> None:
    uses = KeyUses(book.write)
    uses.note(SESSION_KEY_ID)
    await uses.flush()
    assert book.written == []
    for key_id in ("a", SESSION_KEY_ID):
        uses.note(key_id)
    await uses.flush()
    assert book.written == [{"a"}]
