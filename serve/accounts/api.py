"""The FastAPI application `accounts`: the routers of all slices under one set of rules."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from serve.accounts.access import SECURITY_SCHEMES
from serve.accounts.alerts import routes as alerts
from serve.accounts.api_keys import routes as api_keys
from serve.accounts.audit import routes as audit
from serve.accounts.bodies import BoundedBodies
from serve.accounts.drift import routes as drift
from serve.accounts.grants import routes as grants
from serve.accounts.history import operator_routes as operator_history
from serve.accounts.history import routes as history
from serve.accounts.holds import routes as holds
from serve.accounts.prices import routes as prices
from serve.accounts.reconciliations import routes as reconciliations
from serve.accounts.refund_requests import routes as refund_requests
from serve.accounts.refunds import routes as refunds
from serve.accounts.replicas import routes as replicas
from serve.accounts.reports import routes as reports
from serve.accounts.services import Services
from serve.accounts.sessions import routes as sessions
from serve.accounts.terms import routes as terms
from serve.accounts.top_ups import pages as test_payments
from serve.accounts.top_ups import routes as top_ups
from serve.accounts.usage import routes as usage
from serve.accounts.users import mail_routes as mail
from serve.accounts.users import routes as users
from serve.docs import add_docs
from serve.problems import add_problem_handlers
from serve.wire import Problem, problem_responses

ROUTERS: list[APIRouter] = [
    audit.router,
    mail.public_router,
    mail.router,
    sessions.public_router,
    sessions.router,
    users.admin_router,
    users.operator_router,
    users.public_router,
    users.read_router,
    users.router,
    history.router,
    grants.router,
    grants.operator_router,
    refunds.router,
    refunds.operator_router,
    refund_requests.user_router,
    refund_requests.router,
    refund_requests.operator_router,
    operator_history.router,
    top_ups.router,
    top_ups.webhook_router,
    top_ups.operator_router,
    test_payments.router,
    holds.router,
    alerts.router,
    api_keys.router,
    prices.public_router,
    prices.admin_router,
    prices.quote_router,
    usage.router,
    usage.operator_router,
    reports.router,
    drift.router,
    reconciliations.router,
    replicas.router,
    terms.router,
]

_DESCRIPTION = """\
People, their prepaid credits, API keys, history and reports. Sign up, sign in, and send the
session's token as `Authorization: Bearer fb_sess_...`. A POST with an `Idempotency-Key` can be sent
again: what it makes is made once. Amounts are credits as plain decimal strings. Errors are problem
documents (RFC 9457) with a stable `code`.
"""


def build_accounts_api(services: Services) -> FastAPI:
    """The application behind the route prefix `/accounts`."""
    api = FastAPI(
        title="Farebox accounts",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.services = services
    for router in ROUTERS:
        api.include_router(router)
    add_docs(api)
    add_problem_handlers(api)
    api.add_middleware(BoundedBodies, bytes_max=services.settings.request_bytes_max)
    api.openapi = lambda: _openapi(api)  # type: ignore[method-assign]
    return api


def _openapi(api: FastAPI) -> dict[str, Any]:
    """The document of all routes, each with who may call it and how its errors look."""
    if api.openapi_schema is None:
        document = get_openapi(
            title=api.title,
            version=api.version,
            description=api.description,
            routes=api.routes,
            servers=[{"url": "/accounts"}],
        )
        components = document.setdefault("components", {})
        components["securitySchemes"] = SECURITY_SCHEMES
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = components.setdefault("schemas", {})
        schemas.update(problem.pop("$defs", {}))
        schemas["Problem"] = problem
        _document_problems(document)
        api.openapi_schema = document
    return api.openapi_schema


def _document_problems(document: dict[str, Any]) -> None:
    """A request that is not valid leaves as a problem too, not in FastAPI's own form."""
    invalid = problem_responses(422)[422]
    for operations in document["paths"].values():
        for operation in operations.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                operation["responses"]["422"] = invalid
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
