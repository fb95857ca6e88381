"""The feature schema: names in order, each once."""

import pytest

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
