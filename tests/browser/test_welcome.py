"""Sign up, sign in and out; languages; a session that ends."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MakeVisitor
from tests.support.product import Product
from tests.support.visitor import Visitor


@pytest.mark.story
def test_a_new_user_signs_up_out_and_in_again(visitor: Visitor) -> None:
    visitor.sign_up()
    assert visitor.credits == "100 credits"

    visitor.page.click(".fb-tools [type=submit]")
    expect(visitor.page.locator("#fb-email")).to_be_visible()
    assert visitor.context.cookies() == [
        each for each in visitor.context.cookies() if "console" not in each["name"]
    ]

    visitor.sign_in(visitor.email)
    assert visitor.credits == "100 credits"


@pytest.mark.story
def test_the_session_is_kept_where_no_script_can_read_it(visitor: Visitor) -> None:
    visitor.sign_up()
    cookie = next(each for each in visitor.context.cookies() if "console" in each["name"])
    assert cookie["httpOnly"]
    assert cookie["secure"]
    assert cookie["sameSite"] == "Lax"
    assert visitor.page.evaluate("document.cookie") == ""
    stored = visitor.page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "fb_sess_" not in stored
    assert cookie["value"] not in visitor.page.content()


def test_a_wrong_password_is_told_and_what_was_typed_stays(visitor: Visitor) -> None:
    page = visitor.open()
    page.fill("#fb-email", "nobody@example.com")
    page.fill("#fb-password", "not the password")
    page.click("section[aria-labelledby=fb-sign-in] [type=submit]")
    expect(page.locator("section[aria-labelledby=fb-sign-in] [role=alert]")).to_have_text(
        "No user has this e-mail and password."
    )
    assert page.input_value("#fb-email") == "nobody@example.com"
    visitor.console_errors.clear()  # the browser counts the 401 as one


def test_a_page_asked_for_while_signed_out_is_reached_after_signing_in(
    visitor: Visitor, make_visitor: MakeVisitor
) -> None:
    email = make_visitor().sign_up().email
    visitor.page.goto(f"{visitor.url}/en/history?prediction=none")
    expect(visitor.page.locator("#fb-email")).to_be_visible()
    visitor.sign_in(email)
    visitor.page.wait_for_url("**/en/history?prediction=none")


@pytest.mark.story
def test_a_session_that_ends_leads_to_sign_in_and_back(visitor: Visitor, product: Product) -> None:
    visitor.sign_up()
    visitor.open("history")
    token = next(each["value"] for each in visitor.context.cookies() if "console" in each["name"])
    ended = httpx.delete(
        f"{product.base_url}/accounts/v1/sessions/current",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert ended.status_code == 204

    visitor.page.reload()
    visitor.page.wait_for_url("**/en/?after=**")
    visitor.sign_in(visitor.email)
    visitor.page.wait_for_url("**/en/history")


@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "Is this Android app malware?"), ("ru", "Это вредоносное приложение для Android?")],
)
def test_the_console_speaks_the_browsers_language(
    make_visitor: MakeVisitor, language: str, title: str
) -> None:
    visitor = make_visitor(language)
    visitor.page.goto(visitor.url)
    expect(visitor.page.locator("h1")).to_have_text(title)
    assert visitor.page.evaluate("document.documentElement.lang") == language


def test_the_switch_of_the_language_keeps_the_page_and_is_remembered(visitor: Visitor) -> None:
    visitor.sign_up()
    page = visitor.open("account")
    page.click(".fb-tools a[hreflang=ru]")
    page.wait_for_url("**/ru/account")
    page.goto(visitor.url)
    page.wait_for_url("**/ru/")


def test_light_and_dark_are_switched_and_remembered(visitor: Visitor) -> None:
    page = visitor.open()

    def is_dark() -> bool:
        return bool(page.evaluate("document.body.classList.contains('dark')"))

    assert not is_dark()
    with page.expect_navigation():
        page.click("[data-theme-switch]")
    visitor.settle()
    assert is_dark()
    visitor.open()
    assert is_dark()
