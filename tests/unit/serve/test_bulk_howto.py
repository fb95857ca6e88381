"""What the documentation shows of many rows, run as it stands against a replica."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from serve.refusals import Code, Refusal
from tests.support.fragile_model import FEATURES, POISON
from tests.support.scoring_server import ScoringServer, serve, wait_until
from tests.support.serving import Models, Replica, make_replica

pytestmark = pytest.mark.anyio

HOWTO = Path(__file__).parents[3] / "docs" / "howto" / "bulk.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", HOWTO.read_text(), re.DOTALL)


@pytest.fixture
async def replica(models: Models) -> Replica:
    return make_replica(models, credits_granted="5000")


@pytest.fixture
async def server(replica: Replica) -> AsyncIterator[ScoringServer]:
    async with serve(replica) as running:
        yield running


@pytest.fixture
def names() -> dict[str, Any]:
    """What the first block defines, with pauses that a test can wait for."""
    names: dict[str, Any] = {}
    exec(blocks("python")[0], names)
    names["PAUSES_SECONDS"] = (0.02,) * 100
    return names


@pytest.fixture
def variables(
    replica: Replica, server: ScoringServer, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """What the reader has set."""
    variables = {
        "FAREBOX_URL": f"http://127.0.0.1:{server.port}",
        "FAREBOX_KEY": replica.anna.removeprefix("Bearer "),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


def connect(variables: dict[str, str]) -> httpx.Client:
    key = {"Authorization": f"Bearer {variables['FAREBOX_KEY']}"}
    return httpx.Client(base_url=variables["FAREBOX_URL"], headers=key, trust_env=False)


def make_rows(count: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    rows = np.random.default_rng(7).integers(0, 2, (count, len(FEATURES)), dtype=np.uint8)
    rows[:, FEATURES.index(POISON)] = 0
    return rows


def expected(rows: np.ndarray[Any, np.dtype[np.uint8]]) -> list[bool]:
    return [bool(flag) for flag in rows[:, FEATURES.index("SEND_SMS")]]


async def test_rows_of_any_number_are_scored_1024_a_request(
    replica: Replica, names: dict[str, Any], variables: dict[str, str]
) -> None:
    rows = make_rows(3000)
    with connect(variables) as http:
        probabilities = await asyncio.to_thread(names["score"], http, rows, model="fragile")
    assert (probabilities >= 0.5).tolist() == expected(rows)
    assert [charge.instances for charge in replica.charged] == [1024, 1024, 952]
    assert await replica.balance() == "2000"


async def test_a_request_whose_answer_was_lost_is_charged_once(
    replica: Replica, server: ScoringServer, names: dict[str, Any], variables: dict[str, str]
) -> None:
    replica.scorer.gate.clear()
    rows = make_rows(40)
    with connect(variables) as http:
        scoring = asyncio.create_task(
            asyncio.to_thread(names["score"], http, rows, model="fragile", version="1")
        )
        await wait_until(lambda: replica.scorer.rows)
        server.connections[0].transport.abort()
        await wait_until(lambda: "request_in_flight" in replica.seen.outcomes)
        replica.scorer.gate.set()
        assert ((await scoring) >= 0.5).tolist() == expected(rows)
    assert replica.seen.outcomes[-1] == "replayed"
    assert await replica.balance() == "4960"


async def test_a_server_that_never_answers_is_given_up_with_the_key(
    replica: Replica, names: dict[str, Any], variables: dict[str, str]
) -> None:
    replica.scorer.failure = Refusal(Code.SCORER_UNAVAILABLE, "gone")
    names["PAUSES_SECONDS"] = (0, 0)
    with connect(variables) as http, pytest.raises(TimeoutError, match=r"the key [0-9a-f-]{36}"):
        await asyncio.to_thread(names["score"], http, make_rows(1), model="fragile")
    assert replica.seen.outcomes == ["scorer_unavailable"] * 2


async def test_a_refusal_ends_it(
    replica: Replica, names: dict[str, Any], variables: dict[str, str]
) -> None:
    with connect(variables) as http, pytest.raises(httpx.HTTPStatusError, match="404"):
        await asyncio.to_thread(names["score"], http, make_rows(1), model="none")
    assert replica.seen.outcomes == ["model_not_found"]


async def test_the_whole_example_runs(
    replica: Replica,
    names: dict[str, Any],
    variables: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    poison = FEATURES.index(POISON)
    whole = blocks("python")[1]
    code = whole.replace("    prob", f"    rows[:, {poison}] = 0\n    prob", 1)  # no NaN
    await asyncio.to_thread(exec, code, names)
    assert re.fullmatch(r"malware \d+ of 3000\n", capsys.readouterr().out)
    assert await replica.balance() == "2000"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_curl_example_runs(
    replica: Replica, variables: dict[str, str], tmp_path: Path
) -> None:
    [command] = blocks("sh")
    rows = make_rows(20)
    (tmp_path / "rows.bits").write_bytes(np.packbits(rows, axis=1).tobytes())
    done = await asyncio.to_thread(
        subprocess.run,
        ["sh", "-c", command.replace("android-malware", "fragile")],
        cwd=tmp_path,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    probabilities = np.fromfile(tmp_path / "probabilities.f64", "<f8")
    assert (probabilities >= 0.5).tolist() == expected(rows)
    assert "farebox-credits-charged: 20" in (tmp_path / "headers.txt").read_text()
