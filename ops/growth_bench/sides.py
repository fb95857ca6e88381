"""The two products that are measured: one with an empty ledger, one with a grown one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from billing.accounts import create_key
from billing.credits import Credits
from billing.database import Database
from farebox.home import Home
from farebox.running import RunningProduct
from farebox.store import billing_settings
from loadtest.processes import ending
from ops.growth_bench.size import STORED_DAYS

EMPTY, GROWN = "empty", "grown"
ACCOUNTS_USED = 50

_READY_LINE = "Ctrl-C stops everything"
_START_SECONDS = 180
_POLL_SECONDS = 0.5
PORTS_APART = 100
_PORT_NAMES = (
    *("HTTP", "FALLBACK_PROXY", "HAPROXY_STATS", "HAPROXY_METRICS", "DASHBOARD"),
    *("GRPC", "FALLBACK_PROXY_GRPC"),
)
_CREDITS_EACH = Credits.parse("1000000")


class ProductFailed(Exception):
    """A product did not start."""


@dataclass(frozen=True, slots=True)
class Side:
    """A product's folder, its ports and its accounts' keys."""

    name: str
    home: Home
    first_port: int
    keys: tuple[str, ...]

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.first_port}"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its commands. Answers stay until they are pruned on purpose."""
        kept = {name: value for name, value in os.environ.items() if "FAREBOX_" not in name}
        ports = {
            f"FAREBOX_{name}_PORT": str(self.first_port + place)
            for place, name in enumerate(_PORT_NAMES)
        }
        return {
            **kept,
            **ports,
            "FAREBOX_REPLICA_PORT_MIN": str(self.first_port + len(_PORT_NAMES)),
            "FAREBOX_REPLICA_PORTS": str(PORTS_APART - len(_PORT_NAMES)),
            "FAREBOX_HOME": str(self.home.root),
            "FAREBOX_ANSWER_RETENTION_HOURS": str(24 * STORED_DAYS * 10),
        }


async def make_keys(home: Home, database_url: str, accounts: int) -> tuple[str, ...]:
    """A key with credits for each of 50 accounts, spread over as many as there are.

    An account that the generated ledger lacks is made; names are the same on both sides.
    """
    settings = billing_settings(home, database_url)
    database = Database(settings)
    try:
        created = [
            await create_key(database, settings.key_hash_secret, f"account {number}", _CREDITS_EACH)
            for number in _spread(accounts)
        ]
    finally:
        await database.close()
    return tuple(each.api_key.reveal() for each in created)


def _spread(accounts: int) -> list[int]:
    """Numbers of the accounts used, from the first to the last."""
    used = min(ACCOUNTS_USED, accounts)
    return [1 + accounts * place // used for place in range(used)]


@contextmanager
def running(side: Side) -> Iterator[RunningProduct]:
    """The product of `side`, started as a user starts it and ended at the end."""
    log = side.home.root / "up.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [sys.executable, "-m", "farebox", "up"],
            env=side.variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
        ending(process),
    ):
        deadline = time.monotonic() + _START_SECONDS
        while _READY_LINE not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ProductFailed(f"the product did not start:\n{log.read_text()}")
            time.sleep(_POLL_SECONDS)
        product = RunningProduct.read(side.home)
        assert product is not None
        yield product
