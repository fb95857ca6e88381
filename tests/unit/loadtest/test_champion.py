"""Answers are checked with, and peers serve, the model that the product answers by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtest.champion import champion_file


def make_versions(folder: Path, *versions: str) -> None:
    for version in versions:
        (folder / version).mkdir()


def test_newest_version_is_the_champion_where_nothing_else_is_said(tmp_path: Path) -> None:
    make_versions(tmp_path, "1", "9", "10", ".partial")
    assert champion_file(tmp_path) == tmp_path / "10" / "model.txt"


def test_the_rollout_says_who_is_the_champion(tmp_path: Path) -> None:
    make_versions(tmp_path, "1", "2")
    (tmp_path / "rollout.json").write_text(json.dumps({"champion": "1"}))
    assert champion_file(tmp_path) == tmp_path / "1" / "model.txt"


def test_without_a_version_there_is_nothing_to_measure_with(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no version of the model"):
        champion_file(tmp_path)
