"""Files of many apps: every accepted shape means the same, and every fault has its line."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from data.schema import ANDROID_MALWARE_PATH, read_schema
from frontend.pages.many import faults as limits
from frontend.pages.many.faults import FaultKind, FileRefused
from frontend.pages.many.uploads import Form, Upload, read_upload

NAMES = read_schema(ANDROID_MALWARE_PATH).names
EXAMPLES = Path("data/examples")
SMALL = ("CAMERA", "INTERNET", "Landroid/telephony/SmsManager;->sendTextMessage")


def read(path: Path, features: tuple[str, ...] = SMALL, rows_max: int = 1000) -> Upload:
    return read_upload(path, features, rows_max=rows_max, bytes_max=1_000_000)


def read_text(tmp_path: Path, text: str | bytes, rows_max: int = 1000) -> Upload:
    path = tmp_path / "apps.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path, rows_max=rows_max)


def read_table(tmp_path: Path, **columns: object) -> Upload:
    path = tmp_path / "apps.parquet"
    parquet.write_table(pa.table(columns), path)
    return read(path)


def values(upload: Upload) -> list[list[int]]:
    unpacked: list[list[int]] = np.unpackbits(upload.packed, axis=1)[:, : len(SMALL)].tolist()
    return unpacked


def faults(upload: Upload) -> list[tuple[int, str, str, str]]:
    return [(each.line, each.column, each.found, each.kind) for each in upload.faults]


@pytest.mark.parametrize("name", ["csv", "parquet", "names.json", "objects.json", "dense.json"])
def test_the_examples_mean_the_same_in_every_form(name: str) -> None:
    upload = read(EXAMPLES / f"synthetic_apps.{name}", NAMES)
    assert upload.packed.tobytes() == (EXAMPLES / "synthetic_apps.bits").read_bytes()
    assert upload.good.all()
    assert upload.faults_total == 0


@pytest.mark.parametrize("name", ["many-example.csv", "many-example-names.csv"])
def test_the_files_to_download_are_without_a_fault_and_mean_the_same(name: str) -> None:
    upload = read(Path("frontend/static") / name, NAMES)
    bits = (EXAMPLES / "synthetic_apps.bits").read_bytes()
    assert upload.packed.tobytes() == bits[: upload.packed.size]
    assert (upload.faults_total, upload.suggestions) == (0, ())
    assert not upload.columns or not upload.columns.missing


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_marks_and_line_ends_are_told(
    tmp_path: Path, delimiter: str, start: str, end: str
) -> None:
    rows = [["INTERNET", "name", "CAMERA"], ["1", "a", "0"], ["0", "b", "1"]]
    text = start + "".join(delimiter.join(row) + end for row in rows)
    upload = read_text(tmp_path, text)
    assert values(upload) == [[0, 1, 0], [1, 0, 0]]
    assert upload.kept.to_pydict() == {"name": ["a", "b"]}
    assert upload.lines.tolist() == [2, 3]


def test_values_are_understood_as_people_write_them(tmp_path: Path) -> None:
    upload = read_text(tmp_path, "CAMERA,INTERNET\ntrue,False\n1.0,0.0\nTRUE,\n 1 ,0\n")
    assert values(upload) == [[1, 0, 0]] * 4
    assert upload.faults_total == 0


def test_each_fault_has_the_line_of_the_file(tmp_path: Path) -> None:
    text = 'id,CAMERA,INTERNET\n"a\nb",1,0\n\nx,2,yes\ny,1\nz,0,0,0\nlast,1,-1\n'
    upload = read_text(tmp_path, text)
    assert faults(upload) == [
        (5, "CAMERA", "2", FaultKind.VALUE),
        (5, "INTERNET", "yes", FaultKind.VALUE),
        (6, "", "y,1", FaultKind.CELLS),
        (7, "", "z,0,0,0", FaultKind.CELLS),
        (8, "INTERNET", "-1", FaultKind.VALUE),
    ]
    assert upload.lines.tolist() == [2, 5, 6, 7, 8]
    assert upload.good.tolist() == [True, False, False, False, False]
    assert upload.kept.to_pydict() == {"id": ["a\nb", "x", "", "", "last"]}
    assert upload.blank_rows == 1


def test_lines_stay_right_over_batches(tmp_path: Path) -> None:
    many = 200_000  # more bytes than are read at a time
    rows = ["1,0"] * many
    rows[150_000] = "7,0"
    path = tmp_path / "apps.csv"
    path.write_text("CAMERA,INTERNET\n" + "\n".join(rows) + "\n")
    upload = read_upload(path, SMALL, rows_max=many, bytes_max=10_000_000)
    assert faults(upload) == [(150_002, "CAMERA", "7", FaultKind.VALUE)]
    assert upload.rows == many


def test_columns_that_are_no_feature_are_kept_or_told_with_what_was_meant(tmp_path: Path) -> None:
    upload = read_text(tmp_path, "title,CAMERA,sha256,INTERNETT,zzz\nx,1,ff,1,3\n")
    assert upload.kept.column_names == ["title", "sha256"]
    assert upload.suggestions == (("INTERNETT", "INTERNET"), ("zzz", ""))
    assert upload.columns
    assert upload.columns.missing == SMALL[1:]
    assert upload.good.all()


def test_a_misspelled_feature_in_front_is_no_id(tmp_path: Path) -> None:
    upload = read_text(tmp_path, "INTERNETT,CAMERA\n1,1\n0,0\n")
    assert upload.suggestions == (("INTERNETT", "INTERNET"),)
    assert upload.kept.num_columns == 0


def test_a_first_column_without_a_name_is_kept(tmp_path: Path) -> None:
    upload = read_text(tmp_path, ",CAMERA\n0,1\n1,1\n")
    assert upload.kept.to_pydict() == {"(1)": ["0", "1"]}


@pytest.mark.parametrize(
    "text",
    [
        "app;features\na;CAMERA android.permission.INTERNET\n",
        f"features\nCAMERA;{SMALL[2]}\n",
        "features\nCAMERA, INTERNET\n",
        'app,features\na,"CAMERA;INTERNET"\n',
    ],
)
def test_a_column_may_name_the_features(tmp_path: Path, text: str) -> None:
    upload = read_text(tmp_path, text)
    assert values(upload)[0][0] == 1
    assert sum(values(upload)[0]) == 2
    assert upload.faults_total == 0


def test_unknown_names_are_faults_of_their_row(tmp_path: Path) -> None:
    upload = read_text(tmp_path, "app,features\na,CAMRA INTERNET\nb,CAMERA\n")
    assert faults(upload) == [(2, "features", "CAMRA", FaultKind.NAME)]
    assert upload.faults[0].hint == "CAMERA"
    assert upload.good.tolist() == [False, True]


def test_features_are_known_with_the_prefix_of_permissions(tmp_path: Path) -> None:
    assert values(read_text(tmp_path, "android.permission.CAMERA\n1\n")) == [[1, 0, 0]]


def test_parquet_may_have_any_type_of_zeros_and_ones(tmp_path: Path) -> None:
    upload = read_table(
        tmp_path,
        app=["a", "b", "c"],
        CAMERA=[True, None, False],
        INTERNET=[1.0, 2.0, float("nan")],
        **{SMALL[2]: ["1", "", None]},
    )
    assert faults(upload) == [(2, "INTERNET", "2.0", FaultKind.VALUE)]
    assert values(upload) == [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert upload.form is Form.PARQUET


def test_parquet_with_other_things_in_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="column_type"):
        read_table(tmp_path, CAMERA=[[1], [2]])


def test_json_faults_are_counted_by_app(tmp_path: Path) -> None:
    rows = [["CAMERA"], ["NOPE"], {"CAMERA": 3}, [1, 0], [1, 0, 5], 7, {"INTERNET": True}]
    upload = read_text(tmp_path, json.dumps({"instances": rows}))
    assert [(each.line, each.kind) for each in upload.faults] == [
        (2, FaultKind.NAME),
        (3, FaultKind.VALUE),
        (4, FaultKind.CELLS),
        (5, FaultKind.VALUE),
        (6, FaultKind.SHAPE),
    ]
    assert upload.good.tolist() == [True, False, False, False, False, False, True]


def test_more_faults_than_are_listed_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LISTED_MAX", 3)
    monkeypatch.setattr("frontend.pages.many.collector.LISTED_MAX", 3)
    upload = read_text(tmp_path, "CAMERA,INTERNET\n" + "5,6\n" * 10)
    assert (len(upload.faults), upload.faults_total) == (3, 20)
    assert not upload.good.any()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"CAMERA,INTERNET\n", "no_rows"),
        (b"\n1,0\n", "no_head"),
        (b"alpha,beta\n1,0\n", "no_features"),
        (b"CAMERA,CAMERA\n1,0\n", "column_twice"),
        (b"PK\x03\x04rest", "other_type"),
        (b"\x00\x01\x02", "other_type"),
        (b"PAR1 and no more", "unreadable"),
        (b'{"instances": [', "unreadable"),
        (b'{"model": "m"}', "no_instances"),
        (b"CAMERA\n" + b"1\n" * 11, "too_many_rows"),
        (b"CAMERA,INTERNET\n" + b"1\n" * 11, "too_many_rows"),
        (json.dumps({"instances": [[]] * 11}).encode(), "too_many_rows"),
        (b"CAMERA\n" + b"1" * 1_000_000, "too_large"),
        ("id,CAMERA\nя,1\n".encode("cp1251"), "not_utf8"),
        ("CAMERA\n1\n".encode("utf-16"), "not_utf8"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_own_reason(
    tmp_path: Path, content: bytes, code: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        read_text(tmp_path, content, rows_max=10)
    assert refused.value.code == code


def test_the_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        read_text(tmp_path, b"id,CAMERA\na,1\n\xff\xfe,1\n")
    assert refused.value.values == {"line": 3}
