"""Names of the keys that predictions were paid by."""

from __future__ import annotations

from collections.abc import Mapping

from frontend.context import Console
from frontend.pages.history.filters import SESSION_KEY
from frontend.server import Problem, Server

_KEYS_MAX = 500
_ID_SHOWN = 8


async def fetch_key_names(console: Console, server: Server) -> dict[str, str]:
    """Of all keys by their id, revoked ones included, and of what signed-in people did."""
    names = {SESSION_KEY: console.texts("history", "session_key")}
    try:
        keys, _ = await server.pages("/accounts/v1/keys", _KEYS_MAX)
    except Problem:
        return names
    return names | {key["id"]: key["name"] for key in keys}


def show_key(names: Mapping[str, str], key_id: str) -> str:
    """A key that is no longer listed goes by the beginning of its id."""
    return names.get(key_id) or f"{key_id[:_ID_SHOWN]}\N{HORIZONTAL ELLIPSIS}"
