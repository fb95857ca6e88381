"""Keys are kept between runs, and checked before they are used again."""

from decimal import Decimal
from pathlib import Path

import pytest

from loadtest.keys import ensure_keys, parse_key, read_cache, write_cache

URL = "http://127.0.0.1:8000"


class Server:
    """Accounts by key; `create` and `fetch` are what the load test does with the product."""

    def __init__(self, balances: dict[str, int]) -> None:
        self.balances = balances
        self.created: list[str] = []

    def create(self, name: str, credits_each: int) -> str:
        key = f"fb_live_{name}"
        self.created.append(name)
        self.balances[key] = credits_each
        return key

    def fetch(self, base_url: str, keys: list[str]) -> list[Decimal | None]:
        return [Decimal(self.balances[key]) if key in self.balances else None for key in keys]


def ensure(server: Server, cache: Path, count: int, url: str = URL) -> list[str]:
    return ensure_keys(url, cache, count, 100, create=server.create, fetch=server.fetch)


def test_without_a_cache_every_account_is_made_and_named_apart(tmp_path: Path) -> None:
    server = Server({})
    keys = ensure(server, tmp_path / "bench-keys.json", 5)
    assert len(set(keys)) == 5
    assert all(name.startswith("bench-keys-") for name in server.created)


def test_a_second_run_makes_nothing(tmp_path: Path) -> None:
    server, cache = Server({}), tmp_path / "bench-keys.json"
    first = ensure(server, cache, 3)
    server.created.clear()
    assert ensure(server, cache, 3) == first
    assert server.created == []


def test_a_refused_key_and_a_poor_account_are_replaced(tmp_path: Path) -> None:
    server, cache = Server({"rich": 50, "poor": 49}), tmp_path / "bench-keys.json"
    write_cache(cache, URL, ["gone", "rich", "poor"])
    keys = ensure(server, cache, 3)
    assert keys[0] == "rich"
    assert "gone" not in keys
    assert "poor" not in keys
    assert len(server.created) == 2


def test_keys_of_another_address_are_not_used(tmp_path: Path) -> None:
    server, cache = Server({"old": 100}), tmp_path / "bench-keys.json"
    write_cache(cache, "http://127.0.0.1:9999", ["old"])
    assert "old" not in ensure(server, cache, 1)


def test_a_broken_cache_is_an_empty_one(tmp_path: Path) -> None:
    cache = tmp_path / "bench-keys.json"
    cache.write_text("{broken")
    assert read_cache(cache, URL) == []


def test_the_cache_is_for_this_user_alone(tmp_path: Path) -> None:
    cache = tmp_path / "bench-keys.json"
    write_cache(cache, URL, ["key"])
    assert cache.stat().st_mode & 0o077 == 0


def test_the_key_is_the_last_line_printed() -> None:
    assert parse_key("account made\n\nfb_live_abc\n") == "fb_live_abc"


@pytest.mark.parametrize("printed", ["", "no key here\n", "fb_live_abc\nthen more\n"])
def test_output_without_a_key_on_its_last_line_is_refused(printed: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        parse_key(printed)
