"""The committed examples: each app means the same in every format."""

import json

import pytest

from data.schema import ANDROID_MALWARE_PATH, read_schema
from tests.support.examples import EXAMPLES_PATH, Example, read_examples

SCHEMA = read_schema(ANDROID_MALWARE_PATH)


def test_examples_say_that_they_are_synthetic() -> None:
    assert json.loads(EXAMPLES_PATH.read_text())["synthetic"] is True


@pytest.mark.parametrize("example", read_examples(), ids=lambda example: example.title)
def test_formats_of_an_example_mean_the_same_row(example: Example) -> None:
    present = {SCHEMA.column(name) for name in example.names}
    assert None not in present
    assert example.dense == [int(column in present) for column in range(len(SCHEMA))]
    assert {name for name, value in example.object.items() if value} == set(example.names)
    assert all(SCHEMA.column(name) is not None for name in example.object)
