"""`farebox up`: starts everything in order, watches it, and ends all of it whatever happens."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

import psutil

from billing.migrate import migrate
from billing.settings import BillingSettings
from farebox.console import start_console, wait_for_console
from farebox.demo import Demo, ensure_demo
from farebox.deployment import Deployment, load_serve_config
from farebox.errors import StartFailed
from farebox.first_prices import ensure_first_prices
from farebox.home import Home
from farebox.ports import check_free
from farebox.postgres import embedded_postgres
from farebox.processes import ProcessId, adopt_orphans, descendants, end_descendants
from farebox.ray_node import has_haproxy, node_environment, start_head
from farebox.running import RunningProduct, end_leftovers, sole_owner
from farebox.settings import ProductSettings
from farebox.store import DATABASE_URL, KEY_HASH_SECRET, billing_settings
from models.lightgbm_model import ensure_lightgbm_loads

Tell = Callable[[str], None]
_WATCH_SECONDS = 1.0


class Stopped(BaseException):
    """A signal asks for the end. Not an Exception: nothing may swallow it."""


def run_product(
    home: Home, settings: ProductSettings, tell: Tell, ready: Callable[[Demo], None]
) -> None:
    """Start, call `ready` when `/readyz` is 200, and stay until a signal; end everything then.

    Raises a FareboxError when something does not come up or ends by itself.
    """
    ensure_lightgbm_loads()
    home.create()
    with sole_owner(home), _signals_raise():
        left = end_leftovers(home)
        if left:
            tell(f"ended {left} processes that a killed run had left behind")
        check_free(settings.named_ports())
        adopt_orphans()
        with ExitStack() as started:
            started.callback(home.product.unlink, missing_ok=True)
            try:
                _Start(home, settings, tell, started).run(ready)
            except Stopped:
                tell("stopping")
            finally:
                _ignore_signals()


@contextmanager
def _signals_raise() -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    """While ending: a second Ctrl-C must not leave half of it running."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


class _Start:
    """The steps of a start; what each leaves to be ended goes on the stack `started`."""

    def __init__(
        self, home: Home, settings: ProductSettings, tell: Tell, started: ExitStack
    ) -> None:
        self._home = home
        self._settings = settings
        self._tell = tell
        self._started = started
        self._deadline = time.monotonic() + settings.start_seconds
        self._postmaster: ProcessId | None = None

    def run(self, ready: Callable[[Demo], None]) -> None:
        billing = self._start_database()
        asyncio.run(ensure_first_prices(billing))
        head = self._start_ray(billing)
        console = self._start_console()
        self._deploy(head)
        self._wait_for_console(console)
        demo = asyncio.run(
            ensure_demo(self._home, billing, self._settings.base_url, self._settings.demo_credits)
        )
        ready(demo)
        self._watch(head, console, billing)

    def _start_database(self) -> BillingSettings:
        given = os.environ.get(DATABASE_URL)
        if given:
            self._tell("using the PostgreSQL of FAREBOX_DATABASE_URL")
            url = given
        else:
            self._tell("starting PostgreSQL")
            server = self._started.enter_context(embedded_postgres(self._home.postgres))
            url = server.url
            self._postmaster = ProcessId.of(psutil.Process(server.pid))
        self._tell("migrating the database")
        billing = billing_settings(self._home, url)
        asyncio.run(migrate(billing.database_url))
        return billing

    def _start_ray(self, billing: BillingSettings) -> subprocess.Popen[bytes]:
        proxy = "HAProxy" if has_haproxy() else "Serve's own proxy, which is slower"
        self._tell(f"starting Ray (HTTP by {proxy})")
        shutil.rmtree(self._home.ray, ignore_errors=True)
        secrets = {
            DATABASE_URL: billing.database_url,
            KEY_HASH_SECRET: billing.key_hash_secret.get_secret_value(),
        }
        self._started.callback(self._end_ray)
        head = start_head(
            self._home, self._settings, node_environment(self._home, self._settings, secrets)
        )
        self._record(billing)
        return head

    def _start_console(self) -> subprocess.Popen[bytes] | None:
        """Beside Ray: both spend the first seconds with imports. Ended with Ray's processes."""
        settings = self._settings
        if not settings.console_port:
            return None
        return start_console(self._home, settings.base_url, settings.console_port)

    def _wait_for_console(self, console: subprocess.Popen[bytes] | None) -> None:
        if console is not None and self._settings.console_url is not None:
            wait_for_console(self._home, console, self._settings.console_url, self._deadline)

    def _deploy(self, head: subprocess.Popen[bytes]) -> None:
        deployment = Deployment(
            self._settings.dashboard_url, self._deadline, lambda: self._check_alive(head)
        )
        deployment.wait_for_dashboard()
        self._tell("deploying the applications")
        deployment.deploy(load_serve_config(self._settings))
        deployment.wait_until_running(self._tell)
        deployment.wait_until_ready(self._settings.base_url)

    def _watch(
        self,
        head: subprocess.Popen[bytes],
        console: subprocess.Popen[bytes] | None,
        billing: BillingSettings,
    ) -> None:
        """Until a signal or the end of Ray; the record is kept up to date for `farebox down`.

        A console that ends takes nothing with it: whoever scores by program is served on.
        """
        while True:
            self._record(billing)
            self._check_alive(head)
            if console is not None and console.poll() is not None:
                self._tell(
                    f"the web console ended by itself (exit code {console.returncode}; see "
                    f"{self._home.console_log}); `farebox console` starts another"
                )
                console = None
            time.sleep(_WATCH_SECONDS)

    def _check_alive(self, head: subprocess.Popen[bytes]) -> None:
        if head.poll() is not None:
            last_words = self._home.ray_log.read_text(errors="replace").strip()[-1000:]
            raise StartFailed(
                f"Ray ended by itself (exit code {head.returncode}); its last words, from "
                f"{self._home.ray_log}:\n{last_words}"
            )

    def _record(self, billing: BillingSettings) -> None:
        RunningProduct(
            pid=os.getpid(),
            base_url=self._settings.base_url,
            dashboard_url=self._settings.dashboard_url,
            database_url=billing.database_url,
            processes=tuple(descendants(self._spared_pid)),
            postmaster=self._postmaster,
            console_url=self._settings.console_url,
        ).write(self._home)

    def _end_ray(self) -> None:
        """Everything below this process but PostgreSQL, which is stopped in its own way after."""
        end_descendants(self._spared_pid)

    @property
    def _spared_pid(self) -> int | None:
        return self._postmaster.pid if self._postmaster else None
