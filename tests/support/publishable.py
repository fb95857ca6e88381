"""Folders ready to be published: drafts of a tiny hand-written model, and keys to sign them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from models.drafting import Draft, write_draft
from models.manifest import Labels, Manifest
from tests.support.fragile_model import FEATURES, render_model

EXAMPLES: list[list[str] | list[int]] = [["SEND_SMS"], [], [0, 1, 0]]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def draft_of(version: str = "1", name: str = "tiny", threshold: float = 0.5) -> Draft:
    """What an operator says about the tiny model."""
    return Draft(name, version, Labels(negative="no", positive="yes"), threshold, None)


def write_source(folder: Path, version: str = "1", name: str = "tiny") -> Path:
    """A folder with a version of the tiny model; versions differ in their threshold too."""
    folder.mkdir(parents=True, exist_ok=True)
    model_file = folder / f"{name}.txt"
    model_file.write_text(render_model())
    source = folder / f"{name}-{version}"
    threshold = 1 / (1 + int(version))
    write_draft(model_file, source, draft_of(version, name, threshold), EXAMPLES, NOW)
    return source


def write_onnx_source(folder: Path, version: str = "1") -> Path:
    """As `write_source`, in ONNX: a process that checks it starts in a tenth of LightGBM's time."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    weights = np.array([[0, 0], [0, 0], [0, 2]], dtype=np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["rows", "weights"], ["scores"]),
            helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        ],
        "tiny",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.onnx").write_bytes(model.SerializeToString())
    source = folder / f"tiny-{version}"
    draft = replace(draft_of(version), features=FEATURES)
    write_draft(folder / "tiny.onnx", source, draft, EXAMPLES, NOW)
    return source


def publish_versions(root: Path, *versions: str, name: str = "tiny") -> list[Manifest]:
    """Publish these versions one after the other; the first is the champion."""
    from models.publishing import publish

    sources = root.with_name(f"{root.name}-sources")
    return [publish(root, write_source(sources, version, name), NOW) for version in versions]


def make_key_pair(folder: Path) -> tuple[Path, Path]:
    """A private and a public key in PEM files."""
    folder.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    private, public = folder / "private.pem", folder / "public.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return private, public
