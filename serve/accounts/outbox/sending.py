"""What a sender of messages is: a webhook, a mail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from billing.outbox.values import Claimed

Send = Callable[[Claimed, datetime], Awaitable[None]]
"""Sends a message once, at that time. Raises NotSent."""


class NotSent(Exception):
    """The message did not arrive; its recipient's owner may read why.

    `is_final`: it would not the next time either.
    """

    def __init__(self, reason: str, is_final: bool = False) -> None:
        super().__init__(reason, is_final)
        self.reason = reason
        self.is_final = is_final
