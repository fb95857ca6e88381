"""Publishes a version: checks a copy of it, and puts that copy in its place all at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from models.checking import check_version
from models.errors import ArtifactMismatch, ManifestInvalid, PublishRefused
from models.golden import golden_of
from models.manifest import MANIFEST_FILE, Manifest, read_manifest
from models.registry import Catalog, artifact_folder, read_what_can_be
from models.rollout import Rollout, first_rollout
from models.rollout_file import (
    ROLLOUT_FILE,
    registry_lock,
    sync_folder,
    write_rollout,
)
from models.signing import SIGNATURE_FILE
from models.watching import log_fault

CARD_FILE = "card.md"
FILE_BYTES_MAX = 512 * 1024 * 1024
_UNFINISHED = ".publishing-"
_LEFT_BEHIND_SECONDS = 3600


def publish(root: Path, source: Path, now: datetime | None = None) -> Manifest:
    """Publish the version in the folder `source` below `root`.

    What is checked is the copy that is then renamed into its place, so nothing can change between.
    The first version of a model becomes its champion, a later one waits to be promoted. The same
    version with the same bytes again is no fault. Raises ManifestInvalid, ArtifactMismatch,
    SignatureInvalid, PublishRefused, RegistryBusy.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _unfinished_folder(root) as copy:
        _copy_version(source, copy)
        manifest = check_version(copy)
        golden_of(manifest)
        place = artifact_folder(root, manifest.name, manifest.version)
        with registry_lock(root):
            if place.exists():
                _check_same(copy, place)
            else:
                _put_in_place(root, copy, manifest, now or datetime.now(UTC))
        return manifest


def _copy_version(source: Path, copy: Path) -> None:
    """Copy the manifest and what it names; other files of `source` are left behind."""
    manifest = read_manifest(source / MANIFEST_FILE)
    names = [MANIFEST_FILE, *(file.file for file in manifest.every_file)]
    if len(set(names) | {CARD_FILE, SIGNATURE_FILE, ROLLOUT_FILE}) != len(names) + 3:
        raise ManifestInvalid(f"{source / MANIFEST_FILE}: two files have the same name")
    optional = [name for name in (CARD_FILE, SIGNATURE_FILE) if (source / name).exists()]
    for name in (*names, *optional):
        _copy_file(source / name, copy / name)
    sync_folder(copy)


def _copy_file(source: Path, target: Path) -> None:
    try:
        size = source.stat().st_size
        if size > FILE_BYTES_MAX:
            raise PublishRefused(f"{source} has {size} bytes; at most {FILE_BYTES_MAX} are served")
        shutil.copyfile(source, target)
    except OSError as error:
        raise ArtifactMismatch(f"{source}: {error.strerror}") from error
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _check_same(copy: Path, place: Path) -> None:
    """Raise PublishRefused unless all that was published before is as in `copy`."""
    for path in copy.iterdir():
        published = place / path.name
        if not published.exists() or published.read_bytes() != path.read_bytes():
            raise PublishRefused(
                f"version {place.name} of {place.parent.name} exists and its {path.name} differs; "
                "a version never changes: publish this one under a new number"
            )


def _put_in_place(root: Path, copy: Path, manifest: Manifest, now: datetime) -> None:
    """Rename `copy` to its place; who answers is decided before anyone can see it."""
    model = root / manifest.name
    model.mkdir(exist_ok=True)
    _keep_champion(root, manifest.name, now)
    copy.rename(model / manifest.version)
    sync_folder(model)
    sync_folder(root)
    if not (model / ROLLOUT_FILE).exists():
        write_rollout(model, first_rollout(manifest.version, now))


def _keep_champion(root: Path, name: str, now: datetime) -> None:
    """Write down who is the champion where that followed from the numbers of versions alone."""
    catalog = read_what_can_be(root, Catalog(()), log_fault)
    if name not in catalog.names or (root / name / ROLLOUT_FILE).exists():
        return
    rollout: Rollout = catalog.rollout(name)
    write_rollout(root / name, first_rollout(rollout.champion, now))


@contextmanager
def _unfinished_folder(root: Path) -> Iterator[Path]:
    """A hidden folder beside the models; an old one is what a crash left behind."""
    for left in root.glob(f"{_UNFINISHED}*"):
        with contextlib.suppress(FileNotFoundError):  # another process is done with it
            if left.stat().st_mtime < time.time() - _LEFT_BEHIND_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=root))
    folder.chmod(0o755)  # replicas may run as another user
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
