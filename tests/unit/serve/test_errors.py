"""Refusals as problem documents, and errors of the packages below as refusals."""

from __future__ import annotations

import json
import pickle

import pytest

from billing.api_keys.errors import KeyAlreadyMade, KeyEnded, KeyMissing, RotationUnderWay
from billing.errors import (
    BillingError,
    LedgerBusy,
    LedgerUnavailable,
    OutcomeUnknown,
    PriceExists,
    PriceMissing,
)
from models.errors import (
    ArtifactMismatch,
    ModelError,
    PredictionFailed,
    UnknownModel,
    UnknownVersion,
)
from serve.errors import PROBLEMS, problem_document
from serve.refusals import Code, Fault, Refusal
from serve.translation import refusal_of


def headers_of(code: Code) -> dict[bytes, bytes]:
    return dict(problem_document(Refusal(code, "why"), "r").headers)


def with_status(*statuses: int) -> list[Code]:
    return [code for code in Code if PROBLEMS[code].status in statuses]


WAITING_HELPS = {*with_status(429, 503), Code.REQUEST_IN_FLIGHT}


def test_every_code_is_a_kind_of_problem_and_no_other() -> None:
    assert set(PROBLEMS) == set(Code)


@pytest.mark.parametrize("code", Code)
def test_a_problem_has_the_members_of_the_standard_and_a_code(code: Code) -> None:
    document = problem_document(Refusal(code, "why it was"), "request-1")
    members = json.loads(document.body)
    assert list(members) == ["type", "title", "status", "code", "detail", "request_id"]
    assert members["type"] == f"urn:farebox:problem:{code}"
    assert members["status"] == document.status
    assert 400 <= document.status < 600
    assert members["title"]
    assert members["code"] == code.value
    assert members["detail"] == "why it was"
    assert members["request_id"] == "request-1"
    assert (b"content-type", b"application/problem+json") in document.headers


def test_no_two_codes_have_one_title() -> None:
    assert len({kind.title for kind in PROBLEMS.values()}) == len(PROBLEMS)


def test_members_of_a_refusal_come_before_the_request_id_and_faults_last() -> None:
    refusal = Refusal(
        Code.INVALID_REQUEST, "why", {"required": "2"}, (Fault("/a", "one"), Fault("/b", "two"))
    )
    members = json.loads(problem_document(refusal, "r").body)
    assert list(members)[-3:] == ["required", "request_id", "errors"]
    assert members["errors"] == [
        {"pointer": "/a", "detail": "one"},
        {"pointer": "/b", "detail": "two"},
    ]


@pytest.mark.parametrize("code", sorted(WAITING_HELPS))
def test_where_waiting_helps_the_answer_says_how_long(code: Code) -> None:
    assert int(headers_of(code)[b"retry-after"]) >= 1


def test_a_refusal_may_know_better_how_long() -> None:
    refusal = Refusal(Code.TOO_MANY_ATTEMPTS, "why", {"retry_after_seconds": 7})
    document = problem_document(refusal, "r")
    assert dict(document.headers)[b"retry-after"] == b"7"
    assert json.loads(document.body)["retry_after_seconds"] == 7


@pytest.mark.parametrize("code", sorted(set(Code) - WAITING_HELPS))
def test_where_waiting_does_not_help_the_answer_does_not_say_so(code: Code) -> None:
    assert b"retry-after" not in headers_of(code)


@pytest.mark.parametrize("code", Code)
def test_a_401_and_no_other_carries_a_challenge(code: Code) -> None:
    assert (b"www-authenticate" in headers_of(code)) is (PROBLEMS[code].status == 401)


@pytest.mark.parametrize("code", Code)
def test_a_body_left_unread_closes_the_connection(code: Code) -> None:
    assert (headers_of(code).get(b"connection") == b"close") is (code is Code.BODY_TOO_LARGE)


def test_a_refusal_pickles_whole() -> None:
    refusal = Refusal(Code.INVALID_REQUEST, "why", {"a": 1}, (Fault("/x", "y"),))
    copy = pickle.loads(pickle.dumps(refusal))
    assert (copy.code, copy.detail, copy.members, copy.faults) == (
        refusal.code,
        refusal.detail,
        refusal.members,
        refusal.faults,
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LedgerUnavailable("x"), Code.LEDGER_UNAVAILABLE),
        (OutcomeUnknown("x"), Code.LEDGER_UNAVAILABLE),
        (LedgerBusy("x"), Code.QUEUE_FULL),
        (BillingError("x"), Code.INTERNAL_ERROR),
        (PriceMissing("x"), Code.PRICE_MISSING),
        (PriceExists("x"), Code.PRICE_EXISTS),
        (KeyMissing("x"), Code.NOT_FOUND),
        (KeyEnded("x"), Code.KEY_ENDED),
        (KeyAlreadyMade("x"), Code.KEY_ALREADY_MADE),
        (RotationUnderWay("x"), Code.ROTATION_UNDER_WAY),
        (UnknownModel("m", ("a",)), Code.MODEL_NOT_FOUND),
        (UnknownVersion("m", "9", ("1",)), Code.VERSION_NOT_FOUND),
        (PredictionFailed("x", (0,)), Code.PREDICTION_FAILED),
        (ArtifactMismatch("x"), Code.PREDICTION_FAILED),
    ],
)
def test_an_error_from_below_becomes_its_refusal(
    error: BillingError | ModelError, code: Code
) -> None:
    assert refusal_of(error).code is code


def test_an_unknown_outcome_is_never_told_as_uncharged() -> None:
    assert "nothing was charged" not in refusal_of(OutcomeUnknown("x")).detail


def test_an_unknown_model_is_told_what_exists() -> None:
    assert "a, b" in refusal_of(UnknownModel("m", ("a", "b"))).detail


def test_inner_words_stay_inside() -> None:
    for error in (LedgerUnavailable("host db-7"), ArtifactMismatch("/srv/models")):
        refusal = refusal_of(error)
        assert "db-7" not in refusal.detail
        assert "/srv" not in refusal.detail
