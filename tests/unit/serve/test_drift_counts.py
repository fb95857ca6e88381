"""What is counted of scored rows is what numpy counts, however it comes in batches."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.reference import bin_probabilities
from serve.drift_counts import Counted, ScoredCounts, count_rows
from tests.support.fragile_model import NAME, VERSION
from tests.support.serving import Models

FEATURES = 13
KEYS = (("a", "1"), ("a", "2"), ("b", "1"))


@st.composite
def batches(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A matrix, and probabilities of which some are missing."""
    rows = draw(st.one_of(st.integers(0, 40), st.sampled_from([254, 255, 256, 511, 1024, 1500])))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    matrix = (random.random((rows, FEATURES)) < random.random()).astype(np.uint8)
    probabilities = random.random(rows)
    probabilities[random.random(rows) < draw(st.sampled_from([0.0, 0.2, 1.0]))] = np.nan
    return matrix, probabilities


def expected(matrix: np.ndarray, probabilities: np.ndarray) -> tuple[int, list[int], list[int]]:
    sound = ~np.isnan(probabilities)
    ones = matrix[sound].astype(np.int64).sum(axis=0)
    return int(sound.sum()), ones.tolist(), bin_probabilities(probabilities[sound]).tolist()


def plain(counted: Counted) -> tuple[int, list[int], list[int]]:
    return counted.rows, counted.feature_ones.tolist(), counted.probability_bins.tolist()


@given(batch=batches())
def test_rows_are_counted_as_numpy_counts_them(batch: tuple[np.ndarray, np.ndarray]) -> None:
    assert plain(count_rows(*batch)) == expected(*batch)


@given(matrix=arrays(np.uint8, (300, 3), elements=st.just(1)))
def test_columns_of_ones_alone_do_not_overflow(matrix: np.ndarray) -> None:
    assert count_rows(matrix, np.zeros(300)).feature_ones.tolist() == [300] * 3


@given(sent=st.lists(st.tuples(st.sampled_from(KEYS), batches()), max_size=12), cut=st.integers(0))
def test_batches_add_up_by_version_whenever_they_are_taken(
    sent: list[tuple[tuple[str, str], tuple[np.ndarray, np.ndarray]]], cut: int
) -> None:
    counts = ScoredCounts()
    totals: dict[tuple[str, str], Counted] = {}

    def take() -> None:
        for key, counted in counts.take().items():
            totals[key] = totals[key] + counted if key in totals else counted

    for number, (key, batch) in enumerate(sent):
        counts.add(*key, *batch)
        if number == cut:
            take()
    take()
    assert counts.take() == {}
    for key in KEYS:
        own = [batch for of, batch in sent if of == key]
        if not own or np.isnan(np.concatenate([one[1] for one in own])).all():
            assert key not in totals
            continue
        matrix, probabilities = (np.concatenate(column) for column in zip(*own, strict=True))
        assert plain(totals[key]) == expected(matrix, probabilities)


def test_the_scorer_counts_packed_rows_that_it_scored(models: Models) -> None:
    poison, plain_row, send_sms = [1, 0, 0], [0, 0, 0], [0, 0, 1]
    rows = np.array([plain_row, send_sms, poison, send_sms], dtype=np.uint8)
    packed = np.packbits(rows, axis=1).tobytes()
    models.pool.scored.take()  # what other tests scored with the same pool
    models.pool.predict(NAME, VERSION, packed, len(rows))
    models.pool.predict(NAME, VERSION, packed, len(rows), counts=False)
    [(key, counted)] = models.pool.scored.take().items()
    assert key == (NAME, VERSION)
    assert (counted.rows, counted.feature_ones.tolist()) == (3, [0, 0, 2])
    assert counted.probability_bins.tolist()[5] == 1
    assert counted.probability_bins.tolist()[14] == 2
