"""The web console of one running product, in a real browser."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.chromium import ARGUMENTS, find_chromium
from tests.support.product import Product
from tests.support.visitor import PASSWORD, Visitor

FIRST_PORT = 23_000
OPERATOR = "operator@example.com"

MakeVisitor = Callable[..., Visitor]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The executable of a browser; without one these tests are skipped, and say so."""
    found, why_not = find_chromium()
    if found is None:
        pytest.skip(f"no test in a browser: {why_not}")
    return found


@pytest.fixture(scope="session")
def product(chromium: str) -> Iterator[Product]:
    """A product with its console, and an admin who can sign in."""
    home = Path(tempfile.mkdtemp(prefix="fbb-", dir="/tmp"))
    product = Product(
        home / "home",
        FIRST_PORT,
        {
            "FAREBOX_SIGN_UP_RATE_PER_ADDRESS": "1000 per hour",
            "FAREBOX_PASSWORD_TIME_COST": "1",
            "FAREBOX_PASSWORD_MEMORY_KIB": "1024",
        },
        with_console=True,
    )
    try:
        product.start()
        product.run("admin", "create", "--email", OPERATOR, "--password-stdin", stdin=PASSWORD)
        yield product
    finally:
        product.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for the tier; each visitor has a context of their own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def make_visitor(product: Product, browser: Browser) -> Iterator[MakeVisitor]:
    """Makes visitors; at the end of the test each must have behaved (`Visitor.assert_clean`)."""
    visitors: list[Visitor] = []
    hosts = frozenset(urlsplit(url).netloc for url in (product.console_url, product.base_url))

    def make(
        language: str = "en", *, width: int = 1440, height: int = 900, dark: bool = False
    ) -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            locale={"en": "en-US", "ru": "ru-RU"}[language],
        )
        visitor = Visitor(context, product.console_url, hosts, language)
        visitors.append(visitor)
        return visitor

    yield make
    for visitor in visitors:
        visitor.context.close()
    for visitor in visitors:
        visitor.assert_clean()


@pytest.fixture
def visitor(make_visitor: MakeVisitor) -> Visitor:
    """Somebody who reads English on a wide screen."""
    return make_visitor()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of the tier takes minutes: the stories alone are a part of `make test`."""
    rest = pytest.mark.skip(reason="beyond the stories: run `make test-browser`")
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            if os.environ.get("FAREBOX_TEST_DEEP") != "1" and not item.get_closest_marker("story"):
                item.add_marker(rest)
