"""History and usage: what was asked, why it was answered so, what it cost, and getting it back."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.product import Product
from tests.support.users import User, sign_in, sign_up
from tests.support.visitor import Visitor

OPERATOR = "operator@example.com"
ROLL_UP_SECONDS = 30


@pytest.fixture
def user(product: Product, visitor: Visitor) -> User:
    """The account of whoever sits at the page."""
    user = sign_up(product.base_url)
    visitor.enter_as(user.email, user.token)
    return user


def listed(page: Page) -> list[str]:
    """Ids of the predictions of the list, in its order."""
    links = page.locator(".fb-list tbody a").evaluate_all("all => all.map(a => a.href)")
    return [link.partition("prediction=")[2] for link in links]


def fact(page: Page, name: str) -> str:
    """The figure under that name."""
    return (
        page.locator(".fb-facts div", has=page.get_by_text(name, exact=True))
        .locator("dd")
        .inner_text()
    )


def wait_for(what: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.2)


def test_a_list_narrowed_to_a_key_stays_so_when_reloaded_and_saved(
    visitor: Visitor, user: User, tmp_path: Path
) -> None:
    key = user.make_key("Night build")
    of_key = [user.score(key=key)["id"] for _ in range(2)]
    user.score()
    page = visitor.open("history")
    expect(page.locator(".fb-list tbody tr")).to_have_count(3)

    page.get_by_label("Key", exact=True).select_option(label="Night build")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**/en/history?*key=*")
    expect(page.locator(".fb-list tbody tr")).to_have_count(2)
    page.reload()
    expect(page.locator(".fb-list tbody tr")).to_have_count(2)
    assert page.locator("#fb-filter-key option:checked").inner_text() == "Night build"
    assert listed(page) == of_key[::-1]

    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    path = tmp_path / "saved.csv"
    download.value.save_as(path)
    with path.open(newline="") as file:
        assert {row["id"] for row in csv.DictReader(file)} == set(of_key)


@pytest.mark.story
def test_a_prediction_opens_by_its_link_with_what_was_asked_and_why(
    visitor: Visitor, user: User
) -> None:
    answer = user.score(["SEND_SMS", "RECEIVE_BOOT_COMPLETED", "INTERNET"])
    page = visitor.open(f"history?prediction={answer['id']}")
    expect(page.locator(".fb-verdict")).to_contain_text("malware")
    expect(page.locator(".fb-verdict")).to_contain_text("21.4")
    expect(page.locator(".fb-features code")).to_have_text(
        ["INTERNET", "RECEIVE_BOOT_COMPLETED", "SEND_SMS"]
    )
    assert fact(page, "Credits charged") == "1"

    page.get_by_role("button", name="Why?").click()
    expect(page.locator(".fb-supporting")).to_contain_text("RECEIVE_BOOT_COMPLETED")
    expect(page.locator(".fb-opposing")).to_contain_text("WAKE_LOCK")
    assert user.available == 99


@pytest.mark.story
def test_a_refund_is_asked_for_accepted_and_shown_with_the_operators_words(
    visitor: Visitor, user: User, product: Product
) -> None:
    answer = user.score()
    page = visitor.open(f"history?prediction={answer['id']}")
    assert visitor.credits == "99 credits"
    page.get_by_label("Why should it be refunded?").fill("It is my own app.")
    page.get_by_role("button", name="Ask for a refund").click()
    expect(page.locator(".fb-request")).to_contain_text("Waits for a decision.")
    expect(page.locator(".fb-request")).to_contain_text("It is my own app.")
    expect(page.get_by_role("button", name="Ask for a refund")).not_to_be_visible()

    [asked] = user.get("/v1/refund-requests")["items"]
    sign_in(product.base_url, OPERATOR).post(
        f"/v1/operator/refund-requests/{asked['id']}/accept", {"reason": "You are right, sorry."}
    )
    page.reload()
    visitor.settle()
    expect(page.locator(".fb-request")).to_contain_text("Accepted.")
    expect(page.locator(".fb-request")).to_contain_text("You are right, sorry.")
    expect(page.locator("text=All that it cost has been given back.")).to_be_visible()
    assert fact(page, "Credits refunded") == "1"
    assert visitor.credits == "100 credits"


def test_a_refund_without_a_reason_is_not_asked_for(visitor: Visitor, user: User) -> None:
    answer = user.score()
    page = visitor.open(f"history?prediction={answer['id']}")
    page.get_by_role("button", name="Ask for a refund").click()
    expect(page.locator("text=Write why it should be refunded")).to_be_visible()
    assert user.get("/v1/refund-requests")["items"] == []


@pytest.mark.parametrize("whose", ["another's", "nobody's"])
def test_a_prediction_that_is_not_ones_own_is_told_plainly(
    visitor: Visitor, user: User, product: Product, whose: str
) -> None:
    other = sign_up(product.base_url).score()["id"] if whose == "another's" else "no-such-id"
    page = visitor.open(f"history?prediction={other}")
    expect(page.get_by_role("heading", name="No such prediction")).to_be_visible()
    expect(page.locator(".fb-empty code")).to_have_text(other)
    expect(page.get_by_role("button", name="Why?")).not_to_be_visible()
    expect(page.get_by_role("button", name="Ask for a refund")).not_to_be_visible()
    page.locator(".fb-empty").get_by_role("link", name="All predictions").click()
    page.wait_for_url("**/en/history")


@pytest.mark.parametrize("path", ["history", "history?view=usage"])
def test_an_empty_account_is_led_to_its_first_check(
    visitor: Visitor, user: User, path: str
) -> None:
    page = visitor.open(path)
    page.locator(".fb-empty").get_by_role("link", name="Check an app").click()
    page.wait_for_url("**/en/check")
    expect(page.get_by_role("button", name="Check", exact=True)).to_be_visible()


def test_usage_shows_the_sums_that_the_api_tells(visitor: Visitor, user: User) -> None:
    user.score(["INTERNET"], ["SEND_SMS"], ["CAMERA"])
    user.score(key=user.make_key("Night build"))

    def rows() -> list[dict[str, str]]:
        told: list[dict[str, str]] = user.get("/v1/usage", by="day")["rows"]
        return told

    wait_for(lambda: sum(int(row["predictions"]) for row in rows()) == 2, ROLL_UP_SECONDS)
    [day] = rows()
    page = visitor.open("history?view=usage&days=7")
    expect(page.locator(".fb-facts")).to_be_visible()
    assert fact(page, "Predictions") == "2"
    assert fact(page, "Apps") == "4"
    assert fact(page, "Credits charged") == day["charged"] == "4"

    page.locator(".fb-days summary").click()
    newest = page.locator(".fb-days tbody tr").first
    expect(newest.locator("td")).to_have_text(["2", "4", "4", "0"])
    by_key = page.get_by_role("region", name="By key")
    expect(by_key.locator("tr", has_text="Night build").locator("td")).to_have_text(
        ["1", "1", "1", "0"]
    )
