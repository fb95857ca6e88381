"""What `farebox models draft` reads beside the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from models.errors import ManifestInvalid
from models.registry import Catalog, read_what_can_be


def read_examples(path: Path) -> list[list[Any]]:
    """Instances as a JSON list of lists; a usage error for anything else."""
    found = _read_json(path)
    if isinstance(found, list) and found and all(isinstance(one, list) for one in found):
        return found
    raise typer.BadParameter(f"{path} is not a JSON list of instances, each a list")


def read_features(path: Path) -> tuple[str, ...]:
    """Names of the columns, one a line or a JSON list."""
    if not _read_text(path).lstrip().startswith("["):
        return tuple(line.strip() for line in _read_text(path).splitlines() if line.strip())
    found = _read_json(path)
    if not all(isinstance(name, str) for name in found):
        raise typer.BadParameter(f"{path} is not a JSON list of names")
    return tuple(found)


def next_version(root: Path, name: str) -> str:
    """One more than the newest published version of the model, 1 where there is none."""
    try:
        catalog = read_what_can_be(root, Catalog(()), lambda _: None)
    except ManifestInvalid:
        return "1"
    versions = catalog.versions(name) if name in catalog.names else ("0",)
    return str(int(versions[-1]) + 1)


def _read_json(path: Path) -> Any:  # noqa: ANN401 - any JSON; the caller looks
    try:
        return json.loads(_read_text(path))
    except ValueError as error:
        raise typer.BadParameter(f"{path} is not JSON: {error}") from None


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{path} is not text") from None
