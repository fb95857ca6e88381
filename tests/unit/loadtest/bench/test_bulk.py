"""How rows are sent by the thousand."""

import json

import numpy as np

from loadtest.bench.bulk import encode_bits, encode_dense, encode_names
from loadtest.bench.oracle import Oracle, make_rows

FEATURES = [f"F{n}" for n in range(241)]


def test_bits_are_31_bytes_a_row_most_significant_first() -> None:
    rows = make_rows(3)
    packed = np.frombuffer(encode_bits(rows, FEATURES), dtype=np.uint8).reshape(3, 31)
    assert np.unpackbits(packed, axis=1, count=241).tolist() == rows
    first = encode_bits([[1] + [0] * 240], FEATURES)
    assert first == b"\x80" + b"\x00" * 30


def test_names_are_those_of_the_ones() -> None:
    row = [0, 1] + [0] * 238 + [1]
    assert json.loads(encode_names([row], FEATURES))["instances"] == [["F1", "F240"]]
    assert json.loads(encode_dense([row], FEATURES))["instances"] == [row]


def test_rows_are_the_same_in_each_benchmark_and_not_all_alike() -> None:
    assert make_rows(2) == make_rows(2)
    assert make_rows(2)[0] != make_rows(2)[1]


def test_the_oracle_scores_rows_one_by_one_as_together() -> None:
    oracle, rows = Oracle(), make_rows(4)
    assert oracle.score(rows) == [oracle.score([row])[0] for row in rows]
    assert len(oracle.features) == 241
    assert oracle.rows_per_second(np.asarray(rows, dtype=np.uint8), 2, 0.01) > 0
