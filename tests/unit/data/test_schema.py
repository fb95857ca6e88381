"""The feature schema: names in order, each once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.schema import ANDROID_MALWARE_PATH, FeatureSchema, read_schema


def test_committed_schema_has_241_features_in_the_order_of_the_source() -> None:
    schema = read_schema(ANDROID_MALWARE_PATH)
    assert len(schema) == 241
    assert schema.names[0] == "ACCESS_ALL_DOWNLOADS"
    assert schema.names[214] == "Ljava/lang/reflect/Method;->invoke"


def test_full_permission_name_is_the_same_column() -> None:
    schema = FeatureSchema(("INTERNET", "SEND_SMS"))
    assert schema.column("android.permission.SEND_SMS") == schema.column("SEND_SMS") == 1
    assert schema.column("SEND_MMS") is None


def test_order_changes_the_digest() -> None:
    assert FeatureSchema(("A", "B")).sha256 != FeatureSchema(("B", "A")).sha256


@pytest.mark.parametrize("names", [(), ("A", "A")])
def test_no_names_or_repeated_names_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="each name once"):
        FeatureSchema(names)


NAMES = ("INTERNET", "SEND_SMS", "READ_SMS")


@given(st.sets(st.sampled_from(NAMES)).flatmap(lambda names: st.permutations(sorted(names))))
def test_known_names_each_once_make_a_row_in_any_order(names: list[str]) -> None:
    row = FeatureSchema(NAMES).row_of(names)
    assert row == bytearray(name in names for name in NAMES)


@pytest.mark.parametrize(
    "names",
    [
        ["SEND_SMS", "SEND_SMS"],
        ["SEND_SMSS"],
        ["SEND_SMS", ""],
        ["android.permission.SEND_SMS"],  # known to `column`, which looks closer
        ["SEND_SMS", 1],
        [1, 0, 1],
        [True],
        [None],
        ["SEND_SMS", ["READ_SMS"]],
        [{}],
        [float("nan")],
    ],
)
def test_anything_else_is_no_row(names: list[object]) -> None:
    assert FeatureSchema(NAMES).row_of(names) is None


def test_a_row_is_a_new_one_each_time() -> None:
    schema = FeatureSchema(NAMES)
    first = schema.row_of([])
    assert first is not None
    first[0] = 1
    assert schema.row_of([]) == bytearray(3)
