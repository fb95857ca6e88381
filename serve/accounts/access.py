"""Who may call what: every route is made by `make_router`, which guards it and documents the guard.

A request comes in by a session (a browser's cookie or a bearer token) or, to read, by an API key.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute

from billing.api_keys.actions import note_uses
from billing.api_keys.values import Scope
from billing.audit.actions import Actor
from billing.directory import Directory
from billing.keys import parse_key
from billing.sessions.actions import find_session
from billing.sessions.values import TOKEN_PREFIX, Role
from serve.accounts.origins import origin_of
from serve.accounts.services import Services
from serve.authentication import require_scope
from serve.refusals import Code, Refusal

COOKIE = "__Host-farebox_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Access(StrEnum):
    """Who may call a route."""

    PUBLIC = "public"
    READ = "read"
    """Any signed-in user, or an API key with the scope `read`: for their own account."""
    USER = "user"
    OPERATOR = "operator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and by what."""

    account_id: uuid.UUID
    role: Role
    session_id: uuid.UUID | None = None
    key_id: str | None = None

    @property
    def actor(self) -> Actor:
        """As the audit log names them."""
        return Actor(self.role, self.account_id)


def make_router(access: Access, tag: str, prefix: str = "/v1") -> APIRouter:
    """A router under `prefix` whose every route takes callers with `access` alone."""

    class Route(APIRoute):
        def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401
            extra = dict(options.pop("openapi_extra", None) or {})
            extra["x-farebox-access"] = access
            extra["security"] = _SECURITY[access]
            super().__init__(path, endpoint, openapi_extra=extra, **options)

    guards = [] if access is Access.PUBLIC else [Depends(_GUARDS[access])]
    return APIRouter(prefix=prefix, tags=[tag], dependencies=guards, route_class=Route)


async def _caller(request: Request) -> Caller:
    """Whoever the request's cookie or bearer token stands for; UNAUTHENTICATED otherwise."""
    services: Services = request.app.state.services
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    bearer = bearer.strip() if scheme.lower() == "bearer" else ""
    cookie = request.cookies.get(COOKIE, "")
    if not bearer and cookie:
        check_same_origin(request, services.settings.public_url)
    token = bearer or cookie
    if token.startswith(TOKEN_PREFIX):
        caller = await _by_session(services, token)
    else:  # a cookie holds nothing but sessions
        caller = await _by_key(services, bearer)
    if caller is None:
        said = "The session has ended, or the key is cut, unknown or revoked. " if token else ""
        raise Refusal(
            Code.UNAUTHENTICATED,
            said + "Sign in with POST /accounts/v1/sessions and send its token as "
            "`Authorization: Bearer fb_sess_...`; reading takes an API key too.",
        )
    return caller


async def _by_session(services: Services, token: str) -> Caller | None:
    session = await find_session(
        services.database, token, lifetimes=services.settings.lifetimes, now=services.now()
    )
    if session is None:
        return None
    return Caller(session.account_id, session.role, session_id=session.id)


async def _by_key(services: Services, text: str) -> Caller | None:
    key = parse_key(text)
    if key is None:
        return None
    directory = Directory(services.database, services.billing.key_hash_secret)
    principal = await directory.fetch_principal(key)
    now = services.now()
    if principal is None or principal.is_expired(now):
        return None
    require_scope(principal, Scope.READ)
    await note_uses(services.database, [principal.key_id], now)
    return Caller(principal.account_id, Role.USER, key_id=principal.key_id)


def check_same_origin(request: Request, public_url: str) -> None:
    """A cookie travels with requests that other sites make: those may not change anything.

    Browsers say where a request comes from by `Sec-Fetch-Site`, older ones by `Origin`.
    """
    if request.method in _SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site == "same-origin":
        return
    if site is None and origin is not None and origin_of(origin) == origin_of(public_url):
        return
    raise Refusal(Code.CROSS_SITE, "A session's cookie is taken from our own pages alone.")


CallerDependency = Annotated[Caller, Depends(_caller)]


async def _read_guard(caller: CallerDependency) -> None:
    """Sessions and keys alike: a key comes in by its scope `read`."""


async def _user_guard(caller: CallerDependency) -> None:
    _require(caller, Role.USER)


async def _operator_guard(caller: CallerDependency) -> None:
    _require(caller, Role.OPERATOR)


async def _admin_guard(caller: CallerDependency) -> None:
    _require(caller, Role.ADMIN)


def _require(caller: Caller, role: Role) -> None:
    if caller.session_id is None:
        raise Refusal(Code.FORBIDDEN, "An API key cannot do this: sign in.")
    if not caller.role.includes(role):
        raise Refusal(Code.FORBIDDEN, f"This takes the role `{role}`; yours is `{caller.role}`.")


_GUARDS: dict[Access, Callable[..., Any]] = {
    Access.READ: _read_guard,
    Access.USER: _user_guard,
    Access.OPERATOR: _operator_guard,
    Access.ADMIN: _admin_guard,
}

_SESSION: dict[str, list[str]] = {"session": []}
_SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    Access.PUBLIC: [],
    Access.READ: [_SESSION, {"cookie": []}, {"api_key": []}],
    Access.USER: [_SESSION, {"cookie": []}],
    Access.OPERATOR: [_SESSION, {"cookie": []}],
    Access.ADMIN: [_SESSION, {"cookie": []}],
}

SECURITY_SCHEMES = {
    "session": {"type": "http", "scheme": "bearer", "description": "`fb_sess_...`"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    "api_key": {"type": "http", "scheme": "bearer", "description": "`fb_live_...`, to read"},
}
"""For the OpenAPI document."""
