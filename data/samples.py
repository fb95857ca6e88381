"""Invents apps, and writes them in every accepted input format: `python -m data.samples`.

They are synthetic: features are drawn from frequencies made up here, never from rows of a data set.
They show formats and feed tests; nothing can be learnt from them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data.schema import ANDROID_MALWARE_PATH, FeatureSchema, read_schema

APPS = 50
SEED = 50
MODEL = "android-malware"
EXAMPLES_FOLDER = Path(__file__).parent / "examples"
NOTE = (
    "SYNTHETIC: invented apps with made-up frequencies of features, "
    "not rows of any data set (data/samples.py)"
)

Matrix: TypeAlias = NDArray[np.uint8]
Render: TypeAlias = Callable[[Matrix, FeatureSchema], bytes]


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of app: how often it has each of some features; any other one is rare."""

    about: str
    share: float
    frequencies: Mapping[str, float]


COMMON = {"INTERNET": 0.95, "ACCESS_NETWORK_STATE": 0.85, "WAKE_LOCK": 0.4, "VIBRATE": 0.35}
SORTS = (
    Sort(
        "game", 0.3, {**COMMON, "ACCESS_WIFI_STATE": 0.4, "BILLING": 0.3, "READ_PHONE_STATE": 0.2}
    ),
    Sort("camera", 0.2, {**COMMON, "CAMERA": 0.97, "FLASHLIGHT": 0.5, "RECORD_AUDIO": 0.4}),
    Sort("messenger", 0.2, {**COMMON, "READ_CONTACTS": 0.9, "CAMERA": 0.7, "RECEIVE_SMS": 0.3}),
    Sort(
        "navigator", 0.15, {**COMMON, "ACCESS_FINE_LOCATION": 0.97, "ACCESS_COARSE_LOCATION": 0.9}
    ),
    Sort(
        "sender of paid messages",
        0.15,
        {**COMMON, "SEND_SMS": 0.95, "RECEIVE_BOOT_COMPLETED": 0.8, "READ_PHONE_STATE": 0.9},
    ),
)
RARE = 0.01


def invent_apps(schema: FeatureSchema, apps: int = APPS, seed: int = SEED) -> Matrix:
    """Zeros and ones, (apps, features); the same seed gives the same apps on every machine."""
    random = Random(seed)  # noqa: S311 - not for secrets
    weights = [sort.share for sort in SORTS]
    rows = []
    for _ in range(apps):
        frequencies = random.choices(SORTS, weights)[0].frequencies
        rows.append([random.random() < frequencies.get(name, RARE) for name in schema.names])
    return np.array(rows, dtype=np.uint8)


def render_names(matrix: Matrix, schema: FeatureSchema) -> bytes:
    """A request whose instances are lists of the names that are present."""
    return _render_request([_present(row, schema) for row in matrix])


def render_objects(matrix: Matrix, schema: FeatureSchema) -> bytes:
    """A request whose instances are objects of name to 0 or 1; what is not named is 0."""
    return _render_request([dict.fromkeys(_present(row, schema), 1) for row in matrix])


def render_dense(matrix: Matrix, schema: FeatureSchema) -> bytes:
    """A request whose instances are lists of 241 zeros and ones."""
    assert matrix.shape[1] == len(schema)
    return _render_request(matrix.tolist())


def render_csv(matrix: Matrix, schema: FeatureSchema) -> bytes:
    """A table with the names as its head."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(schema.names)
    writer.writerows(matrix.tolist())
    return text.getvalue().encode()


def render_parquet(matrix: Matrix, schema: FeatureSchema) -> bytes:
    """A table with a column of bytes for each feature; its metadata say that it is synthetic."""
    columns = [pa.array(column, pa.uint8()) for column in matrix.T]
    table = pa.table(columns, names=list(schema.names))
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({"about": NOTE}), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def render_bits(matrix: Matrix, schema: FeatureSchema) -> bytes:
    """The body of `layout=bits`: one bit a feature, each row padded to whole bytes."""
    assert matrix.shape[1] == len(schema)
    return np.packbits(matrix, axis=1).tobytes()


def render_readme(_matrix: Matrix, _schema: FeatureSchema) -> bytes:
    """What the files are; a CSV table and packed bits cannot say it themselves."""
    lines = [
        f"# {APPS} synthetic apps",
        "",
        f"{NOTE[0]}{NOTE[1:].lower()}.",
        "Every file holds the same apps in the same order; `python -m data.samples` writes them.",
        "",
        "| file | format |",
        "|---|---|",
        *(f"| `{name}` | {about} |" for name, (about, _) in FILES.items() if about),
        "",
        "`android_malware.json` holds a few apps invented by hand, each with a title.",
    ]
    return ("\n".join(lines) + "\n").encode()


FILES: dict[str, tuple[str, Render]] = {
    "synthetic_apps.names.json": ("a request body: names of what is present", render_names),
    "synthetic_apps.objects.json": ("a request body: objects of name to 1", render_objects),
    "synthetic_apps.dense.json": ("a request body: all values in the schema's order", render_dense),
    "synthetic_apps.csv": ("a table, names in the first line", render_csv),
    "synthetic_apps.parquet": ("the same table as Parquet", render_parquet),
    "synthetic_apps.bits": ("packed bits, `application/octet-stream; layout=bits`", render_bits),
    "README.md": ("", render_readme),
}


def write_samples(folder: Path = EXAMPLES_FOLDER) -> list[Path]:
    """Write every file; gives their paths."""
    schema = read_schema(ANDROID_MALWARE_PATH)
    matrix = invent_apps(schema)
    paths = []
    for name, (_, render) in FILES.items():
        path = folder / name
        path.write_bytes(render(matrix, schema))
        paths.append(path)
    return paths


def _present(row: NDArray[np.uint8], schema: FeatureSchema) -> list[str]:
    return [schema.names[column] for column in np.flatnonzero(row)]


def _render_request(instances: list[list[str]] | list[dict[str, int]] | list[list[int]]) -> bytes:
    """One instance a line, so that a difference can be read."""
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in instances)
    return f'{{"model": "{MODEL}", "instances": [\n{lines}\n]}}\n'.encode()


if __name__ == "__main__":
    write_samples()
