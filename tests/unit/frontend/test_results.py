"""Files to download: one's own, for a while, and no others."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from frontend.results import ResultFiles

ANNA, BORIS = str(uuid.uuid4()), str(uuid.uuid4())


@pytest.fixture
def files(tmp_path: Path) -> ResultFiles:
    return ResultFiles(tmp_path, kept_seconds=100)


def test_a_file_is_found_by_its_account_alone(files: ResultFiles) -> None:
    files.place(ANNA, "result.csv").write_text("mine")
    found = files.find(ANNA, "result.csv")
    assert found is not None
    assert found.read_text() == "mine"
    assert files.find(BORIS, "result.csv") is None


@pytest.mark.parametrize("name", ["../secret", "a/b", "", ".hidden", "..", "x" * 200])
def test_no_name_leads_out_of_the_folder(files: ResultFiles, name: str) -> None:
    assert files.find(ANNA, name) is None
    with pytest.raises(ValueError, match="no name of a file"):
        files.place(ANNA, name)


def test_an_account_is_an_id_and_no_path(files: ResultFiles) -> None:
    assert files.find("../..", "result.csv") is None


def test_old_files_go(files: ResultFiles) -> None:
    old = files.place(ANNA, "old.csv")
    old.write_text("")
    os.utime(old, (1_000, 1_000))
    files.place(BORIS, "new.csv").write_text("")
    assert files.find(ANNA, "old.csv") is None
    assert files.find(BORIS, "new.csv") is not None
