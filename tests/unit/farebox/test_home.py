"""The folder of a running product, and its private files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from farebox.home import PROJECT_ROOT, Home, read_env_file, write_private


@pytest.fixture
def open_umask() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_a_private_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    write_private(path, "A=1\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "A=1\n"


@pytest.mark.usefixtures("open_umask")
def test_a_file_that_was_open_to_all_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "demo.env"
    path.write_text("old")
    path.chmod(0o666)
    write_private(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_draft_that_a_killed_process_left_is_not_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "demo.env"
    draft = tmp_path / "demo.env.new"
    draft.write_text("half")
    draft.chmod(0o666)
    write_private(path, "whole")
    assert path.read_text() == "whole"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_draft_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "demo.env.new").symlink_to(victim)
    write_private(tmp_path / "demo.env", "secret")
    assert victim.read_text() == "untouched"


def test_an_env_file_is_names_and_values(tmp_path: Path) -> None:
    path = tmp_path / "a.env"
    path.write_text("# a comment=1\nA=1\n B = two words \nURL=http://h/?a=b\n\nnonsense\nEMPTY=\n")
    assert read_env_file(path) == {"A": "1", "B": "two words", "URL": "http://h/?a=b", "EMPTY": ""}


def test_an_absent_env_file_has_no_names(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / "none.env") == {}


def test_the_folder_is_the_one_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAREBOX_HOME", str(tmp_path / "x"))
    assert Home.from_environment().root == tmp_path / "x"


def test_the_folder_is_in_the_checkout_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAREBOX_HOME", raising=False)
    assert Home.from_environment().root == PROJECT_ROOT / ".farebox"


def test_a_folder_is_made_once_and_again(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "b")
    home.create()
    home.create()
    assert home.logs.is_dir()


def test_two_folders_do_not_share_rays(tmp_path: Path) -> None:
    assert Home(tmp_path / "a").ray != Home(tmp_path / "b").ray
    assert Home(tmp_path / "a").ray == Home(tmp_path / "a").ray
