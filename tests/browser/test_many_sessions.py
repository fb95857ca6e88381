"""Fifty users check an app at the same time: ten in a browser, forty by what a browser sends.

Fifty contexts of a browser were measured on two cores: they took minutes to open and 18 GB, and
the browser was what was slow. Ten show that the page stands it, all fifty that the console does.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MakeVisitor
from tests.support.console_session import EXAMPLE, ConsoleSession, read_config
from tests.support.product import Product
from tests.support.users import User, sign_up
from tests.support.visitor import Visitor

USERS = 50
IN_BROWSERS = 10
SIGN_UPS_AT_ONCE = 4
ANSWER_MILLISECONDS = 120_000

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """A thread for each of those who are at the console."""
    with ThreadPoolExecutor(USERS) as pool:
        yield pool


def test_fifty_users_at_once_are_each_answered_and_charged_once_and_see_nobody_else(
    product: Product, make_visitor: MakeVisitor, pool: ThreadPoolExecutor
) -> None:
    with ThreadPoolExecutor(SIGN_UPS_AT_ONCE) as desk:
        users = list(desk.map(sign_up, [product.base_url] * USERS))
    config = read_config(product.console_url)
    visitors = [open_page(make_visitor(), user) for user in users[:IN_BROWSERS]]
    sessions = [ConsoleSession(product.console_url, user, config) for user in users[IN_BROWSERS:]]
    taken = list(pool.map(ConsoleSession.open, sessions))

    outcomes = [pool.submit(each.check, what) for each, what in zip(sessions, taken, strict=True)]
    for visitor in visitors:
        visitor.page.get_by_role("button", name="Check", exact=True).click(no_wait_after=True)
    for visitor in visitors:
        verdict = visitor.page.locator(".fb-verdict")
        expect(verdict).to_contain_text("Malware", timeout=ANSWER_MILLISECONDS)
        expect(visitor.page.locator(".fb-balance")).to_contain_text("99")
    for outcome in outcomes:
        assert "Malware" in outcome.result()
        assert "100 before, 99 now" in outcome.result()

    for user in users:
        assert (user.available, len(user.get("/v1/predictions")["items"])) == (99, 1)
    received = [*(each.page.content() for each in visitors), *(each.received for each in sessions)]
    for user, text in zip(users, received, strict=True):
        assert [each.email for each in users if each.email in text] == [user.email]


def open_page(visitor: Visitor, user: User) -> Visitor:
    """The page, with the example chosen."""
    page = visitor.enter_as(user.email, user.token).open(f"check?example={EXAMPLE}")
    expect(page.locator("#fb-chosen .token")).to_have_count(3)
    return visitor
