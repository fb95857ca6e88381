"""Balance: what can be spent, what is held, what is owed."""

from __future__ import annotations

from datetime import UTC, datetime

import gradio as gr

from frontend.pages.account.parts import REFUSALS, Section


async def read_balance(section: Section, request: gr.Request) -> str:
    """The balance of now, or why it is not known: HTML."""
    try:
        balance = await section.console.of(request).get("/accounts/v1/balance")
    except REFUSALS as error:
        return section.refused(error)
    return section.render("balance", balance=balance, read_at=datetime.now(UTC).isoformat())
