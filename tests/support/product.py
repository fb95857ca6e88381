"""A whole product of its own for a test: own folder, own ports, ended by process id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 150
STOP_SECONDS = 60


@dataclass
class Product:
    """`farebox up` as a process, and what a test does with it."""

    home: Path
    first_port: int
    environment: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = (sys.executable, "-m", "farebox", "up")
    folder: Path = ROOT
    with_console: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> Path:
        """What the process printed."""
        return self.home.with_suffix(".out")

    @property
    def lines(self) -> list[str]:
        """What the process printed, by lines."""
        return self.output.read_text().splitlines()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.first_port}"

    @property
    def console_url(self) -> str:
        """Of the web console, where the product has one."""
        return f"http://127.0.0.1:{self.ports['FAREBOX_CONSOLE_PORT']}"

    @property
    def grpc_target(self) -> str:
        return f"127.0.0.1:{self.ports['FAREBOX_GRPC_PORT']}"

    @property
    def ports(self) -> dict[str, int]:
        names = (
            *("HTTP", "FALLBACK_PROXY", "HAPROXY_STATS", "HAPROXY_METRICS", "DASHBOARD"),
            *("GRPC", "FALLBACK_PROXY_GRPC"),
            *(("CONSOLE",) if self.with_console else ()),
        )
        return {f"FAREBOX_{name}_PORT": self.first_port + n for n, name in enumerate(names)}

    @property
    def variables(self) -> dict[str, str]:
        """The environment of every command on this product."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("FAREBOX")},
            **{name: str(port) for name, port in self.ports.items()},
            "FAREBOX_REPLICA_PORT_MIN": str(self.first_port + 100),
            **({} if self.with_console else {"FAREBOX_CONSOLE_PORT": "0"}),
            "FAREBOX_HOME": str(self.home),
            **self.environment,
        }

    def start(self) -> Product:
        """Start it and wait until it says that it is ready."""
        self.spawn()
        self.wait_until_ready()
        return self

    def spawn(self) -> None:
        """Start it without waiting."""
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                self.command,
                env=self.variables,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        self.wait_for_line("Ctrl-C stops everything", START_SECONDS)

    def wait_for_line(self, text: str, seconds: float) -> None:
        """Return when a line with `text` was printed; fail when the process ends before."""
        deadline = time.monotonic() + seconds
        while not any(text in line for line in self.lines):
            assert self.process is not None
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"no line with {text!r} came:\n" + "\n".join(self.lines))
            time.sleep(0.1)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and wait; returns the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def run(
        self, *arguments: str, check: bool = True, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a `farebox` command on this product."""
        return subprocess.run(
            [sys.executable, "-m", "farebox", *arguments],
            env=self.variables,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            check=check,
            timeout=120,
        )

    def create_key(self, account: str, credits_granted: str = "0") -> str:
        """A fresh key of `account`."""
        done = self.run("keys", "create", "--account", account, "--credits", credits_granted)
        return done.stdout.strip().splitlines()[-1]

    @property
    def record(self) -> dict[str, Any]:
        """What the product says of itself: URLs and processes."""
        record: dict[str, Any] = json.loads((self.home / "product.json").read_text())
        return record

    def processes(self, title: str = "") -> list[psutil.Process]:
        """Living processes of the product whose command line holds `title`."""
        found = []
        for each in psutil.Process(self.record["pid"]).children(recursive=True):
            try:
                if title in " ".join(each.cmdline()):
                    found.append(each)
            except psutil.NoSuchProcess:
                continue
        return found

    @contextmanager
    def suspended(self, deployment: str) -> Iterator[None]:
        """The deployment's processes stand still meanwhile: what needs them waits."""
        processes = self.processes(f"ServeReplica:scoring:{deployment}")
        assert processes
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    def applications(self) -> dict[str, Any]:
        """The Serve applications as the dashboard tells them."""
        url = f"http://127.0.0.1:{self.ports['FAREBOX_DASHBOARD_PORT']}/api/serve/applications/"
        applications: dict[str, Any] = httpx.get(url, timeout=10).json()["applications"]
        return applications

    def deployment(self, name: str) -> dict[str, Any]:
        """One deployment as the dashboard tells it."""
        for application in self.applications().values():
            if name in application["deployments"]:
                deployment: dict[str, Any] = application["deployments"][name]
                return deployment
        raise KeyError(name)

    def running(self, deployment: str) -> frozenset[str]:
        """Ids of the replicas that take requests; none told of while Serve deploys anew."""
        try:
            replicas = self.deployment(deployment)["replicas"]
        except KeyError:
            return frozenset()
        return frozenset(each["replica_id"] for each in replicas if each["state"] == "RUNNING")


def serve_config(changes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The committed Serve config with some deployments' options changed."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "serve" / "config.yaml").read_text())
    deployments = [each for app in config["applications"] for each in app["deployments"]]
    for deployment in deployments:
        for option, value in changes.get(deployment["name"], {}).items():
            merge = isinstance(value, dict) and isinstance(deployment.get(option), dict)
            deployment[option] = {**deployment[option], **value} if merge else value
    return config
