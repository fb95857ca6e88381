"""Finding the running product."""

import json
import os
from pathlib import Path

import pytest

from loadtest.peers.tables import asyncpg_url
from loadtest.product import NoProduct, find_product

STATE = {"pid": os.getpid(), "base_url": "http://127.0.0.1:8000", "database_url": "postgresql://x"}


def test_a_running_product_is_found(tmp_path: Path) -> None:
    (tmp_path / "product.json").write_text(json.dumps(STATE))
    found = find_product(tmp_path)
    assert found.base_url == "http://127.0.0.1:8000"
    assert found.pid == os.getpid()


def test_the_address_in_the_environment_file_wins(tmp_path: Path) -> None:
    (tmp_path / "product.json").write_text(json.dumps(STATE))
    (tmp_path / "demo.env").write_text("# made\nexport FAREBOX_URL='http://127.0.0.1:9000/'\n")
    assert find_product(tmp_path).base_url == "http://127.0.0.1:9000"


def test_without_a_product_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoProduct, match="make up"):
        find_product(tmp_path)


def test_a_product_that_has_ended_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "product.json").write_text(json.dumps({**STATE, "pid": 2**22 + 1}))
    with pytest.raises(NoProduct, match="has ended"):
        find_product(tmp_path)


def test_a_database_address_loses_its_driver_and_keeps_its_socket() -> None:
    url = "postgresql+asyncpg://me:@/farebox?host=/run/pg"
    assert asyncpg_url(url, "farebox_peer") == "postgresql://me:@/farebox_peer?host=/run/pg"
    assert asyncpg_url(url) == "postgresql://me:@/farebox?host=/run/pg"
