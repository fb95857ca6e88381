"""The FastAPI application: the read routes, the probes, and the documentation of all routes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.security import HTTPBearer

from billing.api_keys.values import Scope
from billing.credits import Credits
from billing.errors import PriceMissing
from billing.principal import Principal
from models.manifest import Manifest
from serve.authentication import require_scope
from serve.docs import add_docs
from serve.http import answer_body
from serve.pipeline import ROUTE, Pipeline, find_answer
from serve.problems import add_problem_handlers
from serve.readiness import Readiness
from serve.refusals import Code, Refusal
from serve.scoring_operation import SCORING_OPERATION
from serve.stored_explanations import StoredExplanations
from serve.v2.operation import INFER_OPERATIONS
from serve.v2.routes import router as inference_router
from serve.wire import (
    Account,
    ExplainedInstance,
    ModelCard,
    ModelList,
    PredictionAnswer,
    PredictionRequest,
    Problem,
    Status,
    problem_responses,
)

_DESCRIPTION = """\
Predictions of machine-learning models, charged to prepaid credits: for each request that succeeds,
exactly once, and for nothing else. Send an `Idempotency-Key` and any request can be sent again
without being charged twice; every answer names the key that was used. Errors are problem documents
(RFC 9457) with a stable `code`.
"""

# Documented by hand: declared on the function, FastAPI would document a fault of its own with it.
_ID_PARAMETER = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The id of a paid answer",
    "schema": {"type": "string", "format": "uuid"},
}

router = APIRouter()
_bearer = HTTPBearer(
    auto_error=False,
    description="An API key, `fb_live_...`, or the token of a session, `fb_sess_...`",
)


def build_api(
    pipeline: Pipeline, readiness: Readiness, explanations: StoredExplanations
) -> FastAPI:
    """The application behind the scoring route."""
    api = FastAPI(
        title="Farebox",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.state.pipeline = pipeline
    api.state.readiness = readiness
    api.state.explanations = explanations
    api.include_router(router)
    api.include_router(inference_router)
    add_docs(api)
    api.openapi = lambda: _openapi(api)  # type: ignore[method-assign]
    add_problem_handlers(api)
    return api


def _pipeline(request: Request) -> Pipeline:
    pipeline: Pipeline = request.app.state.pipeline
    return pipeline


async def _principal(request: Request) -> Principal:
    """Whose account is read: every route behind this one reads."""
    authenticator = _pipeline(request).authenticator
    principal = await authenticator.authenticate(request.headers.get("authorization"))
    require_scope(principal, Scope.READ)
    return principal


PipelineDependency = Annotated[Pipeline, Depends(_pipeline)]
PrincipalDependency = Annotated[Principal, Depends(_principal)]


@router.get("/healthz", summary="Liveness", tags=["probes"])
async def read_health() -> Status:
    """200 as long as this replica runs."""
    return Status(status="ok")


@router.get("/readyz", summary="Readiness", tags=["probes"], responses=problem_responses(503))
async def read_readiness(request: Request) -> Status:
    """200 only when the database is a writable primary, the models are loaded and billing answers.

    Looked at most once a second, however often it is asked.
    """
    await request.app.state.readiness.check()
    return Status(status="ready")


@router.get("/v1/models", summary="Models, versions, features, prices", tags=["models"])
async def list_models(pipeline: PipelineDependency) -> ModelList:
    """All model versions that can be asked, and who answers by default; no key is needed."""
    return ModelList(
        models=[_model_card(manifest, pipeline) for manifest in pipeline.catalog.served]
    )


def _model_card(manifest: Manifest, pipeline: Pipeline) -> ModelCard:
    rollout = pipeline.catalog.rollout(manifest.name)
    is_champion = manifest.version == rollout.champion
    is_challenger = manifest.version == rollout.challenger
    pricing = pipeline.pricing
    return ModelCard(
        name=manifest.name,
        version=manifest.version,
        kind=manifest.kind,
        labels={"negative": manifest.labels.negative, "positive": manifest.labels.positive},
        threshold=manifest.threshold,
        features=list(manifest.feature_schema.names),
        features_sha256=manifest.feature_schema.sha256,
        price_per_instance=_price_of_one(pricing.price, manifest),
        explanation_price_per_instance=(
            _price_of_one(pricing.explanation_price, manifest) if manifest.can_explain else None
        ),
        created_at=manifest.created_at.isoformat(),
        default=is_champion,
        alias="champion" if is_champion else "challenger" if is_challenger else None,
        canary_percent=rollout.canary_percent if is_challenger else 0,
        shadow=is_challenger and rollout.shadow,
    )


def _price_of_one(price: Callable[[str, str, int], Credits], manifest: Manifest) -> str | None:
    try:
        return str(price(manifest.name, manifest.version, 1))
    except PriceMissing:
        return None


@router.get(
    "/v1/account",
    summary="The account behind the key or the session",
    tags=["account"],
    dependencies=[Depends(_bearer)],
    responses=problem_responses(401, 403, 503),
)
async def read_account(pipeline: PipelineDependency, principal: PrincipalDependency) -> Account:
    """Name and balance of now."""
    balance = await pipeline.history.fetch_balance(principal.account_id)
    return Account(
        account=principal.account_name,
        account_id=str(principal.account_id),
        key_id=principal.key_id,
        credits_balance=str(balance),
    )


@router.get(
    ROUTE + "/{id}",
    summary="A stored answer",
    tags=["predictions"],
    response_model=PredictionAnswer,
    dependencies=[Depends(_bearer)],
    responses=problem_responses(401, 403, 404, 410, 503),
    openapi_extra={"parameters": [_ID_PARAMETER]},
)
async def read_prediction(
    pipeline: PipelineDependency, principal: PrincipalDependency, request: Request
) -> Response:
    """What a request was answered, for 24 hours; the balance is that of now. Free."""
    answer = await find_answer(pipeline.history, principal, _charge_id(request.path_params["id"]))
    return Response(answer_body(answer), media_type="application/json")


@router.get(
    ROUTE + "/{id}/explanation",
    summary="Why one instance was answered so",
    tags=["predictions"],
    response_model=ExplainedInstance,
    dependencies=[Depends(_bearer)],
    responses=problem_responses(401, 403, 404, 410, 422, 429, 500, 503),
    openapi_extra={"parameters": [_ID_PARAMETER]},
)
async def read_explanation(
    request: Request,
    principal: PrincipalDependency,
    instance: Annotated[int, Query(ge=0, description="Which one, counted from 0")] = 0,
) -> Response:
    """What contributed to one instance of a paid prediction, for 24 hours; as `explain: true` tells
    it. Free, and so bounded: 60 an hour for each account. What was explained when it was paid is
    told again and does not count. To explain many, send `explain: true` with them."""
    explanations: StoredExplanations = request.app.state.explanations
    content = await explanations.explain(
        principal.account_id,
        _charge_id(request.path_params["id"]),
        instance,
        request.headers.get("x-request-id", ""),
    )
    return Response(content, media_type="application/json")


def _charge_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Refusal(
            Code.PREDICTION_NOT_FOUND, "The id of a prediction is the UUID in its answer."
        ) from None


def _openapi(api: FastAPI) -> dict[str, Any]:
    """The document of all routes, the scoring route that FastAPI never sees included."""
    if api.openapi_schema is None:
        document = get_openapi(
            title=api.title, version=api.version, description=api.description, routes=api.routes
        )
        document["paths"][ROUTE] = {"post": SCORING_OPERATION}
        document["paths"] |= INFER_OPERATIONS
        schemas = document["components"]["schemas"]
        for model in (Problem, PredictionRequest, PredictionAnswer):
            _add_schema(
                schemas, model.model_json_schema(ref_template="#/components/schemas/{model}")
            )
        api.openapi_schema = document
    return api.openapi_schema


def _add_schema(schemas: dict[str, Any], schema: dict[str, Any]) -> None:
    schemas.update(schema.pop("$defs", {}))
    schemas[schema["title"]] = schema
