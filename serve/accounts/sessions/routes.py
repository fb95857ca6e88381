"""`/v1/sessions`: sign in, see where one is signed in, sign out."""

from __future__ import annotations

import uuid

from fastapi import Request, Response

from billing.sessions.actions import SignedIn, end_other_sessions, end_session, sign_in
from billing.sessions.queries import fetch_sessions
from billing.users.values import normalise_email
from serve.accounts.access import (
    COOKIE,
    Access,
    CallerDependency,
    check_same_origin,
    make_router,
)
from serve.accounts.requests import (
    Page,
    PageDependency,
    encode_cursor,
    mark_created,
    uuid_after,
)
from serve.accounts.services import ServicesDependency
from serve.accounts.sessions.wire import SessionView, SignedInView, SignIn
from serve.refusals import Code, Refusal
from serve.wire import problem_responses

public_router = make_router(Access.PUBLIC, "sessions")
router = make_router(Access.USER, "sessions")


@public_router.post(
    "/sessions",
    status_code=201,
    summary="Sign in",
    response_model_exclude_none=True,
    responses=problem_responses(401, 403, 422, 429, 503),
)
async def create_session(
    body: SignIn, request: Request, response: Response, services: ServicesDependency
) -> SignedInView:
    """A token for programs; a cookie, that no script can read, for a browser's own pages."""
    if body.cookie:
        check_same_origin(request, services.settings.public_url)
    email = _as_stored(body.email)
    now = services.now()
    address = services.throttles.client_address(request)
    services.throttles.sign_in.attempt(email, address, now)
    signed_in = await sign_in(
        services.database,
        services.passwords,
        email,
        body.password.get_secret_value(),
        user_agent=request.headers.get("user-agent", ""),
        lifetimes=services.settings.lifetimes,
        now=now,
    )
    services.throttles.sign_in.forgive(email)
    mark_created(response, f"/accounts/v1/sessions/{signed_in.session_id}")
    response.headers["Cache-Control"] = "no-store"
    if body.cookie:
        seconds = int(services.settings.lifetimes.absolute.total_seconds())
        _set_cookie(response, signed_in.token, seconds)
    return _signed_in_view(signed_in, shows_token=not body.cookie)


@router.get(
    "/sessions", summary="Where one is signed in", responses=problem_responses(401, 403, 422, 503)
)
async def list_sessions(
    services: ServicesDependency, caller: CallerDependency, page: PageDependency
) -> Page[SessionView]:
    """Newest first; those that have ended are left out."""
    found = await fetch_sessions(
        services.database,
        caller.account_id,
        lifetimes=services.settings.lifetimes,
        now=services.now(),
        before=uuid_after(page),
        rows_max=page.limit + 1,
    )
    shown = found[: page.limit]
    items = [
        SessionView(
            id=each.id,
            user_agent=each.user_agent,
            created_at=each.created_at,
            last_seen_at=each.last_seen_at,
            expires_at=each.expires_at,
            current=each.id == caller.session_id,
        )
        for each in shown
    ]
    cursor = encode_cursor(shown[-1].id) if len(found) > page.limit else None
    return Page(items=items, next_cursor=cursor)


@router.delete(
    "/sessions",
    status_code=204,
    summary="Sign out everywhere else",
    responses=problem_responses(401, 403, 503),
)
async def delete_other_sessions(services: ServicesDependency, caller: CallerDependency) -> None:
    """All sessions but the one of this request end."""
    assert caller.session_id is not None
    await end_other_sessions(services.database, caller.account_id, caller.session_id)


@router.delete(
    "/sessions/current",
    status_code=204,
    summary="Sign out",
    responses=problem_responses(401, 403, 503),
)
async def delete_current_session(
    response: Response, services: ServicesDependency, caller: CallerDependency
) -> None:
    """The session of this request ends, and its cookie is cleared."""
    assert caller.session_id is not None
    await end_session(services.database, caller.account_id, caller.session_id)
    clear_cookie(response)


@router.delete(
    "/sessions/{session_id}",
    status_code=204,
    summary="End a session",
    responses=problem_responses(401, 403, 404, 422, 503),
)
async def delete_session(
    session_id: uuid.UUID,
    response: Response,
    services: ServicesDependency,
    caller: CallerDependency,
) -> None:
    """One's own; any other is not found."""
    if not await end_session(services.database, caller.account_id, session_id):
        raise Refusal(Code.NOT_FOUND, "There is no such session.")
    if session_id == caller.session_id:
        clear_cookie(response)


def clear_cookie(response: Response) -> None:
    """Have the browser forget the session."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")


def _set_cookie(response: Response, token: str, seconds: int) -> None:
    response.set_cookie(
        COOKIE, token, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax"
    )


def _as_stored(email: str) -> str:
    """As a user's e-mail would be stored; what is no address is nobody's, and told as that."""
    try:
        return normalise_email(email)
    except ValueError:
        return email.strip().lower()


def _signed_in_view(signed_in: SignedIn, *, shows_token: bool) -> SignedInView:
    return SignedInView(
        token=signed_in.token if shows_token else None,
        session_id=signed_in.session_id,
        expires_at=signed_in.expires_at,
        account_id=signed_in.account_id,
        role=signed_in.role,
    )
