"""Ed25519 signatures over manifests, which hold the checksums of everything else."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from models.errors import SignatureInvalid
from models.settings import ModelsSettings

SIGNATURE_FILE = "manifest.sig"
_PEM_START = "-----BEGIN"


def trusted_key(settings: ModelsSettings | None = None) -> Ed25519PublicKey | None:
    """The key of `FAREBOX_MODELS_PUBLIC_KEY`; None where nothing needs a signature.

    Raises SignatureInvalid where the variable names no such key: then nothing is trusted.
    """
    given = (settings or ModelsSettings()).models_public_key.strip()
    if not given:
        return None
    content = given.encode() if given.startswith(_PEM_START) else _read(Path(given))
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignatureInvalid(f"FAREBOX_MODELS_PUBLIC_KEY is no PEM key: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise SignatureInvalid("FAREBOX_MODELS_PUBLIC_KEY is no Ed25519 key")
    return key


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """The key to sign with, from an unencrypted PEM file; raises SignatureInvalid."""
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise SignatureInvalid(f"{path} is no unencrypted private key in PEM: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SignatureInvalid(f"{path} is no Ed25519 key")
    return key


def make_signature(key: Ed25519PrivateKey, manifest: bytes) -> bytes:
    """The content of `manifest.sig`: one line of base64."""
    return base64.b64encode(key.sign(manifest)) + b"\n"


def check_signature(key: Ed25519PublicKey | None, folder: Path, manifest: bytes) -> None:
    """Raise SignatureInvalid unless `folder` holds the key's signature of these bytes."""
    if key is None:
        return
    path = folder / SIGNATURE_FILE
    try:
        key.verify(base64.b64decode(_read(path), validate=False), manifest)
    except (InvalidSignature, binascii.Error) as error:
        raise SignatureInvalid(
            f"{path} is not the signature of this manifest by the trusted key"
        ) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SignatureInvalid(f"{path}: {error.strerror}") from error
