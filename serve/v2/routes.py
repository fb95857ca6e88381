"""The protocol's REST routes beside infer: health, metadata and the index. They are free."""

from __future__ import annotations

from typing import Annotated, Any

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
from serve.v2.operation import error_responses, path_parameters
from serve.v2.wire import IndexEntry, Live, ModelInfo, ModelIsReady, Ready, ServerInfo

router = APIRouter(tags=["open inference protocol"])

# Documented by hand: declared on a function, FastAPI would document faults of its own with them.
_NAME: dict[str, Any] = {"parameters": path_parameters("name")}
_NAME_AND_VERSION: dict[str, Any] = {"parameters": path_parameters("name", "version")}


def _catalog(request: Request) -> Catalog:
    catalog: Catalog = request.app.state.pipeline.catalog
    return catalog


def _named(request: Request) -> tuple[str, str | None]:
    """Name and version of the path."""
    return request.path_params["name"], request.path_params.get("version")


CatalogDependency = Annotated[Catalog, Depends(_catalog)]
NamedDependency = Annotated[tuple[str, str | None], Depends(_named)]


@router.get("/v2", summary="Server metadata")
async def read_server() -> ServerInfo:
    """Name, version and extensions of the server."""
    return ServerInfo(name=SERVER_NAME, version=server_version(), extensions=list(EXTENSIONS))


@router.get("/v2/health/live", summary="Server live")
async def read_live() -> Live:
    """200 as long as this replica runs."""
    return Live()


@router.get("/v2/health/ready", summary="Server ready", responses=error_responses(503))
async def read_ready(request: Request) -> Ready:
    """200 only when a request to infer would be answered, as /readyz."""
    await request.app.state.readiness.check()
    return Ready()


@router.get(
    "/v2/models/{name}",
    summary="Model metadata",
    responses=error_responses(404),
    openapi_extra=_NAME,
)
@router.get(
    "/v2/models/{name}/versions/{version}",
    summary="Metadata of a version",
    responses=error_responses(404),
    openapi_extra=_NAME_AND_VERSION,
)
async def read_model(catalog: CatalogDependency, named: NamedDependency) -> ModelInfo:
    """Inputs and outputs; without a version those of the one that is asked then."""
    return ModelInfo.model_validate(describe(catalog, *named))


@router.get(
    "/v2/models/{name}/ready",
    summary="Model ready",
    responses=error_responses(404, 503),
    openapi_extra=_NAME,
)
@router.get(
    "/v2/models/{name}/versions/{version}/ready",
    summary="Version ready",
    responses=error_responses(404, 503),
    openapi_extra=_NAME_AND_VERSION,
)
async def read_model_ready(
    request: Request, catalog: CatalogDependency, named: NamedDependency
) -> ModelIsReady:
    """200 when the model is served and the server is ready."""
    find_manifest(catalog, *named)
    await request.app.state.readiness.check()
    return ModelIsReady(name=named[0])


@router.post("/v2/repository/index", summary="Index of the models")
async def read_index(catalog: CatalogDependency) -> list[IndexEntry]:
    """Every version that can be asked. The body is not read: all of them are ready."""
    return [
        IndexEntry(name=each.name, version=each.version, state=READY) for each in catalog.served
    ]
