"""Loads any version of any kind; every byte is checked before it is parsed, and none unpickled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from models.errors import ArtifactMismatch, ManifestInvalid
from models.lightgbm_model import parse_lightgbm
from models.manifest import MANIFEST_FILE, Artifact, Kind, Manifest, parse_manifest
from models.onnx_model import parse_onnx
from models.prediction import Model
from models.registry import artifact_folder
from models.signing import check_signature, trusted_key

_PARSERS: dict[Kind, Callable[[bytes, Manifest, Path], Model]] = {
    "lightgbm": parse_lightgbm,
    "onnx": parse_onnx,
}


def load_model(root: Path, manifest: Manifest) -> Model:
    """Load the artifact that `manifest` describes from below `root`.

    The checksum is taken from the very bytes that are loaded. Raises ArtifactMismatch,
    SignatureInvalid, RuntimeLibraryMissing.
    """
    return load_folder(artifact_folder(root, manifest.name, manifest.version), manifest)


def load_folder(folder: Path, manifest: Manifest) -> Model:
    """Load a version from its own folder, wherever that lies; as `load_model` else."""
    check_signed(folder, manifest)
    return load_unsigned(folder, manifest)


def load_unsigned(folder: Path, manifest: Manifest) -> Model:
    """As `load_folder`, before there can be a signature: for who makes a version."""
    content = read_checked(folder, manifest.artifact)
    return _PARSERS[manifest.kind](content, manifest, folder / manifest.artifact.file)


def check_signed(folder: Path, manifest: Manifest) -> None:
    """Raise SignatureInvalid where a signature is asked for and `folder` has no right one."""
    key = trusted_key()
    if key is None:
        return
    path = folder / MANIFEST_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ManifestInvalid(f"{path}: {error.strerror}") from error
    check_signature(key, folder, content)
    if parse_manifest(content, path) != manifest:
        raise ManifestInvalid(f"{path} has changed since it was read")


def read_checked(folder: Path, file: Artifact) -> bytes:
    """The bytes of a file that the manifest names; raises ArtifactMismatch if they are others."""
    path = folder / file.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactMismatch(f"{path}: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise ArtifactMismatch(f"{path}: sha256 is {found}, the manifest says {file.sha256}")
    return content
