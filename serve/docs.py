"""Swagger UI from an installed package: no request to any other host."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.staticfiles import StaticFiles
from swagger_ui_bundle import swagger_ui_path


def add_docs(api: FastAPI) -> None:
    """Serve `/docs` beside the `/openapi.json` of `api`, wherever it is mounted."""

    async def read_docs(request: Request) -> Response:
        root = request.scope.get("root_path", "").rstrip("/")
        return get_swagger_ui_html(
            openapi_url=f"{root}/openapi.json",
            title=f"{api.title} API",
            swagger_js_url=f"{root}/docs/assets/swagger-ui-bundle.js",
            swagger_css_url=f"{root}/docs/assets/swagger-ui.css",
            swagger_favicon_url=f"{root}/docs/assets/favicon-32x32.png",
        )

    api.add_api_route("/docs", read_docs, include_in_schema=False)
    api.mount("/docs/assets", StaticFiles(directory=str(swagger_ui_path)))
