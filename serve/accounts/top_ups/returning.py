"""Where a browser may be sent once a payment has ended."""

from __future__ import annotations

from collections.abc import Collection

from serve.accounts.origins import Origin, is_private_to_its_reader, origin_of

SETTING = "FAREBOX_RETURN_ORIGINS"
URL_CHARACTERS_MAX = 2_000


def check_return_url(text: str, origins: Collection[Origin]) -> None:
    """Raises ValueError, with what to do, for a URL that is not taken.

    What browsers read otherwise than we do (backslashes, control characters) is not taken at all.
    """
    if len(text) > URL_CHARACTERS_MAX:
        raise ValueError(f"The URL has more than {URL_CHARACTERS_MAX} characters.")
    if not text.isascii() or not text.isprintable() or any(each in text for each in ' \\"<>'):
        raise ValueError(
            "The URL has a space, a quote, a backslash or a character beyond ASCII: "
            "percent-encode it."
        )
    origin = origin_of(text)
    if origin is None:
        raise ValueError("Write a full URL that begins with https://, without a user name.")
    if not is_private_to_its_reader(origin):
        raise ValueError("The URL begins with https://; http:// is for this machine alone.")
    if origin not in origins:
        raise ValueError(
            f"Browsers are not sent back to this origin: the product's setting {SETTING} has "
            "those that they are sent to."
        )
