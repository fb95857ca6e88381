"""Which version answers whom, before, during and after a swap."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from models.errors import VersionRetired
from models.registry import Catalog, read_catalog
from models.rollout import Rollout
from models.rollout_file import write_rollout
from serve.served_models import Canary, ServedModels
from tests.support.fragile_model import NAME, write_fragile_model
from tests.support.serving import ANNA

ACCOUNTS = [uuid.uuid5(uuid.NAMESPACE_URL, str(number)) for number in range(2_000)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for version in ("1", "2"):
        write_fragile_model(tmp_path, version)
    write_fragile_model(tmp_path, "2", name="other")
    write_fragile_model(tmp_path, "1", name="other")
    return tmp_path


def catalog_with(root: Path, rollout: Rollout, *names: str) -> Catalog:
    for name in names or (NAME,):
        write_rollout(root / name, rollout)
    return read_catalog(root)


def who_gets(models: ServedModels, version: str, name: str = NAME) -> set[uuid.UUID]:
    return {one for one in ACCOUNTS if models.find(name, None, one).version == version}


def test_without_a_version_the_champion_answers(root: Path) -> None:
    models = ServedModels(catalog_with(root, Rollout("1")))
    assert who_gets(models, "1") == set(ACCOUNTS)
    assert models.canaries == {}


def test_a_named_version_answers_whatever_the_canary(root: Path) -> None:
    models = ServedModels(catalog_with(root, Rollout("1", "2", 100)))
    assert models.find(NAME, "1", ANNA).version == "1"
    assert models.find(NAME, "2", ANNA).version == "2"
    assert models.find(NAME, None, ANNA).version == "2"


@pytest.mark.parametrize("percent", [1, 10, 30, 99])
def test_a_canary_gets_about_its_share_of_accounts_and_always_the_same(
    root: Path, percent: int
) -> None:
    models = ServedModels(catalog_with(root, Rollout("1", "2", percent)))
    chosen = who_gets(models, "2")
    assert len(chosen) == pytest.approx(len(ACCOUNTS) * percent / 100, abs=60)
    assert who_gets(ServedModels(read_catalog(root)), "2") == chosen


def test_a_larger_share_keeps_who_was_in(root: Path) -> None:
    shares = [
        who_gets(ServedModels(catalog_with(root, Rollout("1", "2", percent))), "2")
        for percent in (5, 30, 60)
    ]
    assert shares[0] < shares[1] < shares[2]


def test_two_models_draw_their_canaries_apart(root: Path) -> None:
    models = ServedModels(catalog_with(root, Rollout("1", "2", 50), NAME, "other"))
    both = who_gets(models, "2") & who_gets(models, "2", "other")
    assert len(both) == pytest.approx(len(ACCOUNTS) / 4, rel=0.2)


def test_a_trial_in_the_shadow_alone_answers_nobody(root: Path) -> None:
    models = ServedModels(catalog_with(root, Rollout("1", "2", shadow=True)))
    assert who_gets(models, "1") == set(ACCOUNTS)
    [shadow] = models.shadows.values()
    assert (shadow.pair.champion, shadow.pair.challenger) == ("1", "2")


def test_a_challenger_of_other_features_has_no_shadow(root: Path) -> None:
    catalog = catalog_with(root, Rollout("1", "2", shadow=True))
    one = catalog.look_up(NAME, "2")
    other = one.model_copy(update={"features_sha256": "0" * 64})
    changed = Catalog((catalog.look_up(NAME, "1"), other), catalog.rollouts)
    assert ServedModels(changed).shadows == {}


def test_a_swap_is_whole_and_what_was_served_before_can_still_be_decided(root: Path) -> None:
    models = ServedModels(catalog_with(root, Rollout("1", "2", 100, shadow=True)))
    models.take(catalog_with(root, Rollout("2", retired=("1",))))
    assert (models.canaries, models.shadows) == ({}, {})
    assert models.find(NAME, None, ANNA).version == "2"
    with pytest.raises(VersionRetired):
        models.find(NAME, "1", ANNA)
    assert models.decision(NAME, "1").threshold == 0.5


def test_whoever_is_in_the_share_is_so_for_every_replica(root: Path) -> None:
    """Pinned: another hash would send accounts from one version to the other."""
    challenger = read_catalog(root).look_up(NAME, "2")
    taken = [Canary(challenger, 30).takes(uuid.UUID(int=number)) for number in range(20)]
    assert [number for number, one in enumerate(taken) if one] == [5, 8, 10, 15, 16, 18, 19]
