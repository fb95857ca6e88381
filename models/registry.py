"""Finds models by name and version; reads manifests only, so it costs no LightGBM import."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import (
    ManifestInvalid,
    ModelError,
    RolloutInvalid,
    UnknownModel,
    UnknownVersion,
    VersionRetired,
)
from models.manifest import MANIFEST_FILE, Manifest, read_manifest
from models.rollout import Rollout
from models.rollout_file import read_rollout

ARTIFACTS_ROOT = Path(__file__).parent / "artifacts"


@dataclass(frozen=True, slots=True)
class Catalog:
    """All known models; `manifests` are sorted by name, then by number of version.

    `rollouts` says by model who answers; a model without one is answered by its newest version.
    """

    manifests: tuple[Manifest, ...]
    rollouts: Mapping[str, Rollout] = field(default_factory=dict)
    _versions: dict[str, dict[str, Manifest]] = field(init=False, repr=False, compare=False)
    _served: dict[str, dict[str | None, Manifest]] = field(init=False, repr=False, compare=False)
    """By name and version, without the retired; None is the champion."""

    def __post_init__(self) -> None:
        versions: dict[str, dict[str, Manifest]] = {}
        for one in sorted(self.manifests, key=lambda one: one.version_number):
            versions.setdefault(one.name, {})[one.version] = one
        rollouts = {
            name: self.rollouts.get(name) or Rollout(champion=tuple(of_model)[-1])
            for name, of_model in versions.items()
        }
        object.__setattr__(self, "rollouts", rollouts)
        object.__setattr__(self, "_versions", versions)
        object.__setattr__(
            self,
            "_served",
            {name: _serve(of_model, rollouts[name]) for name, of_model in versions.items()},
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Each model's name once, sorted."""
        return tuple(sorted(self._versions))

    @property
    def served(self) -> tuple[Manifest, ...]:
        """`manifests` without the retired ones: what can be asked."""
        return tuple(one for one in self.manifests if one.version in self._served[one.name])

    def find(self, name: str, version: str | None = None) -> Manifest:
        """The manifest of `version`, or of the champion for None.

        Raises UnknownModel, UnknownVersion, VersionRetired; all name what exists.
        """
        served = self._served.get(name)
        if served is None:
            raise UnknownModel(name, self.names)
        manifest = served.get(version)
        if manifest is None:
            existing = tuple(filter(None, served))
            retired = version in self._versions[name]
            raise (VersionRetired if retired else UnknownVersion)(name, str(version), existing)
        return manifest

    def look_up(self, name: str, version: str) -> Manifest:
        """The manifest of `version`, also of a retired one: for what was admitted or kept before.

        Raises UnknownModel, UnknownVersion.
        """
        manifest = self._versions.get(name, {}).get(version)
        return self.find(name, version) if manifest is None else manifest

    def rollout(self, name: str) -> Rollout:
        """Who answers for this model. Raises UnknownModel."""
        if name not in self.rollouts:
            raise UnknownModel(name, self.names)
        return self.rollouts[name]

    def versions(self, name: str) -> tuple[str, ...]:
        """All versions of this model, the oldest first, with the retired. Raises UnknownModel."""
        if name not in self._versions:
            raise UnknownModel(name, self.names)
        return tuple(self._versions[name])


def read_catalog(root: Path = ARTIFACTS_ROOT) -> Catalog:
    """Read every `root/NAME/VERSION/manifest.json` and `root/NAME/rollout.json`.

    Raises ManifestInvalid and RolloutInvalid for any fault. A version's folder without a manifest
    is a fault; names that start with a dot are skipped.
    """

    def refuse(fault: ModelError) -> None:
        raise fault

    return read_what_can_be(root, Catalog(()), refuse)


def read_what_can_be(root: Path, known: Catalog, report: Callable[[ModelError], None]) -> Catalog:
    """The catalog of `root`; what cannot be read is reported and stays as it is in `known`.

    Raises ManifestInvalid where `root` itself cannot be read.
    """
    manifests: list[Manifest] = []
    rollouts: dict[str, Rollout] = {}
    for folder in model_folders(root):
        versions = _read_versions(folder, known, report)
        manifests.extend(versions.values())
        try:
            rollout = read_rollout(folder, versions)
        except RolloutInvalid as fault:
            report(fault)
            rollout = known.rollouts.get(folder.name)
        if rollout is not None and rollout.in_use <= set(versions):
            rollouts[folder.name] = rollout
    ordered = sorted(manifests, key=lambda one: (one.name, one.version_number))
    return Catalog(tuple(ordered), rollouts)


def artifact_folder(root: Path, name: str, version: str) -> Path:
    """Where the manifest and the artifact of one version lie."""
    return root / name / version


def model_folders(path: Path) -> Iterator[Path]:
    """The folders in `path`, of models or of one model's versions; raises ManifestInvalid."""
    if not path.is_dir():
        raise ManifestInvalid(f"{path} is not a folder of artifacts")
    return (one for one in path.iterdir() if one.is_dir() and not one.name.startswith((".", "__")))


def _read_versions(
    folder: Path, known: Catalog, report: Callable[[ModelError], None]
) -> dict[str, Manifest]:
    found: dict[str, Manifest] = {}
    for version in model_folders(folder):
        try:
            found[version.name] = _read_placed(version)
        except ManifestInvalid as fault:
            report(fault)
            for one in known.manifests:
                if (one.name, one.version) == (folder.name, version.name):
                    found[one.version] = one
    return found


def _read_placed(folder: Path) -> Manifest:
    manifest = read_manifest(folder / MANIFEST_FILE)
    if (manifest.name, manifest.version) != (folder.parent.name, folder.name):
        raise ManifestInvalid(
            f"{folder / MANIFEST_FILE} is of {manifest.name} {manifest.version}, not of its place"
        )
    return manifest


def _serve(versions: Mapping[str, Manifest], rollout: Rollout) -> dict[str | None, Manifest]:
    served: dict[str | None, Manifest] = {
        version: one for version, one in versions.items() if version not in rollout.retired
    }
    served[None] = versions[rollout.champion]
    return served
