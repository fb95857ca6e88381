"""Drafts: from a model file to a folder that can be published, and what is asked for before."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.drafting import write_draft
from models.errors import ArtifactMismatch, ManifestInvalid, PublishRefused
from models.golden import Golden
from models.manifest import MANIFEST_FILE, read_manifest
from models.publishing import publish
from models.sealing import add_golden
from tests.support.fragile_model import FEATURES, render_model
from tests.support.publishable import EXAMPLES, NOW, draft_of


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "given.txt"
    path.write_text(render_model())
    return path


def test_draft_of_a_lightgbm_file_takes_its_features_from_it(
    tmp_path: Path, model_file: Path
) -> None:
    manifest = write_draft(model_file, tmp_path / "draft", draft_of(), EXAMPLES, NOW)
    assert manifest.features == FEATURES
    assert (manifest.kind, manifest.training, manifest.metrics) == ("lightgbm", None, {})
    assert read_manifest(tmp_path / "draft" / MANIFEST_FILE) == manifest
    assert publish(tmp_path / "root", tmp_path / "draft") == manifest


def test_golden_answers_are_what_the_model_says(tmp_path: Path, model_file: Path) -> None:
    write_draft(model_file, tmp_path / "draft", draft_of(), EXAMPLES, NOW)
    golden = Golden.model_validate_json((tmp_path / "draft" / "golden.json").read_bytes())
    assert [round(value, 2) for value in golden.probabilities] == [0.73, 0.27, 0.27]


def test_same_draft_twice_gives_the_same_bytes(tmp_path: Path, model_file: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        write_draft(model_file, folder, draft_of(), EXAMPLES, NOW)
    contents = [{path.name: path.read_bytes() for path in one.iterdir()} for one in folders]
    assert contents[0] == contents[1]


def test_golden_answers_can_be_added_to_a_manifest_that_has_none(
    tmp_path: Path, model_file: Path
) -> None:
    folder = tmp_path / "draft"
    whole = write_draft(model_file, folder, draft_of(), EXAMPLES, NOW)
    assert add_golden(folder, EXAMPLES) == whole


@pytest.mark.parametrize("name", ["Tiny", "tiny model", "../tiny", ""])
def test_name_that_no_request_could_use_is_refused(
    tmp_path: Path, model_file: Path, name: str
) -> None:
    with pytest.raises(ManifestInvalid, match="name"):
        write_draft(model_file, tmp_path / "draft", draft_of(name=name), EXAMPLES, NOW)


def test_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"tree\n", b"\x80\x04K\x01.", b"PK\x03\x04"):
        (tmp_path / "given").write_bytes(content)
        with pytest.raises(ArtifactMismatch, match="not a"):
            write_draft(tmp_path / "given", tmp_path / "draft", draft_of(), EXAMPLES, NOW)


def test_model_needs_an_example(tmp_path: Path, model_file: Path) -> None:
    with pytest.raises(PublishRefused, match="instances"):
        write_draft(model_file, tmp_path / "draft", draft_of(), [], NOW)
