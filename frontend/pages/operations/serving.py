"""Replicas and versions: how the cluster stands, and which models answer."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr

from frontend.html import html_block
from frontend.pages.operations.lookups import fetch_if_there
from frontend.pages.operations.part import Part
from frontend.server import Problem, Server


def build_serving(part: Part) -> None:
    """Two tables."""
    refresh = part.refresh()
    shown = html_block()

    async def show(request: gr.Request) -> str:
        server = part.console.of(request)
        (replicas, said), models = await asyncio.gather(_replicas(server), server.get("/v1/models"))
        return part.render("serving", replicas=replicas, said=said, models=models["models"])

    async def _replicas(server: Server) -> tuple[Any, str]:
        # Models are shown all the same when the cluster's controller is away.
        try:
            report = await fetch_if_there(server, "/accounts/v1/reports/replicas")
        except Problem as problem:
            return None, part.console.say(problem)
        return report, "" if report else part.say("route_missing")

    part.shown_by(show, None, shown, refresh.click)
