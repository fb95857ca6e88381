"""API keys: `fb_live_<id>_<secret>_<checksum>`.

The id is public and found in logs and tables; the secret is stored as an HMAC only. The checksum
is no secret: it lets a mistyped key be refused without asking the database.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PREFIX = "fb_live_"

# Enough characters of base62 for the bytes: 62**17 > 2**96, 62**33 > 2**192, 62**6 > 2**32.
_ID_BYTES, _ID_CHARACTERS = 12, 17
_SECRET_BYTES, _SECRET_CHARACTERS = 24, 33
_CHECKSUM_CHARACTERS = 6

_FORMAT = re.compile(
    rf"{_PREFIX}([0-9A-Za-z]{{{_ID_CHARACTERS}}})"
    rf"_([0-9A-Za-z]{{{_SECRET_CHARACTERS}}})"
    rf"_([0-9A-Za-z]{{{_CHECKSUM_CHARACTERS}}})",
    re.ASCII,
)

Randomness = Callable[[int], bytes]
"""As many unpredictable bytes as asked for, such as `secrets.token_bytes`."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A well-formed key; whether it is anybody's is for `billing.directory` to say."""

    id: str
    secret: str = field(repr=False)

    def reveal(self) -> str:
        """The whole key as its owner sends it. Never for a log."""
        body = f"{_PREFIX}{self.id}_{self.secret}"
        return f"{body}_{_checksum(body)}"


def generate_key(randomness: Randomness, key_id: str | None = None) -> ApiKey:
    """A new key with a secret of 192 bits; its id is made too where none is given."""
    return ApiKey(
        id=key_id or _encode_base62(randomness(_ID_BYTES), _ID_CHARACTERS),
        secret=_encode_base62(randomness(_SECRET_BYTES), _SECRET_CHARACTERS),
    )


def make_key_id(request_id: uuid.UUID) -> str:
    """The id of the one key that a request can ever make. It is public: only the secret is not."""
    digest = hashlib.sha256(request_id.bytes).digest()
    return _encode_base62(digest[:_ID_BYTES], _ID_CHARACTERS)


def parse_key(text: str) -> ApiKey | None:
    """The key in `text`, or None where its form or its checksum is wrong."""
    found = _FORMAT.fullmatch(text)
    if found is None:
        return None
    key = ApiKey(id=found[1], secret=found[2])
    return key if key.reveal() == text else None


def hash_secret(key: ApiKey, key_hash_secret: bytes) -> bytes:
    """HMAC-SHA256 of the key under the server's secret, 32 bytes.

    The id is part of it, so that a hash copied to another key's row opens nothing. A slow hash
    would add nothing: a secret of 192 bits cannot be guessed.
    """
    return hmac.digest(key_hash_secret, f"{key.id}_{key.secret}".encode(), "sha256")


def is_secret_of(key: ApiKey, key_hash_secret: bytes, stored_hash: bytes) -> bool:
    """Whether the key's secret is the one stored, compared in constant time."""
    return hmac.compare_digest(hash_secret(key, key_hash_secret), stored_hash)


def _checksum(body: str) -> str:
    return _encode_base62(zlib.crc32(body.encode()).to_bytes(4, "big"), _CHECKSUM_CHARACTERS)


def _encode_base62(data: bytes, characters: int) -> str:
    number = int.from_bytes(data, "big")
    digits = []
    for _ in range(characters):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
