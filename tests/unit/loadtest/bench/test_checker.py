"""Whether an answer of status 200 is right."""

import struct

import pytest

from loadtest.bench.generator.checker import Checker

MARKER = b'"probability":'


@pytest.mark.parametrize(
    ("body", "right"),
    [
        (b'{"probability":0.5}', True),
        (b'{"probability": 0.50000009}', True),
        (b'{"probability":5e-1}', True),
        (b'{"probability":0.500002}', False),
        (b'{"probability":NaN}', False),
        (b'{"probability":0.5},{"probability":0.5}', False),
        (b"{}", False),
        (b"", False),
    ],
)
def test_one_probability_must_be_there_and_be_right(body: bytes, right: bool) -> None:
    assert Checker(MARKER, [[0.5]]).right(0, body) is right


def test_each_request_has_the_probability_of_its_own_body() -> None:
    checker = Checker(MARKER, [[0.5], [0.25]])
    assert checker.right(3, b'"probability":0.25')
    assert not checker.right(2, b'"probability":0.25')


def test_many_rows_must_be_right_in_order() -> None:
    checker = Checker(MARKER, [[0.5, 0.25]])
    assert checker.right(0, b'"probability":0.5,"probability":0.25')
    assert not checker.right(0, b'"probability":0.25,"probability":0.5')


def test_float64_must_be_little_endian_and_whole() -> None:
    checker = Checker(b"", [[0.5, 0.25]])
    assert checker.right(0, struct.pack("<2d", 0.5, 0.25))
    assert not checker.right(0, struct.pack(">2d", 0.5, 0.25))
    assert not checker.right(0, struct.pack("<2d", 0.5, float("nan")))
    assert not checker.right(0, struct.pack("<2d", 0.5, 0.25)[:-1])


def test_where_nothing_is_known_any_probability_is_right() -> None:
    checker = Checker(MARKER, [[]])
    assert checker.right(0, b'"probability":1')
    assert not checker.right(0, b'"probability":1.1')
    assert not checker.right(0, b"{}")
