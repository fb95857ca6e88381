"""The synthetic apps: what is committed is what the generator makes, alike in every format."""

import csv
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from data.samples import APPS, EXAMPLES_FOLDER, FILES, NOTE, invent_apps
from data.schema import ANDROID_MALWARE_PATH, read_schema

SCHEMA = read_schema(ANDROID_MALWARE_PATH)
REQUESTS = ["names", "objects", "dense"]


def read(name: str) -> bytes:
    return (EXAMPLES_FOLDER / f"synthetic_apps.{name}").read_bytes()


# The writer's version stands in a Parquet file, so its content is compared instead.
@pytest.mark.parametrize("name", [name for name in FILES if not name.endswith(".parquet")])
def test_committed_file_is_what_the_generator_makes(name: str) -> None:
    _, render = FILES[name]
    assert render(invent_apps(SCHEMA), SCHEMA) == (EXAMPLES_FOLDER / name).read_bytes()


def test_apps_are_fifty_different_rows_of_the_schema() -> None:
    apps = invent_apps(SCHEMA)
    assert apps.shape == (APPS, len(SCHEMA))
    assert len(np.unique(apps, axis=0)) == APPS


def test_another_seed_makes_other_apps() -> None:
    assert (invent_apps(SCHEMA, seed=1) != invent_apps(SCHEMA, seed=2)).any()


@pytest.mark.parametrize("name", REQUESTS)
def test_request_bodies_mean_the_same_apps(name: str) -> None:
    instances = json.loads(read(f"{name}.json"))["instances"]
    rows = np.zeros((len(instances), len(SCHEMA)), dtype=np.uint8)
    for row, instance in zip(rows, instances, strict=True):
        if name == "dense":
            row[:] = instance
        else:
            row[[SCHEMA.column(feature) for feature in instance]] = 1
    assert_same(rows)


def test_table_as_csv_means_the_same_apps() -> None:
    head, *lines = csv.reader(io.StringIO(read("csv").decode()))
    assert head == list(SCHEMA.names)
    assert_same(np.array(lines, dtype=np.uint8))


def test_table_as_parquet_means_the_same_apps_and_says_what_it_is() -> None:
    table = pq.read_table(EXAMPLES_FOLDER / "synthetic_apps.parquet")
    assert table.column_names == list(SCHEMA.names)
    assert table.schema.metadata == {b"about": NOTE.encode()}
    assert_same(np.column_stack([column.to_numpy() for column in table.columns]))


def test_packed_bits_mean_the_same_apps() -> None:
    packed = np.frombuffer(read("bits"), dtype=np.uint8).reshape(APPS, -1)
    assert_same(np.unpackbits(packed, axis=1, count=len(SCHEMA)))


def assert_same(rows: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(rows, invent_apps(SCHEMA))
