"""Checks a version's folder: manifest, signature, checksums, the model itself, golden answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.errors import ManifestInvalid, ModelError
from models.golden import check_golden, parse_golden
from models.loading import check_signed, load_folder, read_checked
from models.manifest import MANIFEST_FILE, Manifest, read_manifest
from models.registry import artifact_folder, model_folders
from models.rollout_file import read_rollout


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking one thing found; `fault` is None where all is well."""

    subject: str
    fault: ModelError | None
    has_golden: bool = True


def check_version(folder: Path) -> Manifest:
    """Check everything about the version in `folder`; raises the ModelError of the first fault.

    A version without golden answers passes: whether it may is the caller's to say.
    """
    manifest = read_manifest(folder / MANIFEST_FILE)
    model = load_folder(folder, manifest)
    for file in manifest.every_file:
        content = read_checked(folder, file)
        if file is manifest.golden:
            check_golden(model, parse_golden(content, file))
    return manifest


def check_bytes(root: Path, manifest: Manifest) -> None:
    """Check signature and checksums alone, which takes milliseconds."""
    folder = artifact_folder(root, manifest.name, manifest.version)
    check_signed(folder, manifest)
    for file in manifest.every_file:
        read_checked(folder, file)


def verify(root: Path) -> Iterator[Verdict]:
    """Check every version and every rollout below `root`, one after the other."""
    for model in sorted(model_folders(root)):
        versions = sorted(model_folders(model), key=lambda one: (len(one.name), one.name))
        for version in versions:
            yield _judge_version(version)
        yield _judge_rollout(model, [version.name for version in versions])


def _judge_version(folder: Path) -> Verdict:
    subject = f"{folder.parent.name} {folder.name}"
    try:
        manifest = check_version(folder)
        if (manifest.name, manifest.version) != (folder.parent.name, folder.name):
            raise ManifestInvalid(f"{folder} holds {manifest.name} {manifest.version}")
    except ModelError as fault:
        return Verdict(subject, fault)
    return Verdict(subject, None, manifest.golden is not None)


def _judge_rollout(folder: Path, versions: list[str]) -> Verdict:
    try:
        read_rollout(folder, versions)
    except ModelError as fault:
        return Verdict(f"{folder.name} rollout", fault)
    return Verdict(f"{folder.name} rollout", None)
