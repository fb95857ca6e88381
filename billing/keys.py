"""API keys: `fb_live_<id>_<secret>_<checksum>`, stored as a keyed hash.

The id names the key and may be shown; the secret has 238 bits; the checksum lets a key that was cut
or mistyped be refused without a look at the database.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass

PREFIX = "fb_live_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_CHARACTERS = 16
_SECRET_CHARACTERS = 40
_CHECKSUM_CHARACTERS = 6
_FORM = re.compile(
    rf"{PREFIX}(?P<id>[0-9A-Za-z]{{{_ID_CHARACTERS}}})_"
    rf"(?P<secret>[0-9A-Za-z]{{{_SECRET_CHARACTERS}}})_"
    rf"(?P<checksum>[0-9A-Za-z]{{{_CHECKSUM_CHARACTERS}}})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A well-formed key; whether it is known and live is the database's to say."""

    key_id: str
    secret: str

    def __str__(self) -> str:
        return f"{self.unchecked}_{self.checksum}"

    def __repr__(self) -> str:
        return f"ApiKey(key_id={self.key_id!r})"

    @property
    def unchecked(self) -> str:
        """The key without its checksum."""
        return f"{PREFIX}{self.key_id}_{self.secret}"

    @property
    def checksum(self) -> str:
        """CRC-32 of the rest in base 62: 6 characters hold 35 bits."""
        return _base62(zlib.crc32(self.unchecked.encode()), _CHECKSUM_CHARACTERS)

    def secret_hash(self, server_secret: str) -> bytes:
        """HMAC-SHA256 of id and secret under the server's secret, 32 bytes."""
        message = f"{self.key_id}_{self.secret}".encode()
        return hmac.digest(server_secret.encode(), message, hashlib.sha256)


def generate_key() -> ApiKey:
    """A fresh key from the operating system's randomness."""
    return ApiKey(_random_text(_ID_CHARACTERS), _random_text(_SECRET_CHARACTERS))


def parse_key(text: str) -> ApiKey | None:
    """The key that `text` is, or None when its form or checksum is wrong."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    key = ApiKey(match["id"], match["secret"])
    return key if match["checksum"] == key.checksum else None


def _random_text(characters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


def _base62(number: int, characters: int) -> str:
    digits = ""
    for _ in range(characters):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
