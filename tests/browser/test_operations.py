"""The operators' page: who is let in, and what is done there by hand."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OPERATOR
from tests.support.product import Product
from tests.support.users import User, sign_in, sign_up
from tests.support.visitor import Visitor


@pytest.fixture
def admin(product: Product) -> User:
    """The product's admin, over the API."""
    return sign_in(product.base_url, OPERATOR)


@pytest.fixture
def user(product: Product) -> User:
    """Somebody whose account is looked at."""
    return sign_up(product.base_url)


@pytest.fixture
def operator(product: Product, admin: User, visitor: Visitor) -> Visitor:
    """An operator at the page of operations."""
    user = sign_up(product.base_url)
    admin.give_role(user, "operator")
    visitor.enter_as(user.email, user.token).open("operations")
    return visitor


def open_tab(visitor: Visitor, name: str) -> Page:
    """A tab of the page, filled."""
    visitor.page.get_by_role("tab", name=name, exact=True).click()
    visitor.settle()
    return visitor.page


def box(page: Page, label: str) -> Locator:
    """A text box of the tab that is shown; its name goes on with what it is for."""
    named = page.get_by_role("textbox", name=re.compile(f"^{re.escape(label)}"))
    return named.filter(visible=True)


def button(page: Page, name: str) -> Locator:
    """A button of the tab that is shown."""
    return page.get_by_role("button", name=name, exact=True).filter(visible=True)


def note(page: Page) -> Locator:
    """What the tab says of what is about to be done, or was done."""
    return page.locator("[role=status].fb-note:visible")


@pytest.mark.story
def test_a_plain_user_sees_neither_tab_nor_report(
    visitor: Visitor, user: User, admin: User
) -> None:
    visitor.enter_as(user.email, user.token)
    page = visitor.open("operations")
    expect(page.locator("text=This page is for operators of the service.")).to_be_visible()
    expect(page.get_by_role("tab")).to_have_count(0)
    expect(page.locator(".fb-facts")).to_have_count(0)
    expect(page.get_by_role("link", name="Operations")).to_have_count(0)


def test_an_operator_sees_the_overview_and_nothing_that_is_for_admins(operator: Visitor) -> None:
    page = operator.page
    expect(page.get_by_role("heading", name="Time until the answer")).to_be_visible()
    expect(page.locator(".fb-facts").first).to_contain_text("Predictions paid")
    for name in ("Prices", "Roles", "Audit log"):
        open_tab(operator, name)
        expect(page.locator("text=This is for admins.").filter(visible=True)).to_have_count(1)
        expect(button(page, "Next")).to_have_count(0)
        expect(page.locator(".fb-table:visible")).to_have_count(0 if name != "Prices" else 1)


@pytest.mark.story
def test_a_grant_clicked_twice_is_given_once_with_its_reason(operator: Visitor, user: User) -> None:
    page = open_tab(operator, "Money")
    box(page, "Account").fill(user.email)
    button(page, "Find").click()
    box(page, "Credits").fill("12.5")
    box(page, "Reason").fill("Thanks for the report")
    button(page, "Next").click()
    expect(note(page)).to_contain_text(f"Give 12.5 credits to {user.email}?")
    assert user.available == 100

    button(page, "Yes, do it").dblclick()
    expect(note(page)).to_contain_text(f"12.5 credits given to {user.email}.")
    expect(note(page)).to_contain_text(f"{user.email} can spend 112.5 credits now.")
    expect(page.get_by_role("region", name="Grants")).to_contain_text("Thanks for the report")
    grants = user.get("/v1/grants")["items"]
    assert [each["amount"] for each in grants if each["reason"] == "Thanks for the report"] == [
        "12.5"
    ]
    assert str(user.available) == "112.5"


def test_an_amount_that_cannot_be_read_is_told_and_nothing_moves(
    operator: Visitor, user: User
) -> None:
    page = open_tab(operator, "Money")
    box(page, "Account").fill(user.email)
    button(page, "Find").click()
    box(page, "Credits").fill("a lot")
    box(page, "Reason").fill("Thanks")
    button(page, "Next").click()
    expect(page.locator("[role=alert]:visible")).to_contain_text("Type the credits as plain digits")
    expect(button(page, "Yes, do it")).to_have_count(0)
    assert user.available == 100


def test_a_refund_request_is_accepted_and_the_user_has_the_credits(
    operator: Visitor, user: User
) -> None:
    user.ask_refund(user.score()["id"], "It is my own app.")
    page = open_tab(operator, "Refund requests")
    choose_request(page, user.email)
    expect(page.locator(".fb-note", has_text="It is my own app.")).to_be_visible()
    box(page, "Reason").fill("You are right, sorry.")
    button(page, "Accept…").click()
    expect(note(page)).to_contain_text(f"Give 1 credit back to {user.email}?")
    assert user.available == 99

    button(page, "Yes, do it").click()
    expect(note(page)).to_contain_text(f"1 credit given back to {user.email}.")
    [asked] = user.get("/v1/refund-requests")["items"]
    assert (asked["status"], asked["decision_reason"]) == ("accepted", "You are right, sorry.")
    assert user.available == 100


def test_what_an_operator_types_survives_a_refresh(operator: Visitor, user: User) -> None:
    user.ask_refund(user.score()["id"], "It is my own app.")
    page = open_tab(operator, "Refund requests")
    choose_request(page, user.email)
    box(page, "Reason").fill("Half a sentence")
    box(page, "Credits to give back").fill("0.5")
    other = sign_up(user.base_url)
    other.ask_refund(other.score()["id"], "Mine too.")

    button(page, "Refresh").click()
    expect(page.get_by_role("region", name="Refund requests")).to_contain_text(other.email)
    assert box(page, "Reason").input_value() == "Half a sentence"
    assert box(page, "Credits to give back").input_value() == "0.5"
    assert user.email in page.get_by_label("Open request").input_value()


def test_the_last_reconciliation_is_shown(operator: Visitor, product: Product) -> None:
    product.run("reconcile")
    page = open_tab(operator, "Reconciliation")
    expect(page.locator("text=All rules held for all rows.")).to_be_visible()
    newest = page.get_by_role("region", name="The last checks").locator("tbody tr").first
    expect(newest).to_contain_text("Clean")
    expect(newest).to_contain_text("farebox reconcile")


def test_replicas_and_versions_are_listed_as_they_are(operator: Visitor, user: User) -> None:
    page = open_tab(operator, "Replicas and versions")
    expect(page.get_by_role("heading", name="scoring: running")).to_be_visible()
    replicas = page.get_by_role("region", name="scoring")
    expect(replicas.locator("tr", has_text="Billing")).to_contain_text("running: ")
    versions = page.get_by_role("region", name="Models and versions").locator("tbody tr")
    served = user.models()
    expect(versions).to_have_count(len(served))
    for row, model in zip(versions.all(), served, strict=True):
        expect(row).to_contain_text(model["name"])
        expect(row).to_contain_text(model["version"])


def choose_request(page: Page, email: str) -> None:
    """The open request of that user, from the list of choices."""
    page.get_by_label("Open request").click()
    page.get_by_role("option", name=re.compile(f"^{re.escape(email)}")).click()
