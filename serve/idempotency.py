"""The key that makes a request safe to send again."""

from __future__ import annotations

import re
from dataclasses import dataclass

import uuid_utils

from serve.refusals import Code, Refusal

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)

_VERSION_PLACE = 14
"""Of the digit that says a UUID's version, in its text."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The key of one request; where the client sent none, one of ours (a UUIDv8)."""

    text: str
    chosen_by_client: bool

    @classmethod
    def make(cls) -> IdempotencyKey:
        """A new key of our own: a UUIDv7 marked as version 8, so that a charge id can tell it.

        Clients' keys may be of version 7, and theirs have made other charge ids before.
        """
        text = str(uuid_utils.uuid7())
        return cls(f"{text[:_VERSION_PLACE]}8{text[_VERSION_PLACE + 1 :]}", chosen_by_client=False)

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
