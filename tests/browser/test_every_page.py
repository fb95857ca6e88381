"""What holds for each page, in both languages, light and dark, on wide and narrow screens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OPERATOR, MakeVisitor
from tests.support.product import Product
from tests.support.users import User, sign_in, sign_up
from tests.support.visitor import Visitor

WELCOME = ""
PAGES = ("check?example=torch", "many", "account", "history", "history?view=usage", "operations")

FOCUSED = """() => {
    const element = document.activeElement;
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    return {
        name: element.tagName,
        is_seen: box.width > 0 && box.left >= 0 && box.top >= 0 && box.right <= innerWidth,
        has_outline: element.matches(":focus-visible")
            && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1,
    };
}"""

# Gradio measures its tabs in a row that nobody sees.
OVER_THE_EDGE = """() => {
    const scrolls = element => /auto|scroll/.test(getComputedStyle(element).overflowX);
    const isInBox = element => {
        for (let each = element.parentElement; each !== document.body; each = each.parentElement)
            if (each.clientWidth < innerWidth && scrolls(each)) return true;
        return false;
    };
    return [...document.querySelectorAll(".gradio-container *")]
        .filter(each => each.checkVisibility({visibilityProperty: true, opacityProperty: true}))
        .filter(each => !each.closest(".visually-hidden"))
        .filter(each => each.getBoundingClientRect().right > innerWidth + 1 && !isInBox(each))
        .slice(0, 3).map(each => each.outerHTML.slice(0, 150));
}"""


@pytest.fixture
def user(product: Product) -> User:
    """An admin, whom every page is open to, with something to show on each."""
    user = sign_up(product.base_url)
    sign_in(product.base_url, OPERATOR).give_role(user, "admin")
    user.make_key("Night build")
    user.score()
    return user


@pytest.mark.story
@pytest.mark.parametrize(
    ("language", "screen"),
    [
        ("en", {"dark": False, "width": 1440, "height": 900}),
        ("ru", {"dark": True, "width": 375, "height": 800}),
    ],
    ids=["en-light-wide", "ru-dark-narrow"],
)
def test_every_page_can_be_read_and_reached_by_everybody(
    make_visitor: MakeVisitor, user: User, language: str, screen: dict[str, int]
) -> None:
    visitor, dark = make_visitor(language, **screen), bool(screen["dark"])
    faults = {WELCOME: list(find_faults(visitor, WELCOME, dark=dark))}
    visitor.enter_as(user.email, user.token)
    [prediction] = user.get("/v1/predictions")["items"]
    for path in (*PAGES, f"history?prediction={prediction['id']}"):
        faults[path] = list(find_faults(visitor, path, dark=dark))
    assert {path: found for path, found in faults.items() if found} == {}


def test_every_tab_of_operations_can_be_read_by_everybody(visitor: Visitor, user: User) -> None:
    page = visitor.enter_as(user.email, user.token).open("operations")
    faults = {}
    for tab in page.get_by_role("tab").all():
        tab.click()
        visitor.settle()
        faults[tab.inner_text()] = [*visitor.violations(), *find_width_faults(page)]
    assert len(faults) == 10
    assert {tab: found for tab, found in faults.items() if found} == {}


def find_faults(visitor: Visitor, path: str, *, dark: bool) -> Iterator[str]:
    """What is wrong with a page, each in a sentence."""
    page = visitor.open(path)
    if page.url != f"{visitor.url}/{visitor.language}/{path}":
        yield f"it was led away to {page.url}"
    if page.evaluate("document.documentElement.lang") != visitor.language:
        yield "its language is another"
    if page.evaluate("document.body.classList.contains('dark')") != dark:
        yield "light and dark are mixed up"
    headings = page.locator("h1:visible").all_inner_texts()
    if len(headings) != 1:
        yield f"it has these headings of the first level: {headings}"
    yield from find_width_faults(page)
    yield from visitor.violations()
    yield from find_focus_faults(page)


def find_width_faults(page: Page) -> Iterator[str]:
    """What goes over the edge of the screen: the page may hide it and so be no wider itself."""
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        yield "it is wider than the screen"
    for html in page.evaluate(OVER_THE_EDGE):
        yield f"this goes over the edge of the screen: {html}"


def find_focus_faults(page: Page) -> Iterator[str]:
    """By the keyboard alone: the way past the header, then the header's first link."""
    for presses in (1, 2):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused["name"] not in {"A", "BUTTON"}:
            yield f"the focus is on {focused['name']} after Tab was pressed {presses} times"
        elif not (focused["is_seen"] and focused["has_outline"]):
            yield f"what has the focus after Tab is not seen to have it: {focused}"
