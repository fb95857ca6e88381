"""A changed folder is taken once its new versions are warm, and nothing is lost by a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.registry import Catalog
from models.rollout import Rollout
from models.rollout_file import write_rollout
from models.watching import CatalogWatch
from serve.catalog_keeper import CatalogKeeper
from tests.support.fragile_model import NAME, write_fragile_model

pytestmark = pytest.mark.anyio


class Kept:
    """A keeper of a folder with version 1, and what it did in order."""

    def __init__(self, root: Path) -> None:
        self.root = root
        write_fragile_model(root)
        write_rollout(root / NAME, Rollout("1"))
        self.done: list[str] = []
        self.failures: list[Exception] = []
        self.keeper = CatalogKeeper(CatalogWatch(root), self._take, self._warm)

    async def _warm(self, model: str, version: str) -> None:
        self.done.append(f"warm {model} {version}")

    def _take(self, catalog: Catalog) -> None:
        if self.failures:
            raise self.failures.pop()
        self.done.append(f"champion {catalog.find(NAME).version}")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


async def test_an_unchanged_folder_is_left_alone(kept: Kept) -> None:
    for _ in range(2):
        await kept.keeper.look()
    assert kept.done == []


async def test_a_new_version_is_warmed_before_it_is_taken(kept: Kept) -> None:
    write_fragile_model(kept.root, "2")
    await kept.keeper.look()
    assert kept.done == ["warm fragile 2", "champion 1"]


async def test_a_promotion_of_a_version_that_is_warm_is_taken_at_once(kept: Kept) -> None:
    write_fragile_model(kept.root, "2")
    await kept.keeper.look()
    kept.done.clear()
    write_rollout(kept.root / NAME, Rollout("2", previous=("1",)))
    await kept.keeper.look()
    assert kept.done == ["champion 2"]


async def test_a_version_that_comes_back_from_retirement_is_warmed(kept: Kept) -> None:
    write_fragile_model(kept.root, "2")
    write_rollout(kept.root / NAME, Rollout("2", retired=("1",)))
    await kept.keeper.look()
    kept.done.clear()
    write_rollout(kept.root / NAME, Rollout("2"))
    await kept.keeper.look()
    assert kept.done == ["warm fragile 1", "champion 2"]


async def test_a_catalogue_that_could_not_be_taken_is_taken_at_the_next_look(kept: Kept) -> None:
    write_fragile_model(kept.root, "2")
    write_rollout(kept.root / NAME, Rollout("2"))
    kept.failures.append(RuntimeError("for once"))
    with pytest.raises(RuntimeError):
        await kept.keeper.look()
    await kept.keeper.look()
    assert kept.done[-1] == "champion 2"
