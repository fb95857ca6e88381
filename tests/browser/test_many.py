"""Check many apps: faults and price before anything is paid, each row paid once whatever breaks."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from playwright.sync_api import Locator, Page, expect
from pyarrow import parquet

from tests.support.own_account import OwnAccount, own_account
from tests.support.product import Product
from tests.support.visitor import Visitor

FAULTY = "app,INTERNET,SEND_SMS\ntorch,1,0\nbroken,1,maybe\nspy,1,1\n"
GOOD = "app,INTERNET,SEND_SMS\ntorch,1,0\nspy,1,1\n"
LONG_ROWS = 90_000
"""About a second of work: what remains when the page is closed is most of it."""

BEGUN_SECONDS = 20.0

ANY_CSV = b"app,INTERNET\ntorch,1\n"
REFUSED = [
    ("nothing.csv", b"", "The file is empty. Choose one with apps in it."),
    ("head.csv", b"app,INTERNET\n", "There is a head but no app below it."),
    ("table.xlsx", b"PK\x03\x04rest", "This is no CSV, Parquet or JSON file."),
    ("cut.parquet", b"PAR1" + b"\x01" * 40, "The file could not be read to its end"),
    ("old.csv", ANY_CSV + "caf\u00e9,1\n".encode("latin-1"), "Line 3 is not UTF-8 text."),
    ("prose.csv", b"Dear all\nplease find attached\n", "No column is a feature."),
    ("twice.csv", b"INTERNET,android.permission.INTERNET\n1,1\n", "Two columns are called"),
    ("wide.csv", b",".join([b"x"] * 10_001) + b"\n1\n", "The table has more than 10,000 columns"),
    ("long.csv", b"INTERNET\n" + b"1\n" * 100_001, "The file has more than 100,000 apps."),
    ("object.json", b'{"apps": []}', "The JSON has no list “instances” with the apps in it."),
]
"""Name, content, and how what is said of it begins."""


@pytest.fixture
def account(visitor: Visitor, product: Product) -> Iterator[OwnAccount]:
    """Of the visitor, who is signed in."""
    with own_account(visitor, product.base_url) as account:
        yield account


def upload(page: Page, path: Path) -> None:
    page.set_input_files("input[type=file]", path)


def button(page: Page, label: str) -> Locator:
    return page.get_by_role("button", name=label)


def fact(page: Page, name: str, within: str) -> Locator:
    """The value beside a name, in the block with that heading."""
    block = page.locator(".fb", has=page.get_by_role("heading", name=within, exact=True))
    return block.locator("dl div", has=page.locator("dt", has_text=name)).locator("dd")


def shown_results(page: Page) -> list[list[str]]:
    """Of the table: line, carried cells, label and probability."""
    rows = page.locator("table:has(caption) tbody tr").all()
    return [row.locator("td").all_inner_texts() for row in rows]


def wait_for_the_end(page: Page) -> None:
    """The last thing that a run changes: before it, the page may still move."""
    expect(button(page, "Fetch the results again (free)")).to_be_visible()


def download(page: Page, label: str, folder: Path) -> Path:
    with page.expect_download() as started:
        page.get_by_role("link", name=label).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


@pytest.mark.story
def test_a_bad_row_is_told_before_anything_is_paid_and_can_be_left_out(
    visitor: Visitor, account: OwnAccount, tmp_path: Path
) -> None:
    path = tmp_path / "apps.csv"
    path.write_text(FAULTY)
    page = visitor.open("many")
    upload(page, path)
    fault = page.get_by_role("region", name="Faults: 1").locator("tbody td")
    expect(fault).to_have_text(
        [
            "3",
            "SEND_SMS",
            "maybe",
            "Write 0 or 1. True, false, 1.0, 0.0 and nothing are understood too.",
        ]
    )
    start = button(page, "Check for 2 credits")
    expect(start).to_be_disabled()

    page.get_by_label("Leave the rows with faults out (1)").check()
    expect(start).to_be_enabled()
    assert account.balance == 100
    start.click()
    expect(fact(page, "Apps checked", "Results")).to_have_text("2")
    expect(fact(page, "Paid", "Results")).to_have_text("2 credits")
    expect(page.locator(".fb-balance")).to_contain_text("98")
    assert account.balance == 98

    wait_for_the_end(page)
    page.get_by_label("As in the file").check()
    expect(page.locator("table:has(caption) tbody tr").first).to_contain_text("torch")
    answered = account.probabilities()
    labels = [cells[2] for cells in shown_results(page)]
    assert shown_results(page) == [
        [line, app, label, f"{probability:.4f}".rstrip("0")]
        for line, app, label, probability in zip(
            ("2", "4"), ("torch", "spy"), labels, answered, strict=True
        )
    ]
    rows = list(csv.DictReader(download(page, "results (CSV)", tmp_path).read_text().splitlines()))
    assert [row["app"] for row in rows] == ["torch", "broken", "spy"]
    assert [float(rows[0]["probability"]), float(rows[2]["probability"])] == answered
    assert [rows[0]["predicted_label"], rows[2]["predicted_label"]] == labels
    assert (rows[1]["probability"], rows[1]["fault"]) == ("", "left out: it has a fault")


def test_the_same_file_again_costs_nothing(
    visitor: Visitor, account: OwnAccount, tmp_path: Path
) -> None:
    path = tmp_path / "apps.csv"
    path.write_text(GOOD)
    page = visitor.open("many")
    upload(page, path)
    button(page, "Check for 2 credits").click()
    expect(fact(page, "Apps checked", "Results")).to_have_text("2")
    first = shown_results(page)

    page = visitor.open("many")
    upload(page, path)
    button(page, "Fetch the results again (free)").click()
    expect(fact(page, "Of that, paid before", "Results")).to_have_text("2 credits")
    assert shown_results(page) == first
    assert account.balance == 98
    assert len(account.entries("charge")) == 1


@pytest.mark.story
def test_a_page_closed_in_the_middle_goes_on_and_pays_each_row_once(
    visitor: Visitor, account: OwnAccount, tmp_path: Path
) -> None:
    account.buy(LONG_ROWS)
    path = tmp_path / "long.csv"
    lines = [f"app-{number},{number % 2},{number % 3 % 2}" for number in range(LONG_ROWS)]
    path.write_text("\n".join(["app,INTERNET,SEND_SMS", *lines]))
    page = visitor.open("many")
    upload(page, path)
    button(page, "Check for 90,000 credits").click()
    deadline = time.monotonic() + BEGUN_SECONDS
    while not account.charged:
        assert time.monotonic() < deadline
    page.close()

    visitor.page = visitor.context.new_page()
    page = visitor.open("many")
    upload(page, path)
    button(page, "Continue for at most").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(fact(page, "Apps checked", "Results")).to_have_text("90,000")
    expect(fact(page, "Paid", "Results").first).to_have_text("90,000 credits")
    assert account.charged == LONG_ROWS
    assert account.balance == 100


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(("name", "content", "said"), REFUSED, ids=[each[0] for each in REFUSED])
def test_a_file_that_is_no_table_of_apps_is_told_why(
    visitor: Visitor, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    page = visitor.open("many")
    upload(page, path)
    expect(page.get_by_role("alert").filter(has_text="This file cannot be used")).to_contain_text(
        said
    )
    expect(button(page, "Check for")).to_have_count(0)


@pytest.mark.usefixtures("account")
def test_an_unknown_column_is_shown_with_what_it_may_mean(visitor: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "apps.csv"
    path.write_text("app,INTERNET,SEND_SMSS\ntorch,1,0\n")
    page = visitor.open("many")
    upload(page, path)
    unknown = page.get_by_role("region", name="Columns that are no feature").locator("tbody td")
    expect(unknown).to_have_text(["SEND_SMSS", "SEND_SMS"])
    start = button(page, "Check for 1 credit")
    expect(start).to_be_disabled()
    page.get_by_label("Ignore the unknown columns").check()
    expect(start).to_be_enabled()


def test_who_has_too_few_credits_is_told_how_many_are_lacking(
    visitor: Visitor, account: OwnAccount, tmp_path: Path
) -> None:
    path = tmp_path / "apps.csv"
    path.write_text("INTERNET\n" + "1\n" * 130)
    page = visitor.open("many")
    upload(page, path)
    expect(page.get_by_text("You need 30 credits more. Nothing is begun")).to_be_visible()
    expect(button(page, "Check for 130 credits")).to_be_disabled()
    page.get_by_role("link", name="Buy credits").click()
    page.wait_for_url("**/en/account")
    assert account.balance == 100


def test_a_parquet_file_is_checked_and_answered_as_one(
    visitor: Visitor, account: OwnAccount, tmp_path: Path
) -> None:
    path = tmp_path / "apps.parquet"
    table = {"sha256": ["a1", "b2"], "INTERNET": [1, 1], "SEND_SMS": [0, 1]}
    parquet.write_table(pa.table(table), path)
    page = visitor.open("many")
    upload(page, path)
    button(page, "Check for 2 credits").click()
    wait_for_the_end(page)
    got = parquet.read_table(download(page, "results (Parquet)", tmp_path)).to_pydict()
    assert got["sha256"] == ["a1", "b2"]
    assert got["probability"] == account.probabilities()
    assert account.balance == 98
