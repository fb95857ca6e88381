"""The catalog: order of versions, what is found, what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from models.errors import (
    ManifestInvalid,
    ModelError,
    RolloutInvalid,
    UnknownModel,
    UnknownVersion,
    VersionRetired,
)
from models.manifest import MANIFEST_FILE, write_manifest
from models.registry import ARTIFACTS_ROOT, artifact_folder, read_catalog
from models.rollout import Rollout
from models.rollout_file import ROLLOUT_FILE, write_rollout
from tests.support.fragile_model import describe


def place(root: Path, name: str, version: str) -> None:
    folder = artifact_folder(root, name, version)
    folder.mkdir(parents=True)
    manifest = describe(b"").model_copy(update={"name": name, "version": version})
    write_manifest(manifest, folder / MANIFEST_FILE)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, version in [("fox", "9"), ("fox", "10"), ("fox", "1"), ("ant", "2")]:
        place(tmp_path, name, version)
    return tmp_path


def test_versions_are_ordered_by_number(root: Path) -> None:
    found = [(one.name, one.version) for one in read_catalog(root).manifests]
    assert found == [("ant", "2"), ("fox", "1"), ("fox", "9"), ("fox", "10")]


def test_no_version_means_the_newest(root: Path) -> None:
    assert read_catalog(root).find("fox").version == "10"


def test_version_is_found_by_its_name(root: Path) -> None:
    assert read_catalog(root).find("fox", "9").version == "9"


def test_unknown_model_names_what_exists(root: Path) -> None:
    with pytest.raises(UnknownModel, match="ant, fox") as refusal:
        read_catalog(root).find("elk")
    assert refusal.value.code == "unknown_model"


def test_unknown_version_names_what_exists(root: Path) -> None:
    with pytest.raises(UnknownVersion, match="1, 9, 10") as refusal:
        read_catalog(root).find("fox", "09")
    assert refusal.value.code == "unknown_version"


def test_no_version_means_the_champion(root: Path) -> None:
    write_rollout(root / "fox", Rollout(champion="9"))
    catalog = read_catalog(root)
    assert catalog.find("fox").version == "9"
    assert catalog.find("fox", "10").version == "10"
    assert catalog.rollout("ant") == Rollout(champion="2")


def test_retired_version_is_refused_and_can_still_be_looked_up(root: Path) -> None:
    write_rollout(root / "fox", Rollout(champion="10", retired=("9",)))
    catalog = read_catalog(root)
    with pytest.raises(VersionRetired, match=r"retired; there is: 1, 10") as refusal:
        catalog.find("fox", "9")
    assert refusal.value.code == "version_retired"
    assert catalog.look_up("fox", "9").version == "9"
    assert [one.version for one in catalog.served] == ["2", "1", "10"]
    for name, version, error in [("elk", "1", UnknownModel), ("fox", "8", UnknownVersion)]:
        with pytest.raises(error):
            catalog.look_up(name, version)


def test_unreadable_rollout_is_refused(root: Path) -> None:
    (root / "fox" / ROLLOUT_FILE).write_text("{}")
    with pytest.raises(RolloutInvalid, match="champion"):
        read_catalog(root)


def test_manifest_in_the_wrong_place_is_refused(root: Path) -> None:
    (root / "fox" / "9").rename(root / "fox" / "8")
    with pytest.raises(ManifestInvalid, match="fox 9"):
        read_catalog(root)


def test_version_without_a_manifest_is_refused(root: Path) -> None:
    (root / "fox" / "11").mkdir()
    with pytest.raises(ManifestInvalid, match=r"11.*manifest\.json"):
        read_catalog(root)


def test_hidden_folders_are_skipped(root: Path) -> None:
    (root / "fox" / ".unfinished").mkdir()
    assert len(read_catalog(root).manifests) == 4


def test_missing_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid, match="not a folder"):
        read_catalog(tmp_path / "nowhere")


def test_errors_keep_their_arguments_through_pickle() -> None:
    import pickle

    errors: list[ModelError] = [
        UnknownModel("elk", ("ant",)),
        UnknownVersion("fox", "3", ("1",)),
        VersionRetired("fox", "3", ("1",)),
        ManifestInvalid("why"),
    ]
    for error in errors:
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_reading_the_catalog_imports_neither_lightgbm_nor_pandas_nor_sklearn() -> None:
    program = (
        "import json, sys; from models.registry import read_catalog; read_catalog();"
        "print(json.dumps(sorted({'lightgbm', 'pandas', 'sklearn'} & set(sys.modules))))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(run.stdout) == []


def test_committed_catalog_holds_the_android_malware_model() -> None:
    manifest = read_catalog(ARTIFACTS_ROOT).find("android-malware")
    assert len(manifest.features) == 241
    assert manifest.labels.positive == "malware"
