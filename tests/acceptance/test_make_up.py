"""`make up` as a new user meets it, to the last process and port."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import psutil
import pytest
import yaml

from farebox.ray_node import has_haproxy
from tests.support.product import Product, serve_config


def everything_of(product: Product) -> list[psutil.Process]:
    """Every process of a running product, PostgreSQL and HAProxy included."""
    owner = psutil.Process(product.record["pid"])
    return [owner, *owner.children(recursive=True)]


def assert_nothing_is_left(product: Product, processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, 10)
    assert [each.cmdline() for each in alive] == []
    assert [port for port in all_ports(product) if listens(port)] == []
    assert not (product.home / "product.json").exists()


def all_ports(product: Product) -> list[int]:
    return [*product.ports.values(), *range(product.first_port + 100, product.first_port + 110)]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def bash(command: str, product: Product, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=product.variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def readme_commands(checkout: Path) -> list[str]:
    """The README's commands for a second terminal, block by block."""
    readme = (checkout / "README.md").read_text()
    blocks = re.findall(r"```bash\n(.*?)```", readme, re.DOTALL)
    return [block for block in blocks if ".farebox/demo.env" in block]


def test_a_new_user_gets_from_make_up_to_a_paid_prediction_and_back_to_nothing(
    product: Product, checkout: Path
) -> None:
    product.start()
    processes = everything_of(product)
    names = {each.name() for each in processes}
    assert {"postgres", "raylet"} <= names
    if has_haproxy():
        assert any("haproxy" in name for name in names)

    output = "\n".join(product.lines)
    for step in ("PostgreSQL", "migrating", "Ray", "FeatureValidator: 2", "ready"):
        assert step in output
    demo = dict(line.split("=", 1) for line in (product.home / "demo.env").read_text().split())
    assert demo["FAREBOX_URL"] == product.base_url
    assert demo["FAREBOX_API_KEY"] in output
    assert product.base_url in output
    assert httpx.get(re.search(r"Dashboard\s+(\S+)", output)[1]).status_code == 200  # type: ignore[index]
    assert httpx.get(f"{product.base_url}/readyz").json() == {"status": "ready"}
    assert f"Console    {product.console_url}" in output
    assert "Farebox" in httpx.get(product.console_url, follow_redirects=True).text

    curl = next(line for line in product.lines if line.startswith("curl "))
    answer = json.loads(bash(curl, product, checkout))
    assert (answer["credits_charged"], answer["credits_balance"]) == ("1", "999")

    commands = readme_commands(checkout)
    assert commands
    for command in commands:
        bash(command, product, checkout)
    assert "the ledger is clean" in product.run("reconcile").stdout

    second = subprocess.run(
        product.command,
        cwd=checkout,
        env=product.variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert second.returncode != 0
    assert f"127.0.0.1:{product.first_port}" in second.stderr
    assert "make down" in second.stderr

    assert product.process is not None
    os.killpg(product.process.pid, signal.SIGINT)  # what Ctrl-C in a terminal does
    assert product.process.wait(60) is not None
    assert_nothing_is_left(product, processes)


def test_a_second_start_keeps_the_account_and_grants_nothing(product: Product) -> None:
    before = (product.home / "demo.env").read_text()
    product.start()
    processes = everything_of(product)
    assert (product.home / "demo.env").read_text() == before
    key = before.split("FAREBOX_API_KEY=")[1].strip()
    headers = {"Authorization": f"Bearer {key}"}
    account = httpx.get(f"{product.base_url}/v1/account", headers=headers).json()
    assert account["account"] == "demo"
    assert 900 < float(account["credits_balance"]) < 1000

    made = product.run("keys", "create", "--account", "demo", "--credits", "5")
    assert made.stdout.strip().startswith("fb_live_")
    more = httpx.get(f"{product.base_url}/v1/account", headers=headers).json()
    assert float(more["credits_balance"]) == float(account["credits_balance"]) + 5

    (console,) = product.processes("-m frontend")
    console.kill()
    product.wait_for_line("the web console ended by itself", 10)
    assert httpx.get(f"{product.base_url}/readyz").status_code == 200

    product.run("down")
    assert_nothing_is_left(product, processes)


def test_what_a_killed_start_left_behind_is_ended_by_down(product: Product) -> None:
    product.start()
    processes = everything_of(product)
    time.sleep(2)  # the record of processes is written once a second
    processes[0].kill()
    psutil.wait_procs(processes[:1], 10)
    assert any(each.is_running() for each in processes[1:])
    assert "stopped" in product.run("down").stdout
    assert_nothing_is_left(product, processes)


def test_a_failure_half_way_ends_everything_and_says_why(product: Product, checkout: Path) -> None:
    broken = checkout / "broken.yaml"
    broken.write_text(
        yaml.safe_dump(serve_config({"FeatureValidator": {"user_config": {"slots": 0}}}))
    )
    product.environment["FAREBOX_SERVE_CONFIG"] = str(broken)
    product.spawn()
    assert product.process is not None
    product.wait_for_line("deploying", 60)
    processes = everything_of(product)
    assert product.process.wait(120) != 0
    output = "\n".join(product.lines)
    assert "error:" in output
    assert "slots" in output
    assert_nothing_is_left(product, processes)


@pytest.mark.parametrize("name", ["FAREBOX_HTTP_PORT", "FAREBOX_DASHBOARD_PORT"])
def test_a_taken_port_is_named_before_anything_starts(product: Product, name: str) -> None:
    port = product.ports[name]
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        holder.listen()
        product.spawn()
        assert product.process is not None
        assert product.process.wait(60) != 0
    output = "\n".join(product.lines)
    assert f"port {port}" in output
    assert name in output
    assert "PostgreSQL" not in output
