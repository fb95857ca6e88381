"""Failed requests, for people."""

import json

from loadtest.failures import LINES_MAX, describe_status, failure_lines
from loadtest.tally import Failure

BEGAN = 1000.0


def test_a_problem_document_is_told_by_its_code() -> None:
    body = json.dumps({"code": "queue_full", "detail": "Wait.", "title": "At its limit"}).encode()
    assert describe_status(429, body) == "status 429 queue_full: Wait."


def test_any_other_answer_is_told_by_its_first_words() -> None:
    assert describe_status(502, b"<html>" + b"x" * 1000).startswith("status 502 <html>xx")
    assert len(describe_status(502, b"x" * 1000)) < 200


def test_failures_of_a_kind_in_the_same_second_are_one_line() -> None:
    failures = [Failure(BEGAN + 5 + n / 10, "dense", "no answer") for n in range(3)]
    assert failure_lines(failures, BEGAN) == ["at 5 s: 3 x dense: no answer"]


def test_a_line_says_what_went_on_then() -> None:
    line = failure_lines(
        [Failure(BEGAN + 5.5, "dense", "gone")], BEGAN, lambda at: f"{at - BEGAN:g} seen"
    )
    assert line == ["at 5 s (5 seen): 1 x dense: gone"]


def test_lines_come_by_time_and_up_to_a_bound() -> None:
    failures = [Failure(BEGAN + second, "dense", "gone") for second in reversed(range(30))]
    lines = failure_lines(failures, BEGAN)
    assert lines[0].startswith("at 0 s")
    assert lines[LINES_MAX:] == ["and 10 more such lines"]
