"""Signatures: with a key that is trusted, nothing else is published, loaded or passed."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from models.checking import verify
from models.errors import ManifestInvalid, SignatureInvalid
from models.loading import load_model
from models.manifest import MANIFEST_FILE, read_manifest, write_manifest
from models.publishing import publish
from models.registry import read_catalog
from models.signing import SIGNATURE_FILE, make_signature, read_private_key, trusted_key
from tests.support.publishable import make_key_pair, write_source

VARIABLE = "FAREBOX_MODELS_PUBLIC_KEY"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "registry"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "drafts")


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The key whose public half is trusted."""
    private, public = make_key_pair(tmp_path / "keys")
    monkeypatch.setenv(VARIABLE, str(public))
    return private


def sign(folder: Path, key: Path) -> None:
    content = (folder / MANIFEST_FILE).read_bytes()
    (folder / SIGNATURE_FILE).write_bytes(make_signature(read_private_key(key), content))


def test_signed_version_is_published_loaded_and_passes(
    root: Path, source: Path, private: Path
) -> None:
    sign(source, private)
    manifest = publish(root, source)
    assert load_model(root, manifest).manifest == manifest
    assert [verdict.fault for verdict in verify(root)] == [None, None]


def test_unsigned_version_is_refused(root: Path, source: Path, private: Path) -> None:
    with pytest.raises(SignatureInvalid, match=SIGNATURE_FILE):
        publish(root, source)


def test_version_signed_by_another_key_is_refused(
    root: Path, source: Path, private: Path, tmp_path: Path
) -> None:
    other, _ = make_key_pair(tmp_path / "other")
    sign(source, other)
    with pytest.raises(SignatureInvalid, match="by the trusted key"):
        publish(root, source)


@pytest.mark.parametrize("content", [b"", b"!", base64.b64encode(bytes(64))])
def test_anything_else_is_no_signature(
    root: Path, source: Path, private: Path, content: bytes
) -> None:
    (source / SIGNATURE_FILE).write_bytes(content)
    with pytest.raises(SignatureInvalid):
        publish(root, source)


def test_manifest_changed_after_signing_is_refused(root: Path, source: Path, private: Path) -> None:
    sign(source, private)
    manifest = read_manifest(source / MANIFEST_FILE)
    decision = manifest.decision.model_copy(update={"threshold": 0.99})
    changed = manifest.model_copy(update={"decision": decision})
    write_manifest(changed, source / MANIFEST_FILE)
    with pytest.raises(SignatureInvalid):
        publish(root, source)


def test_version_published_before_the_key_was_trusted_is_neither_loaded_nor_passed(
    root: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = publish(root, source)
    private, public = make_key_pair(tmp_path / "keys")
    monkeypatch.setenv(VARIABLE, str(public))
    with pytest.raises(SignatureInvalid):
        load_model(root, manifest)
    assert [type(verdict.fault) for verdict in verify(root)] == [SignatureInvalid, type(None)]
    sign(root / "tiny" / "1", private)
    load_model(root, manifest)


def test_signed_manifest_that_is_not_the_one_at_hand_is_not_loaded(
    root: Path, source: Path, private: Path
) -> None:
    sign(source, private)
    manifest = publish(root, source)
    other = manifest.model_copy(update={"version": "1", "kind": "onnx"})
    with pytest.raises(ManifestInvalid, match="has changed"):
        load_model(root, other)


def test_key_can_be_given_as_text(
    root: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = make_key_pair(tmp_path / "keys")
    monkeypatch.setenv(VARIABLE, public.read_text())
    sign(source, private)
    publish(root, source)
    assert read_catalog(root).names == ("tiny",)


def test_without_a_trusted_key_nothing_needs_a_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert trusted_key() is None


def test_key_that_is_none_trusts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.pem").write_text("")
    for value in (str(tmp_path / "empty.pem"), str(tmp_path / "missing.pem"), "-----BEGIN x"):
        monkeypatch.setenv(VARIABLE, value)
        with pytest.raises(SignatureInvalid):
            trusted_key()


def test_keys_of_another_kind_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    monkeypatch.setenv(VARIABLE, str(public))
    with pytest.raises(SignatureInvalid, match="Ed25519"):
        trusted_key()
    with pytest.raises(SignatureInvalid, match="Ed25519"):
        read_private_key(private)
    with pytest.raises(SignatureInvalid, match="no unencrypted private key"):
        read_private_key(public)
