"""What the protocol tells of the server and its models, the same over both transports."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass

from models.errors import ModelError
from models.manifest import Manifest
from models.registry import Catalog
from serve.translation import refusal_of
from serve.v2.outputs import DATATYPES, available
from serve.v2.reading import INPUT

SERVER_NAME = "farebox"
EXTENSIONS = ("binary_tensor_data",)
READY = "READY"
_ANY = -1
"""The protocol's word for a size that the request chooses."""


@dataclass(frozen=True, slots=True)
class TensorMetadata:
    """A tensor that a model takes or answers."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """A model, one version of it."""

    name: str
    versions: tuple[str, ...]
    platform: str
    inputs: tuple[TensorMetadata, ...]
    outputs: tuple[TensorMetadata, ...]


def server_version() -> str:
    """Of the installed package."""
    return importlib.metadata.version(SERVER_NAME)


def find_manifest(catalog: Catalog, name: str, version: str | None) -> Manifest:
    """The model's manifest; a Refusal where there is none."""
    try:
        return catalog.find(name, version)
    except ModelError as error:
        raise refusal_of(error) from error


def describe(catalog: Catalog, name: str, version: str | None) -> ModelMetadata:
    """A model as the protocol tells it; a Refusal where there is none."""
    manifest = find_manifest(catalog, name, version)
    return ModelMetadata(
        name=name,
        versions=tuple(each.version for each in catalog.served if each.name == name),
        platform=manifest.kind,
        inputs=(TensorMetadata(INPUT, "UINT8", (_ANY, len(manifest.feature_schema))),),
        outputs=tuple(
            TensorMetadata(output, DATATYPES[output], (_ANY,))
            for output in available(explain=manifest.can_explain)
        ),
    )
