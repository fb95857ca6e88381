"""Bounds work that takes long: so many at once, and one for each caller."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from serve.refusals import Code, Refusal


class Slots:
    """Who is at it right now, in this process."""

    def __init__(self) -> None:
        self._taken: set[uuid.UUID] = set()

    @contextmanager
    def slot(self, account_id: uuid.UUID, at_once_max: int) -> Iterator[None]:
        """Hold a slot inside the block; a Refusal with EXPORT_LIMIT_REACHED if none is free."""
        if account_id in self._taken:
            raise Refusal(
                Code.EXPORT_LIMIT_REACHED,
                "An export of yours is still running; ask again when it has ended.",
            )
        if len(self._taken) >= at_once_max:
            raise Refusal(
                Code.EXPORT_LIMIT_REACHED,
                f"{at_once_max} exports are running, and no more at once; ask again shortly.",
            )
        self._taken.add(account_id)
        try:
            yield
        finally:
            self._taken.discard(account_id)
