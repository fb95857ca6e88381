"""Bodies become rows, or every fault is named by its JSON pointer."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.schema import FeatureSchema
from serve.refusals import Code, Fault, Refusal
from serve.validation import FAULTS_MAX, _checked_row, parse_envelope, unpack_rows

SCHEMA = FeatureSchema(("INTERNET", "SEND_SMS", "READ_SMS", "Ljava/net/URL;->openConnection"))


def rows_of(instances: list[object], schema: FeatureSchema = SCHEMA) -> list[list[int]]:
    body = json.dumps({"model": "m", "instances": instances}).encode()
    packed = parse_envelope(body, 1024).pack(schema).data
    matrix = unpack_rows(packed, len(instances), len(schema))
    result: list[list[int]] = matrix.tolist()
    return result


def refusal_of_body(body: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        parse_envelope(body, 1024).pack(SCHEMA)
    return caught.value


def refusal_of_instance(instance: object) -> Refusal:
    return refusal_of_body(json.dumps({"model": "m", "instances": [instance]}).encode())


def pointers(refusal: Refusal) -> list[str]:
    return [fault.pointer for fault in refusal.faults]


def test_the_three_forms_of_an_instance_mean_the_same_row() -> None:
    names = ["SEND_SMS", "Ljava/net/URL;->openConnection"]
    values = {"SEND_SMS": 1, "INTERNET": 0, "Ljava/net/URL;->openConnection": 1}
    assert rows_of([names, values, [0, 1, 0, 1]]) == [[0, 1, 0, 1]] * 3


def test_a_permission_is_understood_by_its_full_name() -> None:
    assert rows_of([["android.permission.SEND_SMS"]]) == [[0, 1, 0, 0]]


def test_an_app_without_any_feature_is_a_row_of_zeros() -> None:
    assert rows_of([[], {}]) == [[0, 0, 0, 0]] * 2


def test_a_whole_number_written_with_a_point_is_the_same_number() -> None:
    assert rows_of([[1.0, 0.0, 1, 0]]) == [[1, 0, 1, 0]]


@pytest.mark.parametrize("value", [2, -1, 0.5, "1", None, True, False, 256, 10**30, [1], {}])
def test_a_value_other_than_zero_or_one_is_refused_where_it_stands(value: object) -> None:
    assert pointers(refusal_of_instance([0, 1, value, 0])) == ["/instances/0/2"]
    assert pointers(refusal_of_instance({"SEND_SMS": value})) == ["/instances/0/SEND_SMS"]


def test_a_dense_row_of_another_length_is_refused() -> None:
    refusal = refusal_of_instance([0, 1, 0])
    assert pointers(refusal) == ["/instances/0"]
    assert "exactly 4" in refusal.faults[0].detail


def test_an_unknown_feature_comes_with_a_suggestion() -> None:
    refusal = refusal_of_instance(["SEND_SMSS", "INTERNET"])
    assert pointers(refusal) == ["/instances/0/0"]
    assert 'did you mean "SEND_SMS"?' in refusal.faults[0].detail


def test_an_unknown_feature_like_no_other_points_to_the_list_of_models() -> None:
    assert "/v1/models" in refusal_of_instance(["zzzzzzzzzz"]).faults[0].detail


def test_a_name_twice_is_refused_in_whatever_spelling() -> None:
    refusal = refusal_of_instance(["SEND_SMS", "INTERNET", "android.permission.SEND_SMS"])
    assert pointers(refusal) == ["/instances/0/2"]
    refusal = refusal_of_instance({"SEND_SMS": 1, "android.permission.SEND_SMS": 1})
    assert pointers(refusal) == ["/instances/0/android.permission.SEND_SMS"]


def test_a_pointer_escapes_slash_and_tilde() -> None:
    assert pointers(refusal_of_instance({"Ljava/net~URL": 1})) == ["/instances/0/Ljava~1net~0URL"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"[]", ""),
        (b'"text"', ""),
        (b'{"instances": [[]]}', "/model"),
        (b'{"model": 1, "instances": [[]]}', "/model"),
        (b'{"model": "m"}', "/instances"),
        (b'{"model": "m", "instances": {}}', "/instances"),
        (b'{"model": "m", "instances": []}', "/instances"),
        (b'{"model": "m", "instances": ["SEND_SMS"]}', "/instances/0"),
        (b'{"model": "m", "version": 1, "instances": [[]]}', "/version"),
        (b'{"model": "m", "instances": [[]], "modle": 1}', "/modle"),
    ],
)
def test_a_wrong_shape_is_refused_where_it_is_wrong(body: bytes, pointer: str) -> None:
    refusal = refusal_of_body(body)
    assert refusal.code is Code.INVALID_REQUEST
    assert pointers(refusal) == [pointer]


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b'{"model": NaN}', b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    assert refusal_of_body(body).code is Code.INVALID_JSON


def test_more_instances_than_the_bound_are_refused() -> None:
    body = json.dumps({"model": "m", "instances": [[]] * 1025}).encode()
    assert pointers(refusal_of_body(body)) == ["/instances"]


def test_every_fault_is_listed_up_to_twenty() -> None:
    body = json.dumps({"model": "m", "instances": [["A"], [0, 2, 2, 0], {"SEND_SMS": 7}]}).encode()
    assert pointers(refusal_of_body(body)) == [
        "/instances/0/0",
        "/instances/1/1",
        "/instances/1/2",
        "/instances/2/SEND_SMS",
    ]
    many = json.dumps({"model": "m", "instances": [["A"]] * 50}).encode()
    assert len(refusal_of_body(many).faults) == FAULTS_MAX


def test_a_fault_shows_a_long_value_cut_short() -> None:
    assert len(refusal_of_instance(["x" * 100_000]).faults[0].detail) < 300


@given(
    st.integers(1, 300).flatmap(
        lambda features: st.lists(
            st.lists(st.sampled_from([0, 1]), min_size=features, max_size=features),
            min_size=1,
            max_size=5,
        )
    )
)
def test_dense_rows_survive_packing(rows: list[list[int]]) -> None:
    schema = FeatureSchema(tuple(f"f{position}" for position in range(len(rows[0]))))
    assert rows_of(list(rows), schema) == rows


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_json_value_breaks_the_validator(value: object) -> None:
    payloads = (value, {"model": "m", "instances": value}, {"model": "m", "instances": [value]})
    for payload in payloads:
        with contextlib.suppress(Refusal):
            envelope = parse_envelope(json.dumps(payload).encode(), 1024)
            assert len(envelope.pack(SCHEMA).data) == len(envelope.instances)


def test_a_packed_row_of_241_features_has_31_bytes() -> None:
    schema = FeatureSchema(tuple(f"f{position}" for position in range(241)))
    body = json.dumps({"model": "m", "instances": [[1] * 241]}).encode()
    packed = parse_envelope(body, 1024).pack(schema).data
    assert len(packed) == 31
    assert np.unpackbits(np.frombuffer(packed, np.uint8), count=241).all()


@pytest.mark.parametrize(
    ("said", "explain"), [({}, False), ({"explain": False}, False), ({"explain": True}, True)]
)
def test_explanations_are_asked_for_by_true(said: dict[str, bool], explain: bool) -> None:
    body = json.dumps({"model": "m", "instances": [[0, 1, 0, 0]], **said}).encode()
    assert parse_envelope(body, 1024).explain is explain


@pytest.mark.parametrize("value", [1, 0, "true", None, [], {}, 1.0])
def test_explain_is_true_or_false_and_nothing_else(value: object) -> None:
    body = json.dumps({"model": "m", "instances": [[]], "explain": value}).encode()
    assert pointers(refusal_of_body(body)) == ["/explain"]


@pytest.mark.parametrize("explain", [True, False])
def test_dense_rows_beside_explain_go_the_quick_way(explain: bool) -> None:
    body = json.dumps({"model": "m", "explain": explain, "instances": [[0, 1, 0, 1]]}).encode()
    envelope = parse_envelope(body, 1024)
    assert not envelope.has_booleans
    assert envelope.pack(SCHEMA).data == b"\x50"


@pytest.mark.parametrize("explain", [True, False])
@pytest.mark.parametrize("value", [True, False])
def test_booleans_in_instances_are_refused_beside_explain_too(explain: bool, value: bool) -> None:
    rows = [[0, 1, 0, 1], [0, 1, value, 0]]
    for fields in (
        {"explain": explain, "instances": rows},
        {"instances": rows, "explain": explain},
    ):
        body = json.dumps({"model": "m", **fields}).encode()
        assert pointers(refusal_of_body(body)) == ["/instances/1/2"]


def test_explain_said_twice_hides_no_boolean() -> None:
    body = b'{"model":"m","explain":true,"explain":1,"instances":[[0,1,true,0]]}'
    assert pointers(refusal_of_body(body)) == ["/explain"]
    body = b'{"model":"m","explain":1,"explain":false,"instances":[[0,1,true,0]]}'
    assert pointers(refusal_of_body(body)) == ["/instances/0/2"]


def test_a_name_with_true_in_it_is_a_name_beside_explain() -> None:
    schema = FeatureSchema(("is_true", "is_false"))
    body = b'{"model":"m","explain":true,"instances":[["is_true"],[0,1],{"is_false":1}]}'
    assert parse_envelope(body, 1024).pack(schema).data == b"\x80\x40\x40"


ITEMS = (
    st.sampled_from([*SCHEMA.names, "android.permission.SEND_SMS", "SEND_SMSS", ""])
    | st.sampled_from([0, 1, 1.0, 2, True, False, None])
    | st.just([])
)
INSTANCES = (
    st.lists(ITEMS, max_size=6)
    | st.lists(st.sampled_from(SCHEMA.names), unique=True)
    | st.lists(st.sampled_from([0, 1]), min_size=4, max_size=4)
    | st.dictionaries(st.sampled_from(SCHEMA.names), st.sampled_from([0, 1, 2]))
)


def looked_at_closely(instances: list[object]) -> tuple[list[bytes], list[Fault]]:
    """Each instance by the way of those that are not well-formed."""
    faults: list[Fault] = []
    rows = [
        bytes(_checked_row(instance, f"/instances/{position}", SCHEMA, faults))
        for position, instance in enumerate(instances)
    ]
    return rows, faults


@given(st.lists(INSTANCES, min_size=1, max_size=4))
def test_the_quick_ways_find_what_a_close_look_finds(instances: list[object]) -> None:
    rows, faults = looked_at_closely(instances)
    if faults:
        refusal = refusal_of_body(json.dumps({"model": "m", "instances": instances}).encode())
        assert list(refusal.faults) == faults[:FAULTS_MAX]
    else:
        assert [bytes(row) for row in rows_of(instances)] == rows


@pytest.mark.parametrize(
    ("instance", "pointer"),
    [
        (["SEND_SMS", "SEND_SMS"], "/instances/0/1"),
        (["android.permission.SEND_SMS", "SEND_SMS"], "/instances/0/1"),
        (["SEND_SMS", 1], "/instances/0"),
        (["SEND_SMS", 1, 0, 1], "/instances/0/0"),
        ([1, 0, "SEND_SMS", 1], "/instances/0/2"),
        (["SEND_SMS", None], "/instances/0"),
        (["SEND_SMS", []], "/instances/0"),
    ],
)
def test_a_list_of_names_with_something_else_in_it_is_refused(
    instance: list[object], pointer: str
) -> None:
    assert pointers(refusal_of_instance(instance)) == [pointer]
