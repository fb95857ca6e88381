"""Plain routes for files: exports and statements straight from the API, results of jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from html import escape
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response, StreamingResponse

from frontend.results import ResultFiles
from frontend.server import Problem, Server, ServerError, SessionEnded
from frontend.session import SESSION_COOKIE, language_of, server_of
from frontend.texts import Texts, load_texts

router = APIRouter(prefix="/download")

_EXPORTS = frozenset({"entries", "predictions"})
_PASSED_ON = ("content-type", "content-disposition", "content-encoding", "content-length")


@router.get("/export/{what}")
async def export(what: str, request: Request) -> Response:
    """`/accounts/v1/entries` or `/predictions` as a file; the query is passed on as it came."""
    if what not in _EXPORTS:
        return _said(request, "file_gone", 404)
    return await _pass_on(request, f"/accounts/v1/{what}?{request.url.query}", what)


@router.get("/statement/{month}")
async def statement(month: str, request: Request) -> Response:
    """A month's statement as CSV."""
    return await _pass_on(
        request, f"/accounts/v1/statements/{quote(month, safe='')}?format=csv", f"statement-{month}"
    )


@router.get("/result/{name}")
async def result(name: str, request: Request) -> Response:
    """A file that a job of one's own made."""
    files: ResultFiles = request.app.state.results
    try:
        me = await _user(request).get("/accounts/v1/me")
    except SessionEnded:
        return _ended(request)
    except ServerError:
        return _said(request, "unreachable", 503)
    path = files.find(me["account_id"], name)
    if path is None:
        return _said(request, "file_gone", 404)
    return FileResponse(path, filename=name, headers={"Cache-Control": "private, no-store"})


async def _pass_on(request: Request, path: str, name: str) -> Response:
    """The API's answer, bit by bit as it comes: an export can be longer than memory."""
    opened = AsyncExitStack()
    try:
        response = await opened.enter_async_context(_user(request).stream(path))
    except SessionEnded:
        return _ended(request)
    except Problem as problem:
        said = _texts(request).problem(problem.code) or problem.detail
        return _page(said, problem.status)
    except ServerError:
        return _said(request, "unreachable", 503)

    async def body() -> AsyncIterator[bytes]:
        async with opened:
            async for part in response.aiter_raw():
                yield part

    headers = {each: response.headers[each] for each in _PASSED_ON if each in response.headers}
    suffix = "parquet" if "parquet" in headers.get("content-type", "") else "csv"
    headers.setdefault("content-disposition", f'attachment; filename="{name}.{suffix}"')
    return StreamingResponse(body(), headers=headers | {"Cache-Control": "private, no-store"})


def _user(request: Request) -> Server:
    return server_of(request).as_user(request.cookies.get(SESSION_COOKIE))


def _texts(request: Request) -> Texts:
    return load_texts(language_of(request))


def _said(request: Request, name: str, status: int) -> Response:
    return _page(_texts(request)("errors", name), status)


def _ended(request: Request) -> Response:
    texts = _texts(request)
    sign_in = escape(texts("errors", "sign_in_again"))
    link = f'<a href="/{texts.language}/">{sign_in}</a>'
    return _page(texts("errors", "session_ended"), 401, link)


def _page(said: str, status: int, link: str = "") -> Response:
    """`link` is HTML."""
    head = "<meta charset=utf-8><title>Farebox</title><link rel=icon href=/static/icon.svg>"
    return HTMLResponse(f"<!doctype html>{head}<p>{escape(said)} {link}</p>", status)
