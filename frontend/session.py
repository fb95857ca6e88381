"""Sign up, sign in and out: plain routes that keep the session's token in an HttpOnly cookie."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from frontend.language import COOKIE as LANGUAGE_COOKIE
from frontend.language import Language, choose_language
from frontend.server import Problem, Server, ServerError, SessionEnded
from frontend.texts import Texts, load_texts

SESSION_COOKIE = "__Host-farebox_console"
"""`__Host-`: over TLS or on loopback only, for this host alone, and for all of its paths. Browsers
share cookies between ports, so the API's own cookie has another name."""

_OWN_PATH = re.compile(r"/(?!/)[!-\[\]-~]*")
"""Printable ASCII: browsers take `\\` for `/`, and leave out tabs and line breaks, so that `/`, a
tab and `/host` lead to another host."""

_LANGUAGE_SECONDS = 365 * 24 * 3600

router = APIRouter()


class Entry(BaseModel):
    """What the forms of sign-in and sign-up send; the API says what is wrong with it."""

    email: str = ""
    password: str = Field(default="", repr=False)
    language: str = ""
    after: str = ""
    """The page to go on to."""


@router.post("/session")
async def create_session(request: Request, entry: Annotated[Entry, Form()]) -> Response:
    """Sign in; the page goes on to `location` of the answer, or shows its `problem`."""
    return await _enter(request, entry)


@router.post("/sign-up")
async def sign_up(request: Request, entry: Annotated[Entry, Form()]) -> Response:
    """Make an account and sign in to it."""
    try:
        await _post_entry(request, "/accounts/v1/users", entry)
    except ServerError as error:
        return tell(error, texts_of(entry.language))
    return await _enter(request, entry)


@router.post("/session/end")
async def end_session(request: Request) -> Response:
    """Sign out here; the session ends on the server too."""
    server = server_of(request)
    with suppress(ServerError):  # the cookie goes all the same; the session then ends by age
        await server.as_user(request.cookies.get(SESSION_COOKIE)).change(
            "DELETE", "/accounts/v1/sessions/current"
        )
    response = RedirectResponse(f"/{language_of(request)}/", status_code=303)
    forget_session(response)
    return response


@router.get("/session")
async def read_session(request: Request) -> Response:
    """204 while somebody is signed in, 401 when not: pages ask when they are looked at again."""
    try:
        await server_of(request).as_user(request.cookies.get(SESSION_COOKIE)).get("/accounts/v1/me")
    except SessionEnded:
        return Response(status_code=401)
    except ServerError:
        return Response(status_code=503)
    return Response(status_code=204)


@router.post("/password-reset")
async def ask_password_reset(
    request: Request,
    email: Annotated[str, Form()] = "",
    language: Annotated[str, Form()] = "",
) -> Response:
    """Have a link sent that sets a new password."""
    texts = texts_of(language)
    if not email.strip():
        return JSONResponse({"problem": texts("welcome", "forgot_needs_email")}, status_code=422)
    server = server_of(request)
    try:
        terms = await server.get("/accounts/v1/terms")
        if not terms["sends_mail"]:
            return JSONResponse({"problem": texts("welcome", "no_mail")}, status_code=422)
        await server.send(
            "POST",
            "/accounts/v1/password-resets",
            json={"email": email},
            headers=forwarded(request),
        )
    except ServerError as error:
        return tell(error, texts)
    return JSONResponse({"said": texts("welcome", "forgot_sent")})


@router.get("/language/{language}")
async def choose(language: Language, after: str = "") -> Response:
    """The switch of the language: remembered for a year."""
    path = after if is_own_path(after) else "/"
    for known in Language:
        if path == f"/{known}" or path.startswith(f"/{known}/"):
            path = f"/{language}" + path.removeprefix(f"/{known}")
            break
    else:
        path = f"/{language}/"
    response = RedirectResponse(path, status_code=303)
    response.set_cookie(
        LANGUAGE_COOKIE, language, max_age=_LANGUAGE_SECONDS, httponly=True, samesite="lax"
    )
    return response


@router.get("/")
async def go_home(request: Request) -> Response:
    """To the welcome page in the browser's language."""
    return RedirectResponse(f"/{language_of(request)}/", status_code=303)


def is_own_path(path: str) -> bool:
    """Whether a redirect there stays on this console: a path, and no other host in disguise."""
    return bool(_OWN_PATH.fullmatch(path))


def forget_session(response: Response) -> None:
    """Have the browser drop the cookie."""
    response.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="lax")


async def _enter(request: Request, entry: Entry) -> Response:
    texts = texts_of(entry.language)
    try:
        session = await _post_entry(request, "/accounts/v1/sessions", entry)
    except ServerError as error:
        return tell(error, texts)
    location = entry.after if is_own_path(entry.after) else f"/{texts.language}/check"
    response = JSONResponse({"location": location})
    lifetime = datetime.fromisoformat(session["expires_at"]) - datetime.now(UTC)
    response.set_cookie(
        SESSION_COOKIE,
        session["token"],
        max_age=int(lifetime.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return response


async def _post_entry(request: Request, path: str, entry: Entry) -> dict[str, Any]:
    body = {"email": entry.email, "password": entry.password}
    answer = await server_of(request).send("POST", path, json=body, headers=forwarded(request))
    told: dict[str, Any] = answer.json()
    return told


def tell(error: ServerError, texts: Texts) -> Response:
    """What a form shows of an error."""
    if not isinstance(error, Problem):
        return JSONResponse({"problem": texts("errors", "unreachable")}, status_code=503)
    said = texts.problem(error.code) or " ".join(
        [detail for _, detail in error.faults] or [error.detail]
    )
    if error.retry_after_seconds:
        said += " " + texts("errors", "try_again_in", seconds=round(error.retry_after_seconds))
    return JSONResponse({"problem": said}, status_code=error.status)


def forwarded(request: Request) -> dict[str, str]:
    """Who sits behind us: throttles count by address, and the list of sessions names browsers."""
    address = request.client.host if request.client else ""
    return {
        "User-Agent": request.headers.get("user-agent", ""),
        **({"X-Forwarded-For": address} if address else {}),
    }


def server_of(request: Request) -> Server:
    """The API, asked in nobody's name."""
    server: Server = request.app.state.server
    return server


def language_of(request: Request) -> Language:
    """The one chosen by the switch, or the browser's."""
    return choose_language(
        request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", "")
    )


def texts_of(language: str) -> Texts:
    """The texts of the language that a form was sent in."""
    return load_texts(Language(language) if language in set(Language) else Language.ENGLISH)
