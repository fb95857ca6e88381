"""A checkout as a new user has it: the tracked files in an empty folder, and nothing running."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.product import ROOT, Product

FIRST_PORT = 22_000


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """The tracked files, with the environment that `make test` has just installed.

    Installing the packages anew takes minutes and is what `make test` itself starts with.
    """
    folder = Path(tempfile.mkdtemp(prefix="fba-", dir="/tmp")) / "farebox"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    yield folder
    shutil.rmtree(folder.parent, ignore_errors=True)


@pytest.fixture
def product(checkout: Path) -> Iterator[Product]:
    """`make up` in that checkout; whatever a test leaves running is ended by its id."""
    product = Product(
        checkout / ".farebox",
        FIRST_PORT,
        {"PYTHONPATH": str(checkout)},
        command=("make", "--no-print-directory", "up"),
        folder=checkout,
        with_console=True,
    )
    yield product
    product.run("down")
    if product.process is not None:
        product.process.wait(30)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/acceptance" in str(item.path):
            item.add_marker(pytest.mark.acceptance)
