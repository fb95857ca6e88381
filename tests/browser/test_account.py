"""Account: credits bought, every movement seen, keys, alerts, sessions, and the end of it all."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import MakeVisitor
from tests.support.own_account import OwnAccount, own_account, session_token, sign_in
from tests.support.product import Product
from tests.support.visitor import PASSWORD, Visitor

APP = ["INTERNET", "SEND_SMS"]
NEW_PASSWORD = "another battery staple"
REFUSED_SECONDS = 5.0
"""Until a key that was revoked is refused; the page promises a second."""


@pytest.fixture
def account(visitor: Visitor, product: Product) -> Iterator[OwnAccount]:
    """Of the visitor, who is signed in."""
    with own_account(visitor, product.base_url) as account:
        yield account


def button(page: Page, label: str) -> Locator:
    return page.get_by_role("button", name=label, exact=True)


def order(page: Page, amount: str) -> None:
    """Up to the button that buys."""
    page.get_by_label("How many credits").fill(amount)
    expect(page.locator(".fb-price")).to_be_visible()


def table_rows(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name).locator("tbody tr")


def download_rows(page: Page, link: Locator) -> list[dict[str, str]]:
    with page.expect_download() as started:
        link.click()
    return list(csv.DictReader(started.value.path().read_text().splitlines()))


def may_sign_in(product: Product, email: str, password: str) -> bool:
    answer = httpx.post(
        f"{product.base_url}/accounts/v1/sessions", json={"email": email, "password": password}
    )
    assert answer.status_code in {201, 401}
    return answer.status_code == 201


def works(product: Product, key: str) -> bool:
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.get(f"{product.base_url}/accounts/v1/balance", headers=headers)
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


@pytest.mark.story
def test_credits_are_bought_and_paid_in_one_tab_and_stand_in_the_header(
    visitor: Visitor, account: OwnAccount
) -> None:
    page = visitor.open("account")
    order(page, "50")
    expect(page.locator(".fb-price")).to_have_text("That costs $0.50.")
    button(page, "Buy").click()
    page.locator("#fb-pay").click()
    page.wait_for_url("**/test-payments/**")
    button(page, "Pay").click()
    page.get_by_role("link", name="Back to where you came from").click()
    page.wait_for_url("**/en/account?returned=yes")
    expect(page.get_by_text("Paid: 50 credits are there.")).to_be_visible()
    expect(page.locator(".fb-balance")).to_contain_text("150")
    assert account.balance == 150
    assert len(visitor.context.pages) == 1


def test_two_presses_on_buy_make_one_top_up(visitor: Visitor, account: OwnAccount) -> None:
    page = visitor.open("account")
    order(page, "50")
    button(page, "Buy").dblclick()
    expect(page.locator("#fb-pay")).to_be_visible()
    expect(table_rows(page, "Credits you bought")).to_have_count(1)
    expect(button(page, "Buy")).to_be_enabled()
    assert len(account.get("topups")["items"]) == 1


def test_an_amount_that_is_not_sold_is_told_before_anything_is_made(
    visitor: Visitor, account: OwnAccount
) -> None:
    page = visitor.open("account")
    for amount, said in (("many", "Type the credits as a number"), ("0.5", "You can buy from 1")):
        page.get_by_label("How many credits").fill(amount)
        button(page, "Buy").click()
        expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    assert account.get("topups")["items"] == []


def test_entries_are_filtered_and_the_exported_file_has_the_same_rows(
    visitor: Visitor, account: OwnAccount
) -> None:
    account.check(APP)
    account.buy(20)
    account.check(APP, APP)
    page = visitor.open("account?tab=entries")
    rows = table_rows(page, "Every movement of your credits")
    expect(rows).to_have_count(4)
    page.get_by_role("button", name="Choose which are shown").click()
    page.get_by_label("Kinds (none chosen: all)").click()
    page.get_by_role("option", name="Check of apps").click()
    page.keyboard.press("Escape")
    button(page, "Show").click()
    expect(rows).to_have_count(2)

    exported = download_rows(page, page.get_by_role("link", name="CSV", exact=True))
    assert [each["amount"] for each in exported] == ["-1", "-2"]
    shown = [row.locator("td").all_inner_texts() for row in rows.all()]
    assert [cells[1] for cells in shown] == ["\N{MINUS SIGN}2", "\N{MINUS SIGN}1"]
    assert [cells[-1] for cells in shown] == [each["sequence"] for each in reversed(exported)]


def test_the_statement_ends_with_the_balance(visitor: Visitor, account: OwnAccount) -> None:
    account.check(APP)
    account.wait_until_counted()
    page = visitor.open("account?tab=statements")
    so_far = page.locator("tr", has_text="So far")
    expect(so_far.locator("td").last).to_have_text("99")
    rows = download_rows(page, page.get_by_role("link", name="Download as CSV"))
    assert rows[-1]["line"] == "closing"
    assert rows[-1]["amount"] == "99"
    assert account.balance == 99


def test_an_alert_is_made_and_its_secret_is_shown_once(
    visitor: Visitor, account: OwnAccount
) -> None:
    page = visitor.open("account?tab=alerts")
    expect(page.get_by_text("There are no alerts.")).to_be_visible()
    page.get_by_role("button", name="Make an alert").click()
    page.get_by_label("Level in credits").fill("50")
    page.get_by_label("Address that is told").fill("https://93.184.215.14/low")
    button(page, "Make the alert").click()
    secret = page.locator("#fb-new-alert-secret").inner_text()
    assert len(secret) > 20
    expect(page.get_by_role("heading", name="Below 50 credits", exact=True)).to_be_visible()
    button(page, "I have stored it: hide it").click()
    expect(page.get_by_text(secret)).to_have_count(0)

    page = visitor.open("account?tab=alerts")
    expect(page.get_by_role("heading", name="Below 50 credits", exact=True)).to_be_visible()
    assert secret not in page.content()
    assert [each["level"] for each in account.get("alerts")["items"]] == ["50"]


def make_key(page: Page, name: str) -> str:
    """The key, out of the clipboard."""
    page.get_by_role("button", name="Make a key").click()
    page.get_by_label("Name So that you know it again").fill(name)
    button(page, "Make the key").click()
    return copied_key(page)


def copied_key(page: Page) -> str:
    button(page, "Copy").click()
    expect(button(page, "Copied")).to_be_visible()
    return str(page.evaluate("navigator.clipboard.readText()"))


def press(page: Page, what: str, key: str) -> None:
    """A button on the card of that key."""
    card = page.locator("li.fb-card", has_text=key.split("_")[2])
    card.get_by_role("button", name=what).click()


@pytest.mark.story
def test_a_key_is_shown_once_then_replaced_and_revoked(
    visitor: Visitor, account: OwnAccount, product: Product
) -> None:
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.open("account?tab=keys")
    first = make_key(page, "nightly")
    assert works(product, first)
    page = visitor.open("account?tab=keys")
    expect(page.get_by_role("heading", name="nightly")).to_be_visible()
    assert first not in page.content()

    press(page, "Replace", first)
    page.locator("#fb-rotate").click()
    expect(page.locator("#fb-new-key")).to_be_visible()
    second = copied_key(page)
    assert works(product, first)
    assert works(product, second)

    press(page, "Revoke", second)
    page.locator("#fb-key-yes").click()
    expect(page.get_by_text("“nightly” is revoked.")).to_be_visible()
    deadline = time.monotonic() + REFUSED_SECONDS
    while works(product, second) and time.monotonic() < deadline:
        pass
    assert not works(product, second)
    assert works(product, first)


def test_a_session_elsewhere_is_ended_and_asks_for_the_password_again(
    visitor: Visitor, account: OwnAccount, make_visitor: MakeVisitor
) -> None:
    elsewhere = make_visitor()
    elsewhere.email = visitor.email
    sign_in(elsewhere, account.client)
    elsewhere.open()
    page = visitor.open("account?tab=sign-in")
    page.get_by_role("button", name="Sign out there").click()
    page.locator("#fb-session-yes").click()
    expect(page.get_by_text("Signed out there.")).to_be_visible()
    expect(page.get_by_text("this one")).to_have_count(1)
    expect(page.get_by_role("button", name="Sign out there")).to_have_count(0)

    elsewhere.page.goto(f"{elsewhere.url}/en/account")
    elsewhere.page.wait_for_url("**/en/?after=**")
    assert account.balance == 100


def test_the_password_is_changed_and_the_old_one_is_refused(
    visitor: Visitor, account: OwnAccount, product: Product
) -> None:
    page = visitor.open("account?tab=sign-in")
    form = page.locator("form[action='/account/password']")

    def change(current: str, again: str) -> None:
        form.get_by_label("Current password").fill(current)
        form.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
        form.get_by_label("New password again").fill(again)
        form.get_by_role("button").click()

    change(PASSWORD, "a third battery staple")
    expect(form.get_by_role("alert")).to_contain_text("are not the same")
    visitor.console_errors.clear()  # the browser counts the 422 as one
    change(PASSWORD, NEW_PASSWORD)
    expect(form.get_by_role("alert")).to_contain_text("The password is changed.")
    assert not may_sign_in(product, visitor.email, PASSWORD)

    page.click(".fb-tools [type=submit]")
    visitor.sign_in(visitor.email, NEW_PASSWORD)
    assert visitor.credits == "100 credits"


def test_an_account_is_deleted_by_who_types_exactly_what_is_given_up(
    visitor: Visitor, account: OwnAccount, product: Product
) -> None:
    page = visitor.open("account?tab=sign-in")
    button(page, "Delete the account…").click()
    form = page.locator("form[action='/account/deletion']")
    form.get_by_label("Your password").fill(PASSWORD)
    form.get_by_label("Credits that I give up").fill("99")
    form.get_by_role("button").click()
    expect(form.get_by_role("alert")).to_contain_text("Look at the balance and type it exactly.")
    visitor.console_errors.clear()  # the browser counts the refusal as one
    assert account.balance == 100

    form.get_by_label("Credits that I give up").fill("100")
    form.get_by_role("button").click()
    page.wait_for_url("**/en/?deleted=yes")
    expect(page.get_by_text("Your account is deleted, and you are signed out.")).to_be_visible()
    assert session_token(visitor) is None
    assert not may_sign_in(product, visitor.email, PASSWORD)


@pytest.mark.parametrize(
    "path", ["export/entries?format=csv", "statement/2026-01", "result/checked-apps.csv"]
)
def test_a_link_to_a_file_asks_for_the_session(visitor: Visitor, path: str) -> None:
    answer = visitor.page.goto(f"{visitor.url}/download/{path}")
    assert answer is not None
    assert answer.status == 401
    visitor.console_errors.clear()  # the browser counts the 401 as one
    visitor.page.get_by_role("link", name="Sign in again").click()
    expect(visitor.page.locator("#fb-email")).to_be_visible()
