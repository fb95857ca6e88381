"""Check an app: from nothing to a verdict with its reasons, one credit gone, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import MakeVisitor
from tests.support.product import Product
from tests.support.visitor import Visitor

MANIFEST = """\
<manifest xmlns:android="http://schemas.android.com/apk/res/android">
  <uses-permission android:name="android.permission.SEND_SMS"/>
  <uses-permission android:name="android.permission.INTERNET"/>
  <uses-permission android:name="com.example.UNHEARD_OF"/>
</manifest>"""


def chosen(page: Page) -> list[str]:
    return page.locator("#fb-chosen .token span:first-child").all_inner_texts()


def press_check(page: Page) -> None:
    page.get_by_role("button", name="Check", exact=True).click()


@pytest.mark.story
def test_a_new_user_checks_the_example_and_finds_it_in_history(visitor: Visitor) -> None:
    page = visitor.open()
    page.click("text=Check this app")
    expect(page.locator("#fb-new-email")).to_be_visible()
    page.fill("#fb-new-email", visitor.email)
    page.fill("#fb-new-password", "correct horse battery staple")
    page.click("section[aria-labelledby=fb-sign-up] [type=submit]")
    page.wait_for_url("**/en/check?example=torch")
    expect(page.locator("#fb-chosen .token")).to_have_count(3)
    expect(page.locator("text=This check costs 1 credit. You have 100 credits")).to_be_visible()

    press_check(page)
    expect(page.locator(".fb-verdict")).to_contain_text("Malware")
    expect(page.locator(".fb-outcome")).to_contain_text("21.4")
    expect(page.locator(".fb-supporting")).to_contain_text("RECEIVE_BOOT_COMPLETED")
    expect(page.locator(".fb-opposing")).to_contain_text("WAKE_LOCK")
    expect(page.locator(".fb-balance")).to_contain_text("99")
    expect(page.locator("#fb-curl")).to_contain_text("SEND_SMS")

    page.click("text=See it in your history")
    page.wait_for_url("**/en/history?prediction=*")
    expect(page.locator("main")).to_contain_text("RECEIVE_BOOT_COMPLETED")
    assert visitor.credits == "99 credits"


def test_features_are_found_by_what_they_mean(visitor: Visitor) -> None:
    page = visitor.sign_up().open("check")
    page.get_by_label("Search", exact=True).fill("messages cost money")
    found = page.locator(".fb-found label")
    expect(found).to_have_count(1)
    found.first.click()
    expect(page.locator("#fb-chosen .token")).to_have_count(1)
    assert chosen(page) == ["SEND_SMS"]
    found.first.click()
    expect(page.locator("#fb-chosen .token")).to_have_count(0)
    page.get_by_label("Search", exact=True).fill("no such thing at all")
    expect(page.locator("text=Nothing fits")).to_be_visible()


def test_a_pasted_manifest_is_read_and_what_is_unknown_is_told(visitor: Visitor) -> None:
    page = visitor.sign_up().open("check")
    page.get_by_role("tab", name="Paste or upload").click()
    page.get_by_label("A list of names, or an AndroidManifest.xml").fill(MANIFEST)
    page.get_by_role("button", name="Take this").click()
    expect(page.locator("#fb-chosen .token")).to_have_count(2)
    assert chosen(page) == ["INTERNET", "SEND_SMS"]
    expect(page.locator("details")).to_contain_text("com.example.UNHEARD_OF")


def test_an_uploaded_manifest_that_is_cut_is_told_and_changes_nothing(
    visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.sign_up().open("check?example=torch")
    expect(page.locator("#fb-chosen .token")).to_have_count(3)
    path = tmp_path / "AndroidManifest.xml"
    path.write_text(MANIFEST[:150])
    page.get_by_role("tab", name="Paste or upload").click()
    page.set_input_files("input[type=file]", path)
    expect(page.locator("text=This is not a whole XML document")).to_be_visible()
    expect(page.locator("#fb-chosen .token")).to_have_count(3)


def test_nothing_chosen_costs_nothing(visitor: Visitor) -> None:
    page = visitor.sign_up().open("check")
    press_check(page)
    expect(page.locator("text=Choose at least one permission or call first")).to_be_visible()
    assert visitor.credits == "100 credits"


@pytest.mark.story
def test_two_presses_at_once_pay_once(visitor: Visitor, product: Product) -> None:
    page = visitor.sign_up().open("check?example=torch")
    expect(page.locator("#fb-chosen .token")).to_have_count(3)
    page.get_by_role("button", name="Check", exact=True).dblclick()
    expect(page.locator(".fb-verdict")).to_be_visible()
    expect(page.locator(".fb-balance")).to_contain_text("99")
    visitor.open("check")
    assert visitor.credits == "99 credits"


@pytest.mark.story
def test_two_users_never_see_each_others_data(make_visitor: MakeVisitor) -> None:
    anna, boris = make_visitor().sign_up(), make_visitor().sign_up()
    page = anna.open("check?example=spy")
    expect(page.locator("#fb-chosen .token")).to_have_count(8)
    press_check(page)
    expect(page.locator(".fb-verdict")).to_be_visible()
    link = page.locator("text=See it in your history").get_attribute("href")
    assert link is not None

    boris.page.goto(boris.url + link)
    boris.settle()
    boris.page.wait_for_timeout(1500)
    shown = boris.page.locator("main").inner_text()
    assert "READ_SMS" not in shown
    assert anna.email not in shown
    for name in ("account", "history"):
        shown = boris.open(name).locator("main").inner_text()
        assert anna.email not in shown
        assert "99" not in boris.credits
