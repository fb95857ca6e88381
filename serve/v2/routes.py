"""The protocol's REST routes beside infer: health, metadata and the index. They are free."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from models.registry import Catalog
from serve.v2.metadata import (
    EXTENSIONS,
    READY,
    SERVER_NAME,
    describe,
    find_manifest,
    server_version,
)
from serve.v2.wire import (
    IndexEntry,
    IndexRequest,
    Live,
    ModelInfo,
    ModelIsReady,
    Ready,
    ServerInfo,
)

router = APIRouter(tags=["open inference protocol"])


def _catalog(request: Request) -> Catalog:
    catalog: Catalog = request.app.state.pipeline.catalog
    return catalog


CatalogDependency = Annotated[Catalog, Depends(_catalog)]


@router.get("/v2", summary="Server metadata")
async def read_server() -> ServerInfo:
    """Name, version and extensions of the server."""
    return ServerInfo(name=SERVER_NAME, version=server_version(), extensions=list(EXTENSIONS))


@router.get("/v2/health/live", summary="Server live")
async def read_live() -> Live:
    """200 as long as this replica runs."""
    return Live()


@router.get("/v2/health/ready", summary="Server ready")
async def read_ready(request: Request) -> Ready:
    """200 only when a request to infer would be answered, as /readyz."""
    await request.app.state.readiness.check()
    return Ready()


@router.get("/v2/models/{name}", summary="Model metadata")
async def read_model(catalog: CatalogDependency, name: str) -> ModelInfo:
    """The model's inputs and outputs; without a version those of the one that is asked then."""
    return ModelInfo.model_validate(describe(catalog, name, None))


@router.get("/v2/models/{name}/versions/{version}", summary="Metadata of a version")
async def read_version(catalog: CatalogDependency, name: str, version: str) -> ModelInfo:
    """The inputs and outputs of one version."""
    return ModelInfo.model_validate(describe(catalog, name, version))


@router.get("/v2/models/{name}/ready", summary="Model ready")
async def read_model_ready(request: Request, catalog: CatalogDependency, name: str) -> ModelIsReady:
    """200 when the model is served and the server is ready."""
    find_manifest(catalog, name, None)
    await request.app.state.readiness.check()
    return ModelIsReady(name=name)


@router.get("/v2/models/{name}/versions/{version}/ready", summary="Version ready")
async def read_version_ready(
    request: Request, catalog: CatalogDependency, name: str, version: str
) -> ModelIsReady:
    """200 when the version is served and the server is ready."""
    find_manifest(catalog, name, version)
    await request.app.state.readiness.check()
    return ModelIsReady(name=name)


@router.post("/v2/repository/index", summary="Index of the models")
async def read_index(
    catalog: CatalogDependency, asked: IndexRequest | None = None
) -> list[IndexEntry]:
    """Every version that can be asked."""
    return [
        IndexEntry(name=each.name, version=each.version, state=READY) for each in catalog.manifests
    ]
