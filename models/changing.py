"""Changes who answers for a model: one step under the lock, checked before it is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from models.checking import check_bytes, check_version
from models.registry import Catalog, artifact_folder, read_what_can_be
from models.rollout import Rollout
from models.rollout_file import registry_lock, write_rollout
from models.watching import log_fault

StepOf: TypeAlias = Callable[[Rollout, datetime], Rollout]


def promote(root: Path, name: str, version: str) -> Rollout:
    """Make `version` the champion, if it passes every check."""
    return _change(root, name, lambda state, at: state.promote(version, at), version)


def start_canary(root: Path, name: str, version: str, percent: int) -> Rollout:
    """Let `version` answer this share of accounts, if it passes every check."""
    return _change(root, name, lambda state, at: state.canary(version, percent, at), version)


def start_shadow(root: Path, name: str, version: str) -> Rollout:
    """Let `version` score beside the champion, if it passes every check."""
    return _change(root, name, lambda state, at: state.start_shadow(version, at), version)


def end_canary(root: Path, name: str) -> Rollout:
    """Let the champion answer everyone; a shadow goes on."""
    return _change(root, name, _without_canary)


def end_shadow(root: Path, name: str) -> Rollout:
    """Stop the shadow; a canary goes on."""
    return _change(root, name, Rollout.end_shadow)


def roll_back(root: Path, name: str) -> Rollout:
    """Let the champion before this one answer; only its bytes are checked, so it is quick."""
    return _change(root, name, Rollout.roll_back)


def retire(root: Path, name: str, version: str) -> Rollout:
    """Refuse requests for `version`."""
    return _change(root, name, lambda state, at: state.retire(version, at), existing=version)


def restore(root: Path, name: str, version: str) -> Rollout:
    """Serve a retired `version` again, if it passes every check."""
    return _change(root, name, lambda state, at: state.restore(version, at), version)


def _without_canary(state: Rollout, at: datetime) -> Rollout:
    if state.challenger is None:
        return state
    return state.canary(state.challenger, 0, at)


def _change(
    root: Path, name: str, step: StepOf, checked: str | None = None, *, existing: str | None = None
) -> Rollout:
    """Take `step` on the model `name`; raises UnknownModel, UnknownVersion, RolloutRefused.

    A fault in another model or version is logged and does not stand in the way.
    """
    if checked is not None:
        # Before the lock: a version never changes, and loading it must keep no rollback waiting.
        read_what_can_be(root, Catalog(()), log_fault).look_up(name, checked)
        check_version(artifact_folder(root, name, checked))
    with registry_lock(root):
        catalog = read_what_can_be(root, Catalog(()), log_fault)
        before = catalog.rollout(name).forget_missing(catalog.versions(name))
        for version in filter(None, (checked, existing)):
            catalog.look_up(name, version)
        after = step(before, datetime.now(UTC))
        if after.champion != before.champion:
            check_bytes(root, catalog.look_up(name, after.champion))
        if after is not before:
            write_rollout(root / name, after)
        return after
