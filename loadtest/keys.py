"""API keys of the load test's own accounts, one an account, kept between runs and checked first."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

from loadtest.commands import run_farebox
from loadtest.money import fetch_balances

KEY_PATTERN = re.compile(r"fb_live_\S+")
COMMANDS_AT_ONCE = 2
"""Each command is a process of about a second of CPU."""

Create = Callable[[str, int], str]
"""From an account's name and its credits to a fresh key."""
FetchBalances = Callable[[str, list[str]], list[Decimal | None]]


def ensure_keys(
    base_url: str,
    cache: Path,
    count: int,
    credits_each: int,
    *,
    create: Create | None = None,
    fetch: FetchBalances = fetch_balances,
) -> list[str]:
    """`count` working keys with at least half of `credits_each` left; the missing are made."""
    known = read_cache(cache, base_url)[:count]
    usable = [
        key
        for key, balance in zip(known, fetch(base_url, known), strict=True)
        if balance is not None and balance >= credits_each / 2
    ]
    missing = count - len(usable)
    keys = usable + create_keys(cache.stem, missing, credits_each, create or create_key)
    write_cache(cache, base_url, keys)
    return keys


def create_keys(prefix: str, count: int, credits_each: int, create: Create) -> list[str]:
    """`count` fresh accounts with a key each, a few commands at a time."""
    run = secrets.token_hex(4)
    names = [f"{prefix}-{run}-{n:03d}" for n in range(count)]
    with ThreadPoolExecutor(COMMANDS_AT_ONCE) as pool:
        return list(pool.map(lambda name: create(name, credits_each), names))


def create_key(name: str, credits_each: int) -> str:
    """A fresh key by the product's command line, which prints it on its last line."""
    printed = run_farebox("keys", "create", "--account", name, "--credits", str(credits_each))
    return parse_key(printed)


def parse_key(printed: str) -> str:
    """The key on the last line of what `farebox keys create` printed."""
    lines = printed.strip().splitlines()
    if not lines or not KEY_PATTERN.fullmatch(lines[-1].strip()):
        raise ValueError("`farebox keys create` printed no key on its last line")
    return lines[-1].strip()


def read_cache(cache: Path, base_url: str) -> list[str]:
    """Keys kept for `base_url`; none where the file is missing, broken or of another address."""
    try:
        kept = json.loads(cache.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return []
    keys = kept.get(base_url, []) if isinstance(kept, dict) else []
    return [key for key in keys if isinstance(key, str)]


def write_cache(cache: Path, base_url: str, keys: list[str]) -> None:
    """Keep `keys`, readable by this user alone."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.touch(mode=0o600)
    cache.write_text(json.dumps({base_url: keys}, indent=2))
