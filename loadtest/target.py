"""A server under load: where it is, how one row is asked of it, where its answer says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loadtest.inputs import Row


@dataclass(frozen=True, slots=True)
class Target:
    """One server that scores single rows over HTTP, the product or a peer."""

    name: str
    base_url: str
    path: str
    """Of the scoring route, such as `/v1/predictions`."""
    encode: Callable[[Row], bytes]
    """The JSON body that asks for one dense row of zeros and ones."""
    marker: bytes
    """What stands right before the probability in an answer, such as `"probability":`."""
    keys: tuple[str, ...] = ()
    """An API key for each account, sent as `Authorization: Bearer`; none where nobody pays."""
