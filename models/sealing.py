"""Writes a version's folder: the model's bytes, its golden answers, and the manifest over both."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from models.golden import GOLDEN_FILE, record_golden, write_golden
from models.loading import load_unsigned
from models.manifest import MANIFEST_FILE, Artifact, Manifest, read_manifest, write_manifest


def describe_file(name: str, content: bytes) -> Artifact:
    """A file of these bytes, as a manifest names it."""
    return Artifact(file=name, sha256=hashlib.sha256(content).hexdigest())


def seal(
    folder: Path, manifest: Manifest, instances: Sequence[Sequence[str] | Sequence[int]]
) -> Manifest:
    """Record what the model in `folder` answers to `instances`, and write both files.

    The artifact that `manifest` names lies there already. The same model and instances give the
    same bytes. Raises ArtifactMismatch, PublishRefused.
    """
    model = load_unsigned(folder, manifest)
    content = write_golden(folder, record_golden(model, instances))
    sealed = manifest.model_copy(update={"golden": describe_file(GOLDEN_FILE, content)})
    write_manifest(sealed, folder / MANIFEST_FILE)
    return sealed


def add_golden(folder: Path, instances: Sequence[Sequence[str] | Sequence[int]]) -> Manifest:
    """`seal` for a folder that has its manifest and was never published."""
    return seal(folder, read_manifest(folder / MANIFEST_FILE), instances)
