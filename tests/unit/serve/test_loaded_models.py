"""What a scorer holds follows the folder; what is broken there harms itself alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from models.errors import ArtifactMismatch, ManifestInvalid
from models.rollout import Rollout
from models.rollout_file import write_rollout
from serve.loaded_models import GRACE_SECONDS, RETRY_SECONDS, LoadedModels
from tests.support.fragile_model import MODEL_FILE, NAME, write_fragile_model

pytestmark = pytest.mark.anyio

ONE, TWO = (NAME, "1"), (NAME, "2")


class Shelf:
    """Loaded models of a folder with version 1, and a clock that stands still."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now_seconds = 1000.0
        write_fragile_model(root)
        write_rollout(root / NAME, Rollout("1"))
        self.loaded = LoadedModels(root, lambda: self.now_seconds)

    def held(self) -> list[str]:
        return [version for name, version in (ONE, TWO) if (name, version) in self.loaded]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def spoil(folder: Path) -> bytes:
    """Change the artifact; returns what it was."""
    content = (folder / MODEL_FILE).read_bytes()
    (folder / MODEL_FILE).write_bytes(content + b"\n")
    return content


async def test_a_published_version_is_loaded_before_anybody_asks(shelf: Shelf) -> None:
    write_fragile_model(shelf.root, "2")
    await shelf.loaded.refresh()
    assert shelf.held() == ["1", "2"]


async def test_a_version_asked_for_before_the_next_look_is_loaded_at_once(shelf: Shelf) -> None:
    write_fragile_model(shelf.root, "2")
    assert await shelf.loaded.fetch(*TWO)
    assert shelf.loaded[TWO].manifest.version == "2"


async def test_many_that_ask_at_once_load_it_once(shelf: Shelf) -> None:
    write_fragile_model(shelf.root, "2")
    asking = [asyncio.create_task(shelf.loaded.fetch(*TWO)) for _ in range(5)]
    await asyncio.sleep(0)
    asking[0].cancel()
    assert len(shelf.loaded._loading) == 1
    assert all(await asyncio.gather(*asking[1:]))
    assert shelf.loaded._loading == {}


async def test_a_broken_version_is_not_had_and_harms_no_other(shelf: Shelf) -> None:
    spoil(write_fragile_model(shelf.root, "2"))
    write_fragile_model(shelf.root, name="other")
    await shelf.loaded.refresh()
    assert shelf.held() == ["1"]
    assert ("other", "1") in shelf.loaded
    assert not await shelf.loaded.fetch(*TWO)


async def test_a_version_that_arrives_late_is_loaded_some_seconds_after(shelf: Shelf) -> None:
    folder = write_fragile_model(shelf.root, "2")
    content = spoil(folder)
    assert not await shelf.loaded.fetch(*TWO)
    (folder / MODEL_FILE).write_bytes(content)
    assert not await shelf.loaded.fetch(*TWO)
    shelf.now_seconds += RETRY_SECONDS
    assert await shelf.loaded.fetch(*TWO)


async def test_what_does_not_exist_is_not_had(shelf: Shelf) -> None:
    assert not await shelf.loaded.fetch(NAME, "9")
    assert not await shelf.loaded.fetch("gone", "1")


async def test_a_retired_version_is_held_for_its_grace_time(shelf: Shelf) -> None:
    write_fragile_model(shelf.root, "2")
    write_rollout(shelf.root / NAME, Rollout("2", retired=("1",)))
    await shelf.loaded.refresh()
    shelf.now_seconds += GRACE_SECONDS - 1
    await shelf.loaded.refresh()
    assert shelf.held() == ["1", "2"]
    shelf.now_seconds += 1
    await shelf.loaded.refresh()
    assert shelf.held() == ["2"]


async def test_a_version_that_came_back_is_held(shelf: Shelf) -> None:
    write_fragile_model(shelf.root, "2")
    write_rollout(shelf.root / NAME, Rollout("2", retired=("1",)))
    await shelf.loaded.refresh()
    write_rollout(shelf.root / NAME, Rollout("2"))
    await shelf.loaded.refresh()
    shelf.now_seconds += GRACE_SECONDS
    write_rollout(shelf.root / NAME, Rollout("2", retired=("1",)))
    await shelf.loaded.refresh()
    assert shelf.held() == ["1", "2"]


def test_a_start_with_a_broken_version_beside_a_sound_one_goes_on(tmp_path: Path) -> None:
    write_fragile_model(tmp_path)
    spoil(write_fragile_model(tmp_path, "2"))
    loaded = LoadedModels(tmp_path)
    assert ONE in loaded
    assert TWO not in loaded


def test_a_start_without_any_sound_version_fails(tmp_path: Path) -> None:
    spoil(write_fragile_model(tmp_path))
    with pytest.raises(ArtifactMismatch, match="sha256"):
        LoadedModels(tmp_path)


def test_a_start_on_an_empty_folder_fails(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid, match="no model"):
        LoadedModels(tmp_path)
