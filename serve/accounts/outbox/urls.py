"""Which URLs a webhook may have, as text: what its host stands for is looked up at each sending."""

from __future__ import annotations

import httpx

URL_CHARACTERS_MAX = 2_000


def read_url(text: str, *, allow_http: bool) -> httpx.URL:
    """Raises ValueError, with what to write instead, for a URL that is not taken."""
    if len(text) > URL_CHARACTERS_MAX:
        raise ValueError(f"The URL has more than {URL_CHARACTERS_MAX} characters.")
    if not text.isprintable() or any(character in text for character in " \\"):
        raise ValueError("The URL has a space, a backslash or a character that is not printed.")
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise ValueError(f"This is not a URL: {error}") from error
    schemes = ("https", "http") if allow_http else ("https",)
    if url.scheme not in schemes or not url.host:
        raise ValueError(f"Write a full URL that begins with {schemes[0]}://.")
    if "@" in text.split("://", 1)[1].split("/", 1)[0].split("?", 1)[0]:
        raise ValueError("The URL has a user name or a password: the signature says who sends.")
    if "#" in text:
        raise ValueError("The URL has a fragment (#): it would not be sent.")
    if url.port is not None and not 0 < url.port < 2**16:
        raise ValueError("The URL's port is none: 1 to 65535 are.")
    return url
