"""Publishing: what is refused, that it is whole or nothing, and who answers afterwards."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.checking import verify
from models.errors import ArtifactMismatch, ManifestInvalid, ModelError, PublishRefused
from models.golden import GOLDEN_FILE
from models.manifest import MANIFEST_FILE, read_manifest, write_manifest
from models.publishing import publish
from models.registry import ARTIFACTS_ROOT, read_catalog
from models.rollout_file import ROLLOUT_FILE
from models.sealing import describe_file
from tests.support.publishable import NOW, publish_versions, write_onnx_source, write_source

MODEL = "model.txt"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "registry"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "drafts")


def edit_manifest(source: Path, **changes: Any) -> None:
    manifest = read_manifest(source / MANIFEST_FILE)
    write_manifest(manifest.model_copy(update=changes), source / MANIFEST_FILE)


def edit_golden(source: Path, **changes: Any) -> None:
    """Change the golden answers and seal them with the right checksum."""
    content = json.loads((source / GOLDEN_FILE).read_text()) | changes
    (source / GOLDEN_FILE).write_text(json.dumps(content))
    edit_manifest(source, golden=describe_file(GOLDEN_FILE, (source / GOLDEN_FILE).read_bytes()))


def test_first_version_becomes_the_champion_and_the_next_waits(root: Path) -> None:
    publish_versions(root, "1", "2")
    catalog = read_catalog(root)
    assert catalog.versions("tiny") == ("1", "2")
    assert catalog.rollout("tiny").champion == "1"


def test_version_beside_models_without_a_rollout_takes_nobodys_place(
    root: Path, tmp_path: Path
) -> None:
    publish_versions(root, "1", "3")
    (root / "tiny" / ROLLOUT_FILE).unlink()
    assert read_catalog(root).rollout("tiny").champion == "3"
    publish(root, write_source(tmp_path / "drafts", "4"))
    assert read_catalog(root).rollout("tiny").champion == "3"


def test_committed_version_can_be_published_elsewhere(root: Path) -> None:
    manifest = publish(root, ARTIFACTS_ROOT / "android-malware" / "1")
    names = {path.name for path in (root / "android-malware" / "1").iterdir()}
    assert names >= {MODEL, GOLDEN_FILE, MANIFEST_FILE, "card.md"}
    assert read_catalog(root).find("android-malware") == manifest


def test_same_version_with_the_same_bytes_again_is_no_fault(root: Path, source: Path) -> None:
    assert publish(root, source) == publish(root, source)
    assert read_catalog(root).versions("tiny") == ("1",)


def test_same_version_with_other_bytes_is_refused_and_the_published_one_stays(
    root: Path, source: Path
) -> None:
    publish(root, source)
    edit_manifest(
        source,
        labels=read_manifest(source / MANIFEST_FILE).labels.model_copy(
            update={"positive": "other"}
        ),
    )
    with pytest.raises(PublishRefused, match=r"version 1 of tiny exists"):
        publish(root, source)
    assert read_catalog(root).find("tiny").labels.positive == "yes"


def test_other_files_of_the_source_stay_behind(root: Path, source: Path) -> None:
    (source / "notes.txt").write_text("mine")
    publish(root, source)
    assert not (root / "tiny" / "1" / "notes.txt").exists()


def test_other_files_that_the_manifest_names_come_along_checked(root: Path, source: Path) -> None:
    (source / "reference.json").write_text("{}")
    edit_manifest(source, files={"reference": describe_file("reference.json", b"{}")})
    publish(root, source)
    assert (root / "tiny" / "1" / "reference.json").read_text() == "{}"
    (source / "reference.json").write_text("{ }")
    with pytest.raises(ArtifactMismatch, match=r"reference\.json"):
        publish(root, source)


def flip_a_byte(source: Path) -> None:
    content = bytearray((source / MODEL).read_bytes())
    content[len(content) // 2] ^= 1
    (source / MODEL).write_bytes(content)


def truncate_model(source: Path) -> None:
    (source / MODEL).write_bytes((source / MODEL).read_bytes()[:-40])


def truncate_manifest(source: Path) -> None:
    (source / MANIFEST_FILE).write_bytes((source / MANIFEST_FILE).read_bytes()[:-40])


def truncate_golden(source: Path) -> None:
    (source / GOLDEN_FILE).write_bytes((source / GOLDEN_FILE).read_bytes()[:-4])


def truncate_sealed_golden(source: Path) -> None:
    truncate_golden(source)
    content = (source / GOLDEN_FILE).read_bytes()
    edit_manifest(source, golden=describe_file(GOLDEN_FILE, content))


def truncate_sealed_model(source: Path) -> None:
    content = (source / MODEL).read_bytes()[:200]
    (source / MODEL).write_bytes(content)
    edit_manifest(source, artifact=describe_file(MODEL, content))


def put_pickle_in_place(source: Path) -> None:
    content = pickle.dumps({"model": "run me"})
    (source / MODEL).write_bytes(content)
    edit_manifest(source, artifact=describe_file(MODEL, content))


def put_pickle_in_place_as_onnx(source: Path) -> None:
    content = pickle.dumps({"model": "run me"})
    (source / "model.onnx").write_bytes(content)
    edit_manifest(source, kind="onnx", artifact=describe_file("model.onnx", content))


def remove_golden(source: Path) -> None:
    edit_manifest(source, golden=None)


def answer_otherwise(source: Path) -> None:
    edit_golden(source, probabilities=[0.73, 0.27, 0.27])


def answer_too_few(source: Path) -> None:
    edit_golden(source, probabilities=[0.7310585786300049])


def ask_unknown_feature(source: Path) -> None:
    edit_golden(source, instances=[["CAMERA"], [], []])


def ask_row_of_another_width(source: Path) -> None:
    edit_golden(source, instances=[[0, 1], [], []])


def ask_what_fails(source: Path) -> None:
    edit_golden(source, instances=[["POISON"], [], []])


def ask_nothing(source: Path) -> None:
    edit_golden(source, instances=[], probabilities=[])


def rename_feature(source: Path) -> None:
    manifest = read_manifest(source / MANIFEST_FILE)
    content = json.loads((source / MANIFEST_FILE).read_text())
    content["features"] = [*manifest.features[:2], "CAMERA"]
    (source / MANIFEST_FILE).write_text(json.dumps(content))


def name_a_file_twice(source: Path) -> None:
    content = (source / MODEL).read_bytes()
    edit_manifest(source, files={"reference": describe_file(MODEL, content)})


def leave_the_folder(source: Path) -> None:
    content = json.loads((source / MANIFEST_FILE).read_text())
    content["name"] = "../tiny"
    (source / MANIFEST_FILE).write_text(json.dumps(content))


FAULTS: dict[Callable[[Path], None], tuple[type[ModelError], str]] = {
    flip_a_byte: (ArtifactMismatch, "sha256"),
    truncate_model: (ArtifactMismatch, "sha256"),
    truncate_manifest: (ManifestInvalid, "EOF"),
    truncate_golden: (ArtifactMismatch, "sha256"),
    truncate_sealed_golden: (ManifestInvalid, "golden"),
    truncate_sealed_model: (ArtifactMismatch, "LightGBM"),
    put_pickle_in_place: (ArtifactMismatch, "not a LightGBM model"),
    put_pickle_in_place_as_onnx: (ArtifactMismatch, "not a model in ONNX"),
    remove_golden: (PublishRefused, "no golden answers"),
    answer_otherwise: (PublishRefused, "3 of 3 golden inputs are answered otherwise"),
    answer_too_few: (PublishRefused, "3 golden inputs have 1 expected"),
    ask_unknown_feature: (PublishRefused, "no feature 'CAMERA'"),
    ask_row_of_another_width: (PublishRefused, "2 values for 3 features"),
    ask_what_fails: (PublishRefused, "fails on its golden inputs"),
    ask_nothing: (ManifestInvalid, "instances"),
    rename_feature: (ManifestInvalid, "features_sha256"),
    name_a_file_twice: (ManifestInvalid, "same name"),
    leave_the_folder: (ManifestInvalid, "name"),
}


@pytest.mark.parametrize("damage", list(FAULTS), ids=lambda damage: damage.__name__)
def test_unfit_folder_is_refused_and_leaves_nothing_behind(
    root: Path, source: Path, damage: Callable[[Path], None]
) -> None:
    error, message = FAULTS[damage]
    damage(source)
    with pytest.raises(error, match=message):
        publish(root, source)
    assert list(root.iterdir()) == []


def test_what_a_crash_left_behind_is_swept_and_was_never_seen(root: Path, source: Path) -> None:
    root.mkdir()
    for left in (".publishing-old", ".publishing-now"):
        shutil.copytree(source, root / left)
    os.utime(root / ".publishing-old", (0, 0))
    assert read_catalog(root).manifests == ()
    publish(root, source)
    assert not (root / ".publishing-old").exists()
    assert (root / ".publishing-now").exists(), "another process may be at it"


def test_fault_in_another_model_does_not_stand_in_the_way(root: Path, source: Path) -> None:
    (root / "broken" / "1").mkdir(parents=True)
    publish(root, source)
    assert (root / "tiny" / "1" / MANIFEST_FILE).exists()


PUBLISH_IN_A_PROCESS = """
import sys
from pathlib import Path
from models.publishing import publish
from models.errors import PublishRefused
try:
    publish(Path(sys.argv[1]), Path(sys.argv[2]))
except PublishRefused:
    sys.exit(7)
"""


def publish_at_once(root: Path, *sources: Path) -> list[int]:
    """The exit codes of one process a source, all started before any is waited for."""
    running = [
        subprocess.Popen([sys.executable, "-c", PUBLISH_IN_A_PROCESS, str(root), str(source)])
        for source in sources
    ]
    return [process.wait(timeout=120) for process in running]


def test_two_processes_that_publish_one_version_at_once_leave_one_of_them(
    root: Path, tmp_path: Path
) -> None:
    mine, other = write_onnx_source(tmp_path / "mine"), write_onnx_source(tmp_path / "other")
    edit_manifest(other, created_at=NOW.replace(year=2027))
    assert sorted(publish_at_once(root, mine, other)) == [0, 7]
    assert [verdict.fault for verdict in verify(root)] == [None, None]


def test_two_processes_that_publish_two_versions_at_once_publish_both(
    root: Path, tmp_path: Path
) -> None:
    sources = [write_onnx_source(tmp_path / "drafts", version) for version in ("1", "2")]
    assert publish_at_once(root, *sources) == [0, 0]
    catalog = read_catalog(root)
    assert catalog.versions("tiny") == ("1", "2")
    assert catalog.rollout("tiny").history[0].version == catalog.rollout("tiny").champion


def test_verify_names_what_is_wrong_and_passes_the_rest(root: Path) -> None:
    publish_versions(root, "1", "2")
    assert [verdict.fault for verdict in verify(root)] == [None] * 3
    flip_a_byte(root / "tiny" / "2")
    (root / "tiny" / ROLLOUT_FILE).write_text("{}")
    found = {verdict.subject: verdict.fault for verdict in verify(root)}
    assert found["tiny 1"] is None
    assert isinstance(found["tiny 2"], ArtifactMismatch)
    assert found["tiny rollout"] is not None


def test_verify_finds_a_version_in_the_wrong_place(root: Path) -> None:
    publish_versions(root, "1")
    shutil.copytree(root / "tiny" / "1", root / "tiny" / "2")
    faults = [verdict.fault for verdict in verify(root)]
    assert [type(fault) for fault in faults] == [type(None), ManifestInvalid, type(None)]


def test_every_committed_version_passes() -> None:
    assert [str(one.fault) for one in verify(ARTIFACTS_ROOT) if one.fault is not None] == []
