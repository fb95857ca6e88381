"""Amounts of credits as a person types them."""

from __future__ import annotations

import typer

from billing.credits import Credits


def parse_credits(text: str) -> Credits:
    """Credits of zero or more; a usage error for anything else."""
    try:
        amount = Credits.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if amount.microcredits < 0:
        raise typer.BadParameter("credits cannot be negative")
    return amount
