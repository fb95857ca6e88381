"""Composes the console: plain routes, and the pages of each language mounted in them."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import gradio as gr
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from frontend import credentials, downloads, session
from frontend.context import Console
from frontend.features.catalogue import load_catalogue
from frontend.guard import Guard
from frontend.html import Templates
from frontend.language import Language
from frontend.pages.account.page import build_account
from frontend.pages.check.page import build_check
from frontend.pages.frame import Page, open_page
from frontend.pages.history.page import build_history
from frontend.pages.many.page import build_many
from frontend.pages.operations.page import build_operations
from frontend.pages.welcome import build_welcome
from frontend.results import ResultFiles
from frontend.server import Server, connect
from frontend.settings import ConsoleSettings
from frontend.texts import load_texts
from frontend.theme import make_theme

Build = Callable[[Page], None]

_BUILDERS: dict[str, Build] = {
    "check": build_check,
    "many": build_many,
    "account": build_account,
    "history": build_history,
    "operations": build_operations,
}
"""Of each page but the welcome page, by its path."""

_SWEEP_SECONDS = 3600


def build_application(settings: ConsoleSettings) -> FastAPI:
    """The whole console as an ASGI application."""
    server = connect(settings.server_url, settings.request_seconds)
    work_dir = settings.work_dir or Path(tempfile.gettempdir()) / f"farebox-console-{settings.port}"
    results = ResultFiles(work_dir / "results", settings.files_kept_hours * 3600)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep(results))
        yield
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
        await server.http.aclose()

    app = FastAPI(
        title="Farebox console", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
    )
    app.state.server = server
    app.state.results = results
    app.include_router(session.router)
    app.include_router(credentials.router)
    app.include_router(downloads.router)
    app.mount("/static", StaticFiles(packages=[("frontend", "static")]))

    @app.get("/healthz")
    async def read_health() -> dict[str, str]:
        return {"status": "ok"}

    for language in Language:
        console = make_console(settings, server, results, language)
        gr.mount_gradio_app(
            app,
            build_pages(console),
            path=f"/{language}",
            theme=make_theme(),
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            show_error=True,
            # Gradio speaks English of what it refuses: up to twice the size, the page itself does.
            max_file_size=2 * settings.upload_bytes_max,
        )
    app.add_middleware(Guard)
    return app


async def _sweep(results: ResultFiles) -> None:
    """Also where nobody makes another file."""
    while True:
        await anyio.to_thread.run_sync(results.sweep, time.time())
        await asyncio.sleep(_SWEEP_SECONDS)


def make_console(
    settings: ConsoleSettings, server: Server, results: ResultFiles, language: Language
) -> Console:
    """What the pages of one language are built with."""
    texts = load_texts(language)
    return Console(
        settings=settings,
        server=server,
        texts=texts,
        templates=Templates(texts),
        features=load_catalogue(language),
        results=results,
    )


def build_pages(console: Console) -> gr.Blocks:
    """All pages of one language. Uploads are removed after `files_kept_hours`."""
    kept_seconds = int(console.settings.files_kept_hours * 3600)
    title = console.texts("frame", "title")
    blocks = gr.Blocks(
        title=title, analytics_enabled=False, delete_cache=(_SWEEP_SECONDS, kept_seconds)
    )
    with blocks, open_page(console, blocks, "") as page:
        build_welcome(page)
    for name, build in _BUILDERS.items():
        shown = console.texts("frame", name)
        with (
            blocks.route(shown, f"/{name}", show_in_navbar=False),
            open_page(console, blocks, name) as page,
        ):
            build(page)
    blocks.queue(default_concurrency_limit=console.settings.handlers_at_once)
    blocks.state_session_capacity = console.settings.tabs_max
    # What `launch` sets and mounting does not: until then Gradio takes any path of this machine
    # that a browser names for an uploaded file.
    blocks.has_launched = blocks.is_running = True
    return blocks
