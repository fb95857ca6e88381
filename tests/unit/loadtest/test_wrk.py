"""What is read from wrk's output."""

import pytest

from loadtest.bench.wrk import GeneratorFailed, parse_output

OUTPUT = """Running 13s test @ http://127.0.0.1:8000
  1 threads and 256 connections

SCORE {"sent": 1000, "in_time": 900, "wrong": 0, "statuses": {"200": 950, "429": 40}, \
"p50_us": 12500, "p99_us": 250000, "socket_errors": 2, "timeouts": 1}
"""


def test_statuses_and_latencies_are_read() -> None:
    run = parse_output(OUTPUT, 10)
    assert run.statuses == {200: 950, 429: 40}
    assert (run.p50_ms, run.p99_ms) == (12.5, 250.0)
    assert (run.socket_errors, run.timeouts, run.wrong) == (2, 1, 0)


def test_requests_without_an_answer_are_what_was_sent_less_what_was_answered() -> None:
    assert parse_output(OUTPUT, 10).unanswered == 10


def test_speed_counts_successes_before_the_deadline_alone() -> None:
    assert parse_output(OUTPUT, 10).requests_per_second == pytest.approx(900 * 950 / 990 / 10)


def test_other_statuses_leave_out_200() -> None:
    assert parse_output(OUTPUT, 10).other_statuses == {429: 40}


def test_a_wrong_answer_is_kept_as_a_sample() -> None:
    output = OUTPUT.replace('"wrong": 0', '"wrong": 3') + 'WRONG {"nothing": "here"}\n'
    run = parse_output(output, 10)
    assert run.wrong == 3
    assert run.wrong_sample == '{"nothing": "here"}'


def test_output_without_a_result_fails_with_what_wrk_said() -> None:
    with pytest.raises(GeneratorFailed, match="Connection refused"):
        parse_output("unable to connect to 127.0.0.1:8000 Connection refused\n", 10)
