"""The watch: what makes a new catalog, and that a fault keeps the old one and is told once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models.changing import promote, retire, roll_back
from models.errors import ManifestInvalid, ModelError
from models.manifest import MANIFEST_FILE
from models.rollout_file import ROLLOUT_FILE
from models.watching import CatalogWatch
from tests.support.publishable import publish_versions


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "registry"
    publish_versions(root, "1", "2")
    return root


def test_nothing_changed_gives_nothing(root: Path) -> None:
    watch = CatalogWatch(root)
    assert watch.catalog.find("tiny").version == "1"
    assert watch.poll() is None


def test_published_version_and_model_are_seen(root: Path) -> None:
    watch = CatalogWatch(root)
    publish_versions(root, "3")
    found = watch.poll()
    assert found is not None
    assert found.versions("tiny") == ("1", "2", "3")
    publish_versions(root, "1", name="other")
    found = watch.poll()
    assert found is not None
    assert found.names == ("other", "tiny")
    assert watch.poll() is None


def test_promotion_rollback_and_retirement_are_seen(root: Path) -> None:
    watch = CatalogWatch(root)
    promote(root, "tiny", "2")
    found = watch.poll()
    assert found is not None
    assert found.find("tiny").version == "2"
    roll_back(root, "tiny")
    found = watch.poll()
    assert found is not None
    assert found.find("tiny").version == "1"
    retire(root, "tiny", "2")
    found = watch.poll()
    assert found is not None
    assert [one.version for one in found.served] == ["1"]


def test_broken_new_version_is_told_once_and_keeps_back_nothing_else(root: Path) -> None:
    faults: list[ModelError] = []
    watch = CatalogWatch(root, faults.append)
    (root / "tiny" / "9").mkdir()
    (root / "tiny" / "9" / MANIFEST_FILE).write_text("{")
    assert watch.poll() is None
    assert watch.poll() is None
    assert [fault.code for fault in faults] == ["manifest_invalid"]
    promote(root, "tiny", "2")
    found = watch.poll()
    assert found is not None
    assert found.find("tiny").version == "2"
    assert found.versions("tiny") == ("1", "2")


def test_known_version_that_breaks_stays_as_it_was(root: Path) -> None:
    faults: list[ModelError] = []
    watch = CatalogWatch(root, faults.append)
    (root / "tiny" / "2" / MANIFEST_FILE).write_text("{")
    assert watch.poll() is None
    assert watch.catalog.find("tiny", "2").version == "2"
    assert len(faults) == 1


def test_broken_rollout_keeps_the_champion(root: Path) -> None:
    promote(root, "tiny", "2")
    faults: list[ModelError] = []
    watch = CatalogWatch(root, faults.append)
    (root / "tiny" / ROLLOUT_FILE).write_text("{")
    assert watch.poll() is None
    assert watch.catalog.find("tiny").version == "2"
    assert [fault.code for fault in faults] == ["rollout_invalid"]


def test_lost_folder_keeps_the_catalog_and_is_told_once(root: Path) -> None:
    faults: list[ModelError] = []
    watch = CatalogWatch(root, faults.append)
    kept = root.rename(root.with_name("away"))
    assert watch.poll() is None
    assert watch.poll() is None
    assert len(faults) == 1
    assert watch.catalog.find("tiny").version == "1"
    kept.rename(root)
    assert watch.poll() is None
    publish_versions(root, "3")
    assert watch.poll() is not None


def test_deleted_retired_version_leaves_the_catalog(root: Path) -> None:
    retire(root, "tiny", "2")
    watch = CatalogWatch(root)
    shutil.rmtree(root / "tiny" / "2")
    found = watch.poll()
    assert found is not None
    assert found.versions("tiny") == ("1",)


def test_watch_of_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid):
        CatalogWatch(tmp_path / "nowhere")
