"""wrk as the load generator."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from loadtest.bench.run import Load, Run
from loadtest.processes import ending

SCRIPT = Path(__file__).with_name("score.lua")
DRAIN_SECONDS = 3
"""wrk goes on for so long after the last request is sent, so that every answer is counted."""
TIMEOUT_SECONDS = 10
GRACE_SECONDS = 20
MARK = "SCORE "


class GeneratorFailed(Exception):
    """The load generator gave no result."""


def wrk_installed() -> bool:
    """Whether wrk is on the path."""
    return shutil.which("wrk") is not None


def run_wrk(load: Load) -> Run:
    """Send `load` with wrk; it is ended by its id whatever happens."""
    with tempfile.TemporaryDirectory(prefix="farebox-bench-") as folder:
        command = wrk_command(
            load, _write(folder, "keys", load.keys), _write(folder, "bodies", load.bodies)
        )
        with (
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            ) as process,
            ending(process),
        ):
            output, _ = process.communicate(timeout=load.seconds + DRAIN_SECONDS + GRACE_SECONDS)
    return parse_output(output, load.seconds)


def wrk_command(load: Load, keys: Path, bodies: Path) -> list[str]:
    """One thread: it does not compete with the server for more than one core."""
    return [
        "wrk",
        "-t1",
        f"-c{load.connections}",
        f"-d{load.seconds + DRAIN_SECONDS}s",
        f"--timeout={TIMEOUT_SECONDS}s",
        f"--script={SCRIPT}",
        load.url,
        "--",
        str(keys),
        str(bodies),
        str(load.seconds),
    ]


def parse_output(output: str, seconds: float) -> Run:
    """The line that score.lua prints at the end, as a run."""
    lines = output.splitlines()
    marked = [line.removeprefix(MARK) for line in lines if line.startswith(MARK)]
    if not marked:
        raise GeneratorFailed(f"wrk gave no result: {output.strip()[-500:]}")
    said = json.loads(marked[-1])
    samples = [line.removeprefix("WRONG ") for line in lines if line.startswith("WRONG ")]
    return Run(
        seconds=seconds,
        sent=said["sent"],
        in_time=said["in_time"],
        statuses={int(status): count for status, count in said["statuses"].items()},
        p50_ms=said["p50_us"] / 1000,
        p99_ms=said["p99_us"] / 1000,
        wrong=said["wrong"],
        wrong_sample=samples[-1] if samples else "",
        socket_errors=said["socket_errors"],
        timeouts=said["timeouts"],
    )


def _write(folder: str, name: str, lines: list[str]) -> Path:
    path = Path(folder) / name
    path.write_text("\n".join(lines) + "\n")
    return path
