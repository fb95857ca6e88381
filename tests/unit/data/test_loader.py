"""Loading the data set: which bytes are accepted and what they become."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from data import source
from data.errors import DatasetMismatch, DatasetNotFound
from data.loader import load_dataset, parse_dataset
from data.schema import ANDROID_MALWARE_PATH, read_schema
from tests.support.datasets import find_real_file, load_real_dataset

HEADER = ",".join([*read_schema(ANDROID_MALWARE_PATH).names, "Label"])
GOODWARE, MALWARE, EMPTY = "0," * 241 + "0", "1," * 241 + "1.0", "," * 241


def invent_file(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()


def test_empty_row_is_dropped() -> None:
    dataset = parse_dataset(invent_file(GOODWARE, EMPTY, MALWARE))
    assert dataset.matrix.shape == (2, 241)
    assert dataset.labels.tolist() == [0, 1]


def test_matrix_is_uint8_and_cannot_be_changed() -> None:
    dataset = parse_dataset(invent_file(GOODWARE, MALWARE))
    assert dataset.matrix.dtype == dataset.labels.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        dataset.matrix[0, 0] = 1


def test_value_that_is_neither_0_nor_1_is_refused() -> None:
    with pytest.raises(DatasetMismatch, match="neither 0 nor 1"):
        parse_dataset(invent_file(GOODWARE, "2" + MALWARE[1:]))


def test_other_columns_are_refused() -> None:
    swapped = invent_file(GOODWARE).replace(b"SEND_SMS,", b"SEND_MMS,")
    with pytest.raises(DatasetMismatch, match="columns"):
        parse_dataset(swapped)


def test_line_endings_are_normalised_before_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = invent_file(GOODWARE, MALWARE)
    monkeypatch.setattr(source, "SHA256", hashlib.sha256(content).hexdigest())
    windows = tmp_path / "windows.csv"
    windows.write_bytes(content.replace(b"\n", b"\r\n"))
    assert load_dataset(windows).labels.tolist() == [0, 1]


def test_wrong_checksum_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_bytes(invent_file(GOODWARE, MALWARE))
    with pytest.raises(DatasetMismatch, match=source.SHA256):
        load_dataset(other)


def test_configured_path_is_the_only_place_looked_at(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFound, match=r"nowhere\.csv"):
        load_dataset(tmp_path / "nowhere.csv")


def test_failed_download_says_where_to_put_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(url: str) -> bytes:
        raise OSError("no route to host")

    monkeypatch.setattr(source, "KNOWN_FOLDERS", (tmp_path,))
    monkeypatch.setattr(source, "_fetch_archived", refuse)
    with pytest.raises(DatasetNotFound, match=r"Put it into .*raw.* no route to host"):
        load_dataset()


def test_download_is_kept_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = invent_file(GOODWARE)
    monkeypatch.setattr(source, "SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(source, "KNOWN_FOLDERS", (tmp_path,))
    monkeypatch.setattr(source, "RAW_FOLDER", tmp_path)
    monkeypatch.setattr(source, "_fetch_archived", lambda url: content)
    assert len(load_dataset().labels) == 1
    assert (tmp_path / source.FILE_NAME).read_bytes() == content


def test_real_data_set_has_4464_rows_of_241_features() -> None:
    dataset = load_real_dataset()
    assert dataset.matrix.shape == (4464, 241)
    assert int(dataset.labels.sum()) == 3565
    assert len(np.unique(dataset.matrix, axis=0)) == 660


def test_real_file_with_one_flipped_byte_is_refused(tmp_path: Path) -> None:
    content = bytearray(find_real_file().read_bytes())
    content[-2] ^= 1
    flipped = tmp_path / "flipped.csv"
    flipped.write_bytes(content)
    with pytest.raises(DatasetMismatch):
        load_dataset(flipped)
