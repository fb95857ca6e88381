"""Just enough HTTP/1.1 to read the answers to our own requests, and to write those requests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

HEAD_BYTES_MAX = 64 * 1024
ANSWER_BYTES_MAX = 64 * 1024 * 1024

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_CHUNKED = b"\r\ntransfer-encoding: chunked"
_CLOSE = b"\r\nconnection: close"


class WireError(Exception):
    """What came is no answer that we can read."""


class Answer(NamedTuple):
    """One whole answer. `head` is in lower case, from the status line to the last header."""

    status: int
    head: bytes
    body: bytes

    @property
    def closes(self) -> bool:
        """The server takes no further request on this connection."""
        return _CLOSE in self.head


def read_answer(data: bytes) -> Answer | None:
    """The answer in `data`, or None while it is not all there; raises WireError."""
    end = data.find(_HEAD_END)
    if end < 0:
        if len(data) > HEAD_BYTES_MAX:
            raise WireError("no end of the headers")
        return None
    head = data[:end].lower()
    if not head.startswith(b"http/1.1 "):
        raise WireError(f"not an HTTP/1.1 answer: {data[:40]!r}")
    at = head.find(_LENGTH)
    if at < 0:
        return _read_chunked(head, data, end + 4)
    stop = head.find(b"\r", at + 2)
    length = int(head[at + len(_LENGTH) : stop if stop > 0 else end])
    missing = end + 4 + length - len(data)
    if missing < 0 or missing > ANSWER_BYTES_MAX:
        raise WireError("more came than one answer" if missing < 0 else "too long an answer")
    return Answer(int(head[9:12]), head, data[end + 4 :]) if not missing else None


def _read_chunked(head: bytes, data: bytes, at: int) -> Answer | None:
    if _CHUNKED not in head:
        raise WireError("an answer without a length")
    parts: list[bytes] = []
    while (stop := data.find(b"\r\n", at)) >= 0:
        length = int(data[at:stop].split(b";")[0], 16)
        at = stop + 2 + length + 2
        if at > len(data):
            return None
        if not length:
            return Answer(int(head[9:12]), head, b"".join(parts))
        parts.append(data[stop + 2 : at - 2])
    return None


def render_requests(
    *, path: str, host: str, headers: Sequence[str], keys: Sequence[str], bodies: Sequence[bytes]
) -> list[bytes]:
    """Requests as bytes: number n has key n and body n, each counted round and round."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", *headers]
    logins = [[f"Authorization: Bearer {key}"] for key in keys] or [[]]
    count = math.lcm(len(logins), len(bodies))
    return [
        _render([*lines, *logins[n % len(logins)]], bodies[n % len(bodies)]) for n in range(count)
    ]


def _render(lines: Sequence[str], body: bytes) -> bytes:
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
    return head.encode("latin-1") + body
