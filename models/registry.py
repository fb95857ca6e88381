"""Finds models by name and version; reads manifests only, so it costs no LightGBM import."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import ManifestInvalid, UnknownModel, UnknownVersion
from models.manifest import MANIFEST_FILE, Manifest, read_manifest

ARTIFACTS_ROOT = Path(__file__).parent / "artifacts"


@dataclass(frozen=True, slots=True)
class Catalog:
    """All known models; `manifests` are sorted by name, then by number of version."""

    manifests: tuple[Manifest, ...]
    _versions: dict[str, dict[str | None, Manifest]] = field(init=False, repr=False, compare=False)
    """By name and version; None is the newest."""

    def __post_init__(self) -> None:
        versions: dict[str, dict[str | None, Manifest]] = {}
        for one in sorted(self.manifests, key=lambda one: one.version_number):
            versions.setdefault(one.name, {}).update({one.version: one, None: one})
        object.__setattr__(self, "_versions", versions)

    @property
    def names(self) -> tuple[str, ...]:
        """Each model's name once, sorted."""
        return tuple(sorted({manifest.name for manifest in self.manifests}))

    def find(self, name: str, version: str | None = None) -> Manifest:
        """The manifest of `version`, or of the newest one for None.

        Raises UnknownModel, UnknownVersion; both name what exists.
        """
        versions = self._versions.get(name)
        if versions is None:
            raise UnknownModel(name, self.names)
        manifest = versions.get(version)
        if manifest is None:
            raise UnknownVersion(name, str(version), tuple(filter(None, versions)))
        return manifest


def read_catalog(root: Path = ARTIFACTS_ROOT) -> Catalog:
    """Read every `root/NAME/VERSION/manifest.json`; raises ManifestInvalid for any fault.

    A version's folder without a manifest is a fault; names that start with a dot are skipped.
    """
    manifests = [_read_placed(folder) for model in _folders(root) for folder in _folders(model)]
    return Catalog(tuple(sorted(manifests, key=lambda one: (one.name, one.version_number))))


def artifact_folder(root: Path, name: str, version: str) -> Path:
    """Where the manifest and the artifact of one version lie."""
    return root / name / version


def _folders(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        raise ManifestInvalid(f"{path} is not a folder of artifacts")
    return (one for one in path.iterdir() if one.is_dir() and not one.name.startswith((".", "__")))


def _read_placed(folder: Path) -> Manifest:
    manifest = read_manifest(folder / MANIFEST_FILE)
    if (manifest.name, manifest.version) != (folder.parent.name, folder.name):
        raise ManifestInvalid(
            f"{folder / MANIFEST_FILE} is of {manifest.name} {manifest.version}, not of its place"
        )
    return manifest
