"""The refusals that the load test expects are the ones that the validation makes."""

import json
from dataclasses import replace

import pytest

from loadtest.bad_input import BadRequest, Refused, make_bad_requests, refusal_fault

WANTED = BadRequest(b"{}", 422, "invalid_request", ("/instances/0/1",))
PROBLEM = {
    "code": "invalid_request",
    "errors": [{"pointer": "/instances/0/1", "detail": "unknown"}],
    "request_id": "r",
}


def refused(**changes: object) -> Refused:
    body = json.dumps({**PROBLEM, **changes}).encode()
    return Refused(422, "application/problem+json", body)


def test_the_right_refusal_has_no_fault() -> None:
    assert refusal_fault(WANTED, refused()) is None


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (replace(refused(), status=200), "status 200 in place of 422"),
        (replace(refused(), media_type="text/html"), "of type 'text/html'"),
        (replace(refused(), body=b"<html>"), "not JSON"),
        (replace(refused(), body=b"[]"), "without the code"),
        (refused(code="other"), "without the code invalid_request"),
        (refused(errors=[]), r"points at \(\)"),
        (refused(request_id=""), "without a request_id"),
    ],
)
def test_any_other_answer_is_a_fault(got: Refused, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(refusal_fault(WANTED, got))


def test_each_way_to_get_it_wrong_is_another_body() -> None:
    found = make_bad_requests([f"F{n}" for n in range(5)])
    assert len({(each.body, each.media_type) for each in found}) == len(found)
    assert {each.status for each in found} == {404, 415, 422}
