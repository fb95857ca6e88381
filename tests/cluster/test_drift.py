"""What the cluster scored is what the database counts, and other input than usual raises alarm."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest

from models.reference import bin_probabilities
from tests.support.api import Api, body
from tests.support.drift import TWIN, draw_usual
from tests.support.product import Product

SECONDS_MAX = 30
BATCHES = (1, 1, 30, 300, 1_000)


@pytest.fixture(scope="module", autouse=True)
def one_day() -> None:
    """Counts are by the day: do not begin a minute before midnight."""
    now = datetime.now(UTC)
    seconds_left = 86_400 - (now.hour * 3_600 + now.minute * 60 + now.second)
    if seconds_left < 60:
        time.sleep(seconds_left)


def fetch_counts(product: Product) -> tuple[date | None, int, list[int], list[int]]:
    """Of the twin, which has one day at the most."""

    async def fetch() -> Any:
        connection = await asyncpg.connect(product.record["database_url"])
        try:
            return await connection.fetchrow(
                "SELECT day, rows_scored, feature_ones, probability_bins"
                " FROM drift_days WHERE model = $1",
                TWIN,
            )
        finally:
            await connection.close()

    row = asyncio.run(fetch())
    return (None, 0, [], []) if row is None else tuple(row)


def wait_for_rows(product: Product, rows: int) -> tuple[date | None, list[int], list[int]]:
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        day, counted, ones, bins = fetch_counts(product)
        if counted >= rows:
            assert counted == rows
            return day, ones, bins
        assert time.monotonic() < deadline, f"{counted} of {rows} rows were counted"
        time.sleep(0.2)


def score(api: Api, matrix: np.ndarray) -> np.ndarray:
    """Probabilities as they were answered."""
    answer = api.score(body(matrix.tolist(), TWIN))
    assert answer.status_code == 200, answer.text
    return np.array([one["probability"] for one in answer.json()["predictions"]])


def test_rows_are_counted_exactly_and_shifted_ones_raise_alarm(
    product: Product, make_api: Any, tmp_path: Path
) -> None:
    api = make_api("10000")
    matrices = [draw_usual(rows, seed=seed + 1) for seed, rows in enumerate(BATCHES)]
    probabilities = np.concatenate([score(api, matrix) for matrix in matrices])
    matrix = np.concatenate(matrices)
    day, ones, bins = wait_for_rows(product, len(matrix))
    assert day == datetime.now(UTC).date()
    assert ones == matrix.sum(axis=0, dtype=int).tolist()
    assert bins == bin_probabilities(probabilities).tolist()

    usual = product.run("drift", TWIN, "--alert", check=False)
    assert usual.returncode == 0, usual.stdout + usual.stderr
    assert f"{TWIN} 1: stable, {len(matrix)} rows" in usual.stdout

    shifted = np.zeros((1_000, matrix.shape[1]), dtype=np.uint8)
    score(api, shifted)
    wait_for_rows(product, len(matrix) + len(shifted))
    plot = tmp_path / "drift.png"
    odd = product.run("drift", TWIN, "--alert", "--plot", str(plot), check=False)
    assert odd.returncode == 1, odd.stdout + odd.stderr
    assert f"{TWIN} 1: drifted" in odd.stdout
    assert plot.read_bytes().startswith(b"\x89PNG")
