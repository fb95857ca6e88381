"""`inference.GRPCInferenceService`: its methods as Ray Serve calls them on the ingress deployment.

A refusal is set on the call's context and an empty message returned: of an exception Ray would log
the traceback, each time, and drop the trailing metadata.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from time import perf_counter
from typing import Any, Protocol

import grpc
import structlog

from serve.batcher import queue_full
from serve.http import RequestObserver, settle_request_id, unexpected
from serve.pipeline import Answer, Pipeline
from serve.readiness import Readiness
from serve.refusals import Refusal
from serve.v2 import inference_pb2 as pb
from serve.v2.answers import answer_outputs, answer_parameters
from serve.v2.call import TensorCall
from serve.v2.errors import CODE, error_text, retry_after_seconds, status_of
from serve.v2.messages import add_outputs, add_parameters, read_request
from serve.v2.metadata import (
    EXTENSIONS,
    READY,
    SERVER_NAME,
    ModelMetadata,
    TensorMetadata,
    describe,
    find_manifest,
    server_version,
)

_REQUEST_ID = "x-request-id"
_IDEMPOTENCY_KEY = "idempotency-key"
_Tensor = pb.ModelMetadataResponse.TensorMetadata

logger = structlog.get_logger(__name__)


class Context(Protocol):
    """What is used of Ray's own context of a call."""

    def invocation_metadata(self) -> Sequence[tuple[str, str]]: ...
    def set_code(self, code: grpc.StatusCode) -> None: ...
    def set_details(self, details: str) -> None: ...
    def set_trailing_metadata(self, trailing_metadata: list[tuple[str, str]]) -> None: ...


class InferenceService:
    """Answers by the pipeline, the catalogue and the readiness of its replica."""

    def __init__(self, pipeline: Pipeline, readiness: Readiness, observer: RequestObserver) -> None:
        self._pipeline = pipeline
        self._readiness = readiness
        self._observer = observer

    async def check_ready(self) -> None:
        """Return when a request to infer would be answered; raises a Refusal."""
        await self._readiness.check()

    async def check_model(self, name: str, version: str) -> None:
        """Return when the model is served and the server is ready; raises a Refusal."""
        find_manifest(self._pipeline.catalog, name, version or None)
        await self._readiness.check()

    def describe(self, name: str, version: str) -> ModelMetadata:
        """The model's tensors; a Refusal where there is no such model."""
        return describe(self._pipeline.catalog, name, version or None)

    def index(self) -> pb.RepositoryIndexResponse:
        """Every version that can be asked."""
        response = pb.RepositoryIndexResponse()
        for each in self._pipeline.catalog.served:
            response.models.add(name=each.name, version=each.version, state=READY)
        return response

    async def infer(self, request: pb.ModelInferRequest, context: Context) -> pb.ModelInferResponse:
        """Predictions that were paid once; an empty message beside the status of a refusal."""
        began_seconds = perf_counter()
        call = _read_call(request, dict(context.invocation_metadata()))
        if self._pipeline.batcher.is_full:
            return self._refuse(context, queue_full(), call, began_seconds)
        try:
            answer = await self._pipeline.score(call)
            response = _write_paid(request, call, answer)
        except Refusal as refusal:
            return self._refuse(context, refusal, call, began_seconds)
        except Exception:
            logger.exception("request_failed", request_id=call.request_id)
            return self._refuse(context, unexpected(), call, began_seconds)
        outcome = "replayed" if answer.replayed else "charged"
        self._observer.request_ended(outcome, perf_counter() - began_seconds)
        context.set_trailing_metadata(_trailing(call))
        return response

    def _refuse(
        self, context: Context, refusal: Refusal, call: TensorCall, began_seconds: float
    ) -> pb.ModelInferResponse:
        self._observer.request_ended(refusal.code, perf_counter() - began_seconds)
        _set_refusal(context, refusal, _trailing(call))
        return pb.ModelInferResponse()


def _read_call(request: pb.ModelInferRequest, metadata: dict[str, str]) -> TensorCall:
    sent_id = metadata.get(_REQUEST_ID)
    request_id = settle_request_id(None if sent_id is None else sent_id.encode("latin-1"))
    return TensorCall(
        authorization=metadata.get("authorization"),
        request_id=request_id.decode("latin-1"),
        model=request.model_name,
        version=request.model_version or None,
        sent_key=metadata.get(_IDEMPOTENCY_KEY),
        read=lambda: read_request(request),
    )


def _write_paid(
    request: pb.ModelInferRequest, call: TensorCall, answer: Answer
) -> pb.ModelInferResponse:
    stored = answer.stored
    response = pb.ModelInferResponse(
        model_name=stored.model, model_version=stored.version, id=request.id
    )
    add_parameters(response, answer_parameters(answer))
    add_outputs(response, answer_outputs(call.asked, answer))
    return response


def _trailing(call: TensorCall) -> list[tuple[str, str]]:
    return [(_REQUEST_ID, call.request_id), (_IDEMPOTENCY_KEY, call.used_key.text)]


def _set_refusal(
    context: Context, refusal: Refusal, trailing: Sequence[tuple[str, str]] = ()
) -> None:
    context.set_code(status_of(refusal))
    context.set_details(error_text(refusal))
    seconds = retry_after_seconds(refusal)
    waiting = [] if seconds is None else [("retry-after", str(seconds))]
    context.set_trailing_metadata([*trailing, (CODE, str(refusal.code)), *waiting])


Method = Callable[["InferenceMethods", Any, Any], Awaitable[Any]]


def _refusing(empty: type[Any]) -> Callable[[Method], Method]:
    """Have a method's refusals set on the context, and an `empty` message returned."""

    def wrap(method: Method) -> Method:
        @wraps(method)
        async def refusing(self: InferenceMethods, request: Any, grpc_context: Any) -> Any:  # noqa: ANN401 - messages
            try:
                return await method(self, request, grpc_context)
            except Refusal as refusal:
                _set_refusal(grpc_context, refusal)
            except Exception:
                logger.exception("request_failed")
                _set_refusal(grpc_context, unexpected())
            return empty()

        return refusing

    return wrap


class InferenceMethods:
    """The methods that Ray Serve looks for on the ingress deployment, by the service's names.

    Ray passes its context by name.
    """

    inference: InferenceService

    async def ServerLive(  # noqa: N802 - the service's name
        self, request: pb.ServerLiveRequest
    ) -> pb.ServerLiveResponse:
        """True as long as this replica runs."""
        return pb.ServerLiveResponse(live=True)

    @_refusing(pb.ServerReadyResponse)
    async def ServerReady(  # noqa: N802 - the service's name
        self, request: pb.ServerReadyRequest, grpc_context: Context
    ) -> pb.ServerReadyResponse:
        """True, or UNAVAILABLE with what is missing."""
        await self.inference.check_ready()
        return pb.ServerReadyResponse(ready=True)

    @_refusing(pb.ModelReadyResponse)
    async def ModelReady(  # noqa: N802 - the service's name
        self, request: pb.ModelReadyRequest, grpc_context: Context
    ) -> pb.ModelReadyResponse:
        """True, NOT_FOUND for what is not served, or UNAVAILABLE."""
        await self.inference.check_model(request.name, request.version)
        return pb.ModelReadyResponse(ready=True)

    async def ServerMetadata(  # noqa: N802 - the service's name
        self, request: pb.ServerMetadataRequest
    ) -> pb.ServerMetadataResponse:
        """What the server is."""
        return pb.ServerMetadataResponse(
            name=SERVER_NAME, version=server_version(), extensions=EXTENSIONS
        )

    @_refusing(pb.ModelMetadataResponse)
    async def ModelMetadata(  # noqa: N802 - the service's name
        self, request: pb.ModelMetadataRequest, grpc_context: Context
    ) -> pb.ModelMetadataResponse:
        """The model's tensors, or NOT_FOUND."""
        model = self.inference.describe(request.name, request.version)
        return pb.ModelMetadataResponse(
            name=model.name,
            versions=model.versions,
            platform=model.platform,
            inputs=map(_tensor, model.inputs),
            outputs=map(_tensor, model.outputs),
        )

    async def ModelInfer(  # noqa: N802 - the service's name
        self, request: pb.ModelInferRequest, grpc_context: Context
    ) -> pb.ModelInferResponse:
        """Predictions that were paid once."""
        return await self.inference.infer(request, grpc_context)

    async def RepositoryIndex(  # noqa: N802 - the service's name
        self, request: pb.RepositoryIndexRequest
    ) -> pb.RepositoryIndexResponse:
        """Every version that can be asked."""
        return self.inference.index()


def _tensor(metadata: TensorMetadata) -> _Tensor:
    return _Tensor(name=metadata.name, datatype=metadata.datatype, shape=metadata.shape)
