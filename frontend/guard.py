"""What stands before every request: other sites are kept out, pages need a session, HTML of
Gradio's is made ours. Plain ASGI, as bodies of uploads and streams of events pass through."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from frontend.language import Language
from frontend.server import Server, ServerError, SessionEnded
from frontend.session import SESSION_COOKIE, texts_of
from frontend.texts import load_texts

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

PAGES = ("", "check", "many", "account", "history", "operations")
"""Paths of the pages behind the prefix of the language; all but the first need a session."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    # Charts compile their expressions: Vega needs `unsafe-eval`.
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline' "
    "'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_FOREIGN_META = re.compile(r'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>\s*')
_MANIFEST = re.compile(r'<link rel="manifest"[^>]*>\s*')
_HEAD = (
    '<link rel="icon" href="/static/icon.svg" type="image/svg+xml">'
    '<link rel="stylesheet" href="/static/console.css"><script src="/static/early.js"></script>'
)
_STYLED = frozenset(
    page for page in PAGES if files("frontend").joinpath("static", f"{page}.css").is_file()
)
"""Pages with styles of their own beside those of all."""


class Guard:
    """Wraps the application."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        page = find_page(scope["path"])
        if scope["method"] not in _SAFE_METHODS and not _is_same_origin(connection.headers):
            answer = PlainTextResponse(load_texts(Language.ENGLISH)("errors", "cross_site"), 403)
            await answer(scope, receive, send)
        elif _is_upload(scope) and (refused := await _refuse_upload(connection)):
            await refused(scope, receive, send)
        elif page and page[1] and SESSION_COOKIE not in connection.cookies:
            after = scope["path"] + (f"?{connection.url.query}" if connection.url.query else "")
            location = f"/{page[0]}/?after={quote(after, safe='/')}"
            await RedirectResponse(location, 303)(scope, receive, send)
        elif page:
            await self._answer_page(*page, scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send))

    async def _answer_page(
        self, language: Language, name: str, scope: Message, receive: Receive, send: Send
    ) -> None:
        """Gradio's HTML, collected whole and made ours; it is asked for uncompressed."""
        headers = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            ours = bytes(body)
            if start["status"] == 200:  # noqa: PLR2004
                ours = make_ours(ours.decode(), language, name).encode()
            answer = MutableHeaders(raw=start["headers"])
            answer.update({"Content-Length": str(len(ours)), "Cache-Control": "no-store"})
            with_headers = _with_headers(send)
            await with_headers(start)
            await with_headers({"type": "http.response.body", "body": ours})

        await self._app({**scope, "headers": headers}, receive, collect)


def _is_upload(scope: Message) -> bool:
    """Whether Gradio would store a file: it does so for anybody."""
    return bool(scope["method"] == "POST" and scope["path"].rstrip("/").endswith("/upload"))


async def _refuse_upload(connection: HTTPConnection) -> Response | None:
    """None for whoever is signed in; nobody else may fill the disk."""
    server: Server = connection.app.state.server
    try:
        await server.as_user(connection.cookies.get(SESSION_COOKIE)).get("/accounts/v1/me")
    except ServerError as error:
        status, name = (
            (401, "session_ended") if isinstance(error, SessionEnded) else (503, "unreachable")
        )
        texts = texts_of(connection.scope["path"].split("/")[1])
        return PlainTextResponse(texts("errors", name), status)
    return None


def find_page(path: str) -> tuple[Language, str] | None:
    """Language and name of the page at that path, where there is one."""
    for language in Language:
        if path.startswith(f"/{language}/"):
            name = path.removeprefix(f"/{language}/").rstrip("/")
            return (language, name) if name in PAGES else None
    return None


def make_ours(html: str, language: Language, page: str) -> str:
    """The page's language and title, our styles first, and nothing that speaks of other sites."""
    texts = load_texts(language)
    title = texts("frame", page or "welcome") + " \N{MIDDLE DOT} " + texts("frame", "title")
    html = _FOREIGN_META.sub("", _MANIFEST.sub("", html))
    html = html.replace('lang="en"', f'lang="{language}"', 1)
    html = html.replace(f'"title":"{texts("frame", "title")}"', f'"title":"{title}"', 1)
    head = f"<title>{title}</title>{_HEAD}"
    if page in _STYLED:
        head += f'<link rel="stylesheet" href="/static/{page}.css">'
    return html.replace("<head>", f"<head>{head}", 1)


def _is_same_origin(headers: Headers) -> bool:
    """Browsers say where a request comes from; who says nothing is no browser, and brings no
    cookie that it did not put there itself."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is None or origin.partition("//")[2] == headers.get("host")


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(raw=message["headers"]).update(_HEADERS)
        await send(message)

    return sent
