"""Writes a folder ready to publish from a model file alone, so that nobody writes a manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from data.schema import FeatureSchema
from models.errors import ArtifactMismatch, ManifestInvalid
from models.lightgbm_model import TEXT_START, parse_booster
from models.manifest import Decision, Kind, Labels, Manifest, describe_faults
from models.onnx_model import feature_names, open_session
from models.publishing import CARD_FILE
from models.sealing import describe_file, seal

MODEL_FILES: dict[Kind, str] = {"lightgbm": "model.txt", "onnx": "model.onnx"}

_CARD = """\
# {name} {version}

Says how likely `{positive}` is, from {features} features (each 0 or 1); else it is `{negative}`.
`{positive}` from probability {threshold} on. Drafted from `{file}` ({kind}) by its operator, who
said nothing more about its data and quality: write it here before you publish.
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """What only the operator knows about a model file."""

    name: str
    version: str
    labels: Labels
    threshold: float
    features: tuple[str, ...] | None
    """None: the file names them itself."""


def write_draft(
    model_file: Path,
    folder: Path,
    draft: Draft,
    examples: Sequence[Sequence[str] | Sequence[int]],
    now: datetime,
) -> Manifest:
    """Write model, manifest, card and golden answers into the new `folder`.

    Raises ArtifactMismatch, ManifestInvalid, PublishRefused; then there may be a half of a folder.
    """
    content = _read(model_file)
    kind: Kind = "lightgbm" if content.startswith(TEXT_START) else "onnx"
    features = draft.features or _features_in(content, kind, model_file)
    manifest = _describe(draft, kind, content, features, now)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / manifest.artifact.file).write_bytes(content)
    (folder / CARD_FILE).write_text(_card(manifest, model_file.name), encoding="utf-8")
    return seal(folder, manifest, examples)


def _features_in(content: bytes, kind: Kind, path: Path) -> tuple[str, ...]:
    if kind == "lightgbm":
        return tuple(parse_booster(content, path).feature_name())
    names = feature_names(open_session(content, path))
    if names is None:
        raise ArtifactMismatch(
            f"{path} does not name its features: give a file of them, one name a line, or write "
            "them as a JSON list into the model's metadata under `features`"
        )
    return names


def _describe(
    draft: Draft, kind: Kind, content: bytes, features: tuple[str, ...], now: datetime
) -> Manifest:
    try:
        return Manifest(
            name=draft.name,
            version=draft.version,
            kind=kind,
            created_at=now,
            labels=draft.labels,
            decision=Decision(threshold=draft.threshold),
            artifact=describe_file(MODEL_FILES[kind], content),
            features_sha256=FeatureSchema(features).sha256,
            features=features,
        )
    except ValidationError as error:
        raise ManifestInvalid(describe_faults(error)) from error
    except ValueError as error:
        raise ManifestInvalid(str(error)) from error


def _card(manifest: Manifest, file: str) -> str:
    return _CARD.format(
        name=manifest.name,
        version=manifest.version,
        kind=manifest.kind,
        features=len(manifest.features),
        threshold=manifest.threshold,
        file=file,
        **manifest.labels.model_dump(),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactMismatch(f"{path}: {error.strerror}") from error
