"""Reading a probability out of each peer's answer, and judging it."""

import httpx
import pytest

from loadtest.peers.checks import answer_fault, read_probability

MARKER = b'"probability":'


@pytest.mark.parametrize(
    ("answer", "marker", "probability"),
    [
        (b'{"predictions":[{"label":"malware","probability":0.75}]}', MARKER, 0.75),
        (b'{"probability": 1e-05}', MARKER, 1e-05),
        (b"[0.009880939754588775]", b"[", 0.009880939754588775),
        (b'{"outputs":[{"shape":[1,1],"data":[0.5]}]}', b'"data":[', 0.5),
        (b'{"detail":"no"}', MARKER, None),
        (b'{"probability":null}', MARKER, None),
    ],
)
def test_the_number_after_the_marker_is_read(
    answer: bytes, marker: bytes, probability: float | None
) -> None:
    assert read_probability(answer, marker) == probability


def test_the_expected_probability_is_no_fault() -> None:
    assert (
        answer_fault(httpx.Response(200, content=b'{"probability":0.5000001}'), MARKER, 0.5) is None
    )


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (200, b'{"probability":0.50001}', "LightGBM says 0.5"),
        (200, b"{}", "no probability"),
        (503, b"busy", "status 503"),
    ],
)
def test_any_other_answer_is_a_fault(status: int, content: bytes, said: str) -> None:
    assert said in str(answer_fault(httpx.Response(status, content=content), MARKER, 0.5))
