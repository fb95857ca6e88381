"""Served rows like the training data are stable, others have drifted, and few say nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from models.drift import Verdict, measure_drift
from models.reference import bin_probabilities, make_reference

RANDOM = np.random.default_rng(5)
NAMES = tuple(f"F{number}" for number in range(30))
SHARES = np.linspace(0, 0.9, 30)


@dataclass(frozen=True)
class Rows:
    """Rows as they were counted."""

    rows: int
    feature_ones: list[int]
    probability_bins: list[int]


def draw(count: int, shares: np.ndarray = SHARES, power: float = 0.3) -> tuple[np.ndarray, ...]:
    matrix = (RANDOM.random((count, len(NAMES))) < shares).astype(np.uint8)
    return matrix, RANDOM.beta(power, power, count)


def counted(matrix: np.ndarray, probabilities: np.ndarray) -> Rows:
    ones, bins = matrix.sum(axis=0, dtype=int), bin_probabilities(probabilities)
    return Rows(len(matrix), ones.tolist(), bins.tolist())


REFERENCE = make_reference(*draw(5_000), "each row weighs 1")


def test_the_same_population_is_stable() -> None:
    drift = measure_drift(NAMES, REFERENCE, counted(*draw(2_000)))
    assert drift.verdict is Verdict.STABLE
    assert drift.score_psi < 0.05


def test_a_feature_that_became_common_is_named_first() -> None:
    shares = SHARES.copy()
    shares[4] = 0.8
    drift = measure_drift(NAMES, REFERENCE, counted(*draw(2_000, shares)))
    assert drift.verdict is Verdict.DRIFTED
    worst = drift.features[0]
    assert worst.name == "F4"
    assert worst.psi == drift.feature_psi_max > 1
    assert worst.served_share == pytest.approx(0.8, abs=0.05)
    assert worst.reference_share == pytest.approx(SHARES[4], abs=0.05)
    psis = [feature.psi for feature in drift.features]
    assert psis == sorted(psis, reverse=True)


def test_a_feature_never_seen_in_training_counts() -> None:
    shares = SHARES.copy()
    shares[0] = 0.05
    drift = measure_drift(NAMES, REFERENCE, counted(*draw(2_000, shares)))
    assert (drift.verdict, drift.features[0].name) == (Verdict.DRIFTED, "F0")


def test_other_probabilities_alone_are_drift() -> None:
    drift = measure_drift(NAMES, REFERENCE, counted(*draw(2_000, power=3.0)))
    assert drift.verdict is Verdict.DRIFTED
    assert drift.score_psi > 0.25 > drift.feature_psi_max


def test_between_the_thresholds_it_is_moderate() -> None:
    matrix, probabilities = draw(4_000)
    changed = np.where(np.arange(4_000) < 700, 0.5, probabilities)
    drift = measure_drift(NAMES, REFERENCE, counted(matrix, changed), alert=10.0)
    assert drift.verdict is Verdict.MODERATE


def test_few_rows_get_no_verdict_however_odd() -> None:
    needed = measure_drift(NAMES, REFERENCE, counted(*draw(1))).rows_needed
    assert needed is not None
    assert 380 < needed < 450
    for count, verdict in ((needed - 1, Verdict.TOO_FEW_ROWS), (needed, Verdict.DRIFTED)):
        drift = measure_drift(NAMES, REFERENCE, counted(*draw(count, 1 - SHARES)))
        assert drift.verdict is verdict


def test_a_small_reference_never_gives_a_verdict() -> None:
    small = make_reference(*draw(300), "each row weighs 1")
    drift = measure_drift(NAMES, small, counted(*draw(100_000)))
    assert (drift.rows_needed, drift.verdict) == (None, Verdict.TOO_FEW_ROWS)


def test_nothing_drifts_by_chance_where_rows_are_enough() -> None:
    needed = measure_drift(NAMES, REFERENCE, counted(*draw(1))).rows_needed
    assert needed is not None
    drifts = [measure_drift(NAMES, REFERENCE, counted(*draw(needed))) for _ in range(100)]
    assert {drift.verdict for drift in drifts} == {Verdict.STABLE}
