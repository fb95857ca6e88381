"""Balance, entries and predictions as clients see them."""

from __future__ import annotations

from pydantic import Field

from serve.wire import Amount, Wire


class BalanceView(Wire):
    """What an account has: `available` is what it can spend."""

    posted: Amount
    held: Amount
    available: Amount
    owed: Amount = Field(description="Of charged-back top-ups; the next top-up pays it first")
