"""The manifest: what is refused, and that it survives writing and reading."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.errors import ManifestInvalid
from models.manifest import MANIFEST_FILE, Manifest, read_manifest, write_manifest
from tests.support.fragile_model import describe


def set_unknown(content: dict[str, Any]) -> None:
    content["surprise"] = 1


def set_unknown_inside(content: dict[str, Any]) -> None:
    content["artifact"]["surprise"] = 1


def drop_threshold(content: dict[str, Any]) -> None:
    del content["decision"]["threshold"]


def raise_threshold(content: dict[str, Any]) -> None:
    content["decision"]["threshold"] = 1.5


def leave_folder(content: dict[str, Any]) -> None:
    content["artifact"]["file"] = "../model.txt"


def change_kind(content: dict[str, Any]) -> None:
    content["kind"] = "pickle"


def pad_version(content: dict[str, Any]) -> None:
    content["version"] = "01"


def reorder_features(content: dict[str, Any]) -> None:
    content["features"].reverse()


def repeat_feature(content: dict[str, Any]) -> None:
    content["features"][0] = content["features"][1]


FAULTS = {
    set_unknown: "surprise",
    set_unknown_inside: r"artifact\.surprise",
    drop_threshold: r"decision\.threshold",
    raise_threshold: r"decision\.threshold",
    leave_folder: r"artifact\.file",
    change_kind: "kind",
    pad_version: "version",
    reorder_features: "features_sha256",
    repeat_feature: "each name once",
}


@pytest.mark.parametrize(("damage", "message"), list(FAULTS.items()))
def test_faulty_manifest_is_refused_naming_the_field(
    tmp_path: Path, damage: Callable[[dict[str, Any]], None], message: str
) -> None:
    content = json.loads(describe(b"").model_dump_json())
    damage(content)
    (tmp_path / MANIFEST_FILE).write_text(json.dumps(content))
    with pytest.raises(ManifestInvalid, match=message):
        read_manifest(tmp_path / MANIFEST_FILE)


def test_manifest_survives_writing_and_reading(tmp_path: Path) -> None:
    manifest = describe(b"")
    write_manifest(manifest, tmp_path / MANIFEST_FILE)
    assert read_manifest(tmp_path / MANIFEST_FILE) == manifest


def test_manifest_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        describe(b"").version = "2"  # type: ignore[misc]


def test_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid, match=MANIFEST_FILE):
        read_manifest(tmp_path / MANIFEST_FILE)


def test_label_is_positive_from_the_threshold_on() -> None:
    manifest: Manifest = describe(b"")
    assert manifest.label_of(manifest.threshold) == "malware"
    assert manifest.label_of(0.4999) == "goodware"


def test_manifest_needs_only_what_serving_needs(tmp_path: Path) -> None:
    content = json.loads(describe(b"").model_dump_json())
    for part in ("training", "metrics", "files", "golden"):
        del content[part]
    content["decision"] = {"threshold": 0.5}
    (tmp_path / MANIFEST_FILE).write_text(json.dumps(content))
    manifest = read_manifest(tmp_path / MANIFEST_FILE)
    assert (manifest.training, manifest.metrics, manifest.golden) == (None, {}, None)
    assert manifest.threshold == 0.5
