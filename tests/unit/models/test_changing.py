"""Steps on the folder itself: what they check before, and what stays where they are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.changing import (
    end_canary,
    end_shadow,
    promote,
    restore,
    retire,
    roll_back,
    start_canary,
    start_shadow,
)
from models.errors import (
    ArtifactMismatch,
    RolloutRefused,
    UnknownModel,
    UnknownVersion,
    VersionRetired,
)
from models.registry import read_catalog
from models.rollout_file import ROLLOUT_FILE
from tests.support.publishable import publish_versions


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "registry"
    publish_versions(root, "1", "2", "3")
    return root


def damage(root: Path, version: str) -> None:
    path = root / "tiny" / version / "model.txt"
    path.write_bytes(path.read_bytes() + b"\n")


def test_whole_life_of_a_challenger(root: Path) -> None:
    start_shadow(root, "tiny", "2")
    start_canary(root, "tiny", "2", 10)
    assert end_shadow(root, "tiny").canary_percent == 10
    start_canary(root, "tiny", "2", 50)
    assert promote(root, "tiny", "2").challenger is None
    assert roll_back(root, "tiny").champion == "1"
    retire(root, "tiny", "2")
    with pytest.raises(VersionRetired, match="1, 3"):
        read_catalog(root).find("tiny", "2")
    restore(root, "tiny", "2")
    assert read_catalog(root).find("tiny", "2").version == "2"
    steps = [change.step for change in read_catalog(root).rollout("tiny").history]
    assert steps == [
        "first",
        "shadow",
        "canary",
        "end_trial",
        "canary",
        "promote",
        "rollback",
        "retire",
        "restore",
    ]


def test_ending_what_never_began_changes_nothing(root: Path) -> None:
    before = (root / "tiny" / ROLLOUT_FILE).stat().st_ino
    end_canary(root, "tiny")
    end_shadow(root, "tiny")
    assert (root / "tiny" / ROLLOUT_FILE).stat().st_ino == before


def test_damaged_version_can_be_neither_promoted_nor_tried(root: Path) -> None:
    damage(root, "2")
    for step in (
        lambda: promote(root, "tiny", "2"),
        lambda: start_canary(root, "tiny", "2", 1),
        lambda: start_shadow(root, "tiny", "2"),
    ):
        with pytest.raises(ArtifactMismatch):
            step()
    assert read_catalog(root).rollout("tiny").in_use == {"1"}


def test_damaged_former_champion_does_not_come_back(root: Path) -> None:
    promote(root, "tiny", "2")
    damage(root, "1")
    with pytest.raises(ArtifactMismatch):
        roll_back(root, "tiny")
    assert read_catalog(root).rollout("tiny").champion == "2"


def test_damaged_champion_can_be_left(root: Path) -> None:
    promote(root, "tiny", "2")
    damage(root, "2")
    (root / "tiny" / "9").mkdir()
    assert roll_back(root, "tiny").champion == "1"


def test_unknown_names_are_refused(root: Path) -> None:
    with pytest.raises(UnknownModel):
        roll_back(root, "elk")
    for step in (promote, retire, restore, start_shadow):
        with pytest.raises(UnknownVersion):
            step(root, "tiny", "9")
    with pytest.raises(UnknownVersion):
        promote(root, "tiny", "../tiny/1")


def test_champion_and_version_on_trial_are_not_retired(root: Path) -> None:
    start_canary(root, "tiny", "2", 5)
    for version in ("1", "2"):
        with pytest.raises(RolloutRefused):
            retire(root, "tiny", version)
    retire(root, "tiny", "3")
    assert [one.version for one in read_catalog(root).served] == ["1", "2"]
