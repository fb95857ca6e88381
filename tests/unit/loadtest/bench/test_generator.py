"""The load generator as a process of its own, against a small real server."""

from __future__ import annotations

import socket

import pytest

from loadtest.bench.load import FLOAT64, Body, LoadPlan, make_bodies, run_load
from loadtest.bench.run import Run
from loadtest.target import Target
from tests.support.scripted_server import Reply, Script, http_answer, scripted_server

RIGHT = http_answer(b'{"predictions":[{"probability":0.25}]}')


def run_against(
    script: Script,
    *,
    connections: int = 2,
    seconds: float = 0.3,
    rate: float | None = None,
    expected: tuple[float, ...] = (0.25,),
    accept: str = "",
    waits: bool = True,
) -> Run:
    with scripted_server(script) as address:
        target = Target("it", address, "/score", lambda _: b"{}", b'"probability":', ("a", "b"))
        bodies = (Body(b"{}", expected),)
        plan = LoadPlan(target, bodies, connections, seconds, rate, waits=waits, accept=accept)
        return run_load(plan)


def test_every_request_is_answered_and_counted() -> None:
    run = run_against(lambda n, head: Reply(RIGHT))
    assert run.sent == run.answers_200 > 2
    assert (run.wrong, run.unanswered, run.socket_errors) == (0, 0, 0)
    assert run.generator_cpu_seconds > 0


def test_a_wrong_probability_is_found_and_shown() -> None:
    wrong = http_answer(b'{"predictions":[{"probability":0.2500021}]}')
    run = run_against(lambda n, head: Reply(wrong if n == 3 else RIGHT))
    assert run.wrong == 1
    assert "0.2500021" in run.wrong_samples[0]


def test_a_200_without_a_probability_is_wrong() -> None:
    run = run_against(lambda n, head: Reply(http_answer(b'{"predictions":[]}')))
    assert run.wrong == run.answers_200 > 0
    assert run.requests_per_second == 0


def test_float64_answers_are_checked_too() -> None:
    answer = http_answer(b"\x00\x00\x00\x00\x00\x00\xd0\x3f")
    right = run_against(lambda n, head: Reply(answer), accept=FLOAT64)
    assert (right.wrong, right.answers_200 > 0) == (0, True)
    wrong = run_against(lambda n, head: Reply(answer), accept=FLOAT64, expected=(0.5,))
    assert wrong.wrong == wrong.answers_200


def test_refusals_are_counted_apart_and_miss_retry_after_only_where_it_is_missing() -> None:
    with_header = http_answer(b"", "429 Too Many Requests", "Retry-After: 1")
    without = http_answer(b"", "429 Too Many Requests")
    replies = {1: with_header, 2: without}
    run = run_against(lambda n, head: Reply(replies.get(n, RIGHT)))
    assert run.other_statuses == {429: 2}
    assert run.refused_without_retry_after == 1
    assert run.latency(429).answers == 2
    assert run.answers_200 == run.sent - 2


def test_accounts_take_turns() -> None:
    heads: list[str] = []

    def note(number: int, head: str) -> Reply:
        heads.append(head)
        return Reply(RIGHT)

    run_against(note, connections=1)
    keys = [head.split("Bearer ")[1][0] for head in heads]
    assert keys[:4] == ["a", "b", "a", "b"]
    assert heads[0].startswith("POST /score HTTP/1.1\r\n")


def test_an_open_loop_sends_just_what_was_ordered() -> None:
    run = run_against(lambda n, head: Reply(RIGHT), rate=100, seconds=0.5)
    assert run.sent == run.answers_200 == 50
    assert len(run.lag_milliseconds) == 50
    assert run.unsent == 0


def test_in_an_open_loop_a_slow_answer_counts_for_those_that_waited_behind_it() -> None:
    service_seconds = 0.05
    run = run_against(
        lambda n, head: Reply(RIGHT, after_seconds=service_seconds),
        connections=1,
        seconds=0.5,
        rate=40,
    )
    assert run.answers_200 == 20
    assert run.latency().max_ms > 3 * service_seconds * 1000


def test_where_nobody_waits_what_finds_no_connection_is_never_sent() -> None:
    run = run_against(
        lambda n, head: Reply(RIGHT, after_seconds=0.2),
        connections=1,
        seconds=0.5,
        rate=40,
        waits=False,
    )
    assert run.sent == run.answers_200 < 6
    assert run.sent + run.unsent == 20


def test_in_a_closed_loop_each_answer_counts_from_when_it_was_asked_for() -> None:
    run = run_against(lambda n, head: Reply(RIGHT, after_seconds=0.05), connections=1)
    assert run.latency().p50_ms >= 50
    assert run.answers_200 <= 7


def test_what_is_under_way_at_the_end_is_waited_for_and_not_in_time() -> None:
    run = run_against(lambda n, head: Reply(RIGHT, after_seconds=0.5), connections=3)
    assert run.answers_200 == run.sent == 3
    assert run.in_time_200 == 0


def test_a_connection_that_is_closed_under_a_request_is_counted_and_replaced() -> None:
    run = run_against(lambda n, head: Reply(b"" if n == 2 else RIGHT, then_close=n == 2))
    assert (run.socket_errors, run.unanswered, run.reconnects) == (1, 1, 1)
    assert run.answers_200 == run.sent - 1 > 3


def test_a_server_that_announces_to_close_loses_no_request() -> None:
    closing = RIGHT.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    run = run_against(lambda n, head: Reply(closing, then_close=True))
    assert (run.socket_errors, run.unanswered) == (0, 0)
    assert run.reconnects > 1


def test_what_is_no_http_is_a_socket_error() -> None:
    run = run_against(lambda n, head: Reply(b"SSH-2.0\r\n\r\n" if n == 0 else RIGHT))
    assert run.socket_errors == 1
    assert run.answers_200 == run.sent - 1


def test_chunked_answers_are_read() -> None:
    chunks = b'c\r\n{"probabilit\r\n9\r\ny": 0.25}\r\n0\r\n\r\n'
    run = run_against(
        lambda n, head: Reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    )
    assert (run.wrong, run.socket_errors) == (0, 0)
    assert run.answers_200 > 0


def test_a_server_that_is_not_there_gives_a_run_without_answers() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{held.getsockname()[1]}"
        target = Target("none", address, "/", lambda _: b"{}", b"x")
        run = run_load(LoadPlan(target, make_bodies(target, [[1]]), 2, 0.2))
    assert run.answers == 0
    assert run.socket_errors >= 2


def test_bodies_pair_each_row_with_its_own_probability() -> None:
    target = Target("it", "", "/", bytes, b"")
    assert make_bodies(target, [[1], [2]], [0.1, 0.2]) == (Body(b"\1", (0.1,)), Body(b"\2", (0.2,)))
    with pytest.raises(ValueError, match="zip"):
        make_bodies(target, [[1], [2]], [0.1])
