"""Balance: what can be spent, what is held, what is owed."""

from __future__ import annotations

from datetime import UTC, datetime

import gradio as gr

from frontend.pages.account.parts import Section


async def read_balance(section: Section, request: gr.Request) -> str:
    """The balance of now: HTML."""
    balance = await section.console.of(request).get("/accounts/v1/balance")
    return section.render("balance", balance=balance, read_at=datetime.now(UTC).isoformat())
