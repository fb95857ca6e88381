"""Where the running product is: what `make up` wrote into `.farebox/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import psutil

STATE_FOLDER = Path(".farebox")


class NoProduct(Exception):
    """No product is running in this checkout."""


@dataclass(frozen=True, slots=True)
class Product:
    """A running product: its address, its database, and the process above all of its own."""

    base_url: str
    database_url: str
    pid: int


def find_product(folder: Path = STATE_FOLDER) -> Product:
    """The product that runs in this checkout; raises NoProduct with what to do."""
    try:
        state = json.loads((folder / "product.json").read_text())
    except FileNotFoundError:
        raise NoProduct(
            "no product is running in this checkout: start one with `make up`"
        ) from None
    base_url = read_env(folder / "demo.env").get("FAREBOX_URL", state["base_url"])
    product = Product(base_url.rstrip("/"), state["database_url"], state["pid"])
    if not psutil.pid_exists(product.pid):
        raise NoProduct(f"the product of {folder / 'product.json'} has ended: run `make up` again")
    return product


def find_dashboard(folder: Path = STATE_FOLDER) -> str:
    """The address of the Ray dashboard of the product that runs in this checkout."""
    find_product(folder)
    url: str = json.loads((folder / "product.json").read_text())["dashboard_url"]
    return url


def read_env(path: Path) -> dict[str, str]:
    """`NAME=value` lines of a file; empty where there is no file."""
    if not path.exists():
        return {}
    lines = [line.removeprefix("export ").strip() for line in path.read_text().splitlines()]
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {name: value.strip("\"'") for name, _, value in pairs}
