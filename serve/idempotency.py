"""The key that makes a request safe to send again."""

from __future__ import annotations

import re
from dataclasses import dataclass

import uuid_utils

from serve.refusals import Code, Refusal

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The key of one request; where the client sent none, one of ours (a UUIDv7)."""

    text: str
    chosen_by_client: bool

    @classmethod
    def make(cls) -> IdempotencyKey:
        """A new key of our own."""
        return cls(str(uuid_utils.uuid7()), chosen_by_client=False)

    @classmethod
    def from_header(cls, value: bytes | None) -> IdempotencyKey:
        """The client's key, or ours; raises a Refusal when the header is malformed."""
        if value is None:
            return cls.make()
        text = value.decode("latin-1")
        if not _VISIBLE_ASCII.fullmatch(text):
            raise Refusal(
                Code.INVALID_IDEMPOTENCY_KEY,
                "An Idempotency-Key is 1 to 255 visible ASCII characters without spaces; "
                "a UUID is a good one.",
            )
        return cls(text, chosen_by_client=True)
