"""Reading answers and writing requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.bench.generator.wire import WireError, read_answer, render_requests

ANSWER = b"HTTP/1.1 200 OK\r\nX-Content-Length: 9\r\nCONTENT-LENGTH: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=1\r\nlo\r\n0\r\n\r\n"
)


@pytest.mark.parametrize(("raw", "status"), [(ANSWER, 200), (CHUNKED, 503)])
def test_an_answer_is_read_once_all_of_it_is_there_and_not_before(raw: bytes, status: int) -> None:
    for end in range(len(raw)):
        assert read_answer(raw[:end]) is None
    answer = read_answer(raw)
    assert answer is not None
    assert (answer.status, answer.body, answer.closes) == (status, b"hello", False)


@given(st.binary(max_size=300))
def test_any_body_of_any_bytes_is_read(body: bytes) -> None:
    raw = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    answer = read_answer(raw)
    assert answer is not None
    assert answer.body == body


@pytest.mark.parametrize(
    "raw",
    [
        ANSWER + b"!",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"x" * 70_000,
    ],
)
def test_what_cannot_be_read_is_no_answer(raw: bytes) -> None:
    with pytest.raises(WireError):
        read_answer(raw)


def test_a_server_may_say_that_it_closes() -> None:
    answer = read_answer(b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n")
    assert answer is not None
    assert answer.closes


def test_each_key_and_each_body_takes_its_turn() -> None:
    requests = render_requests(
        path="/p?x=1", host="h:1", headers=["A: b"], keys=["k", "l"], bodies=[b"1", b"22", b"333"]
    )
    assert len(set(requests)) == 6
    assert requests[4] == (
        b"POST /p?x=1 HTTP/1.1\r\nHost: h:1\r\nA: b\r\nAuthorization: Bearer k\r\n"
        b"Content-Length: 2\r\n\r\n22"
    )


def test_without_keys_nobody_is_named() -> None:
    assert (
        b"Authorization"
        not in render_requests(path="/", host="h", headers=[], keys=[], bodies=[b""])[0]
    )
