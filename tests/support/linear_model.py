"""A small artifact in ONNX, whose predictions cannot be explained."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from models.manifest import MANIFEST_FILE, Artifact, write_manifest
from models.registry import artifact_folder
from tests.support.fragile_model import FEATURES, VERSION, describe

NAME = "linear"
_FILE = "model.onnx"
_WEIGHTS = (0.0, 1.0, 3.0)


def write_linear_model(root: Path) -> None:
    """Write version 1 of the model `linear` below `root`: log-odds are -1 and the weights' sum."""
    folder = artifact_folder(root, NAME, VERSION)
    folder.mkdir(parents=True)
    content = _render()
    (folder / _FILE).write_bytes(content)
    artifact = Artifact(file=_FILE, sha256=hashlib.sha256(content).hexdigest())
    manifest = describe(content).model_copy(
        update={"name": NAME, "kind": "onnx", "artifact": artifact}
    )
    write_manifest(manifest, folder / MANIFEST_FILE)


def _render() -> bytes:
    nodes = [
        helper.make_node("MatMul", ["rows", "weights"], ["weighed"]),
        helper.make_node("Add", ["weighed", "intercept"], ["scores"]),
        helper.make_node("Sigmoid", ["scores"], ["positive"]),
        helper.make_node("Sub", ["one", "positive"], ["negative"]),
        helper.make_node("Concat", ["negative", "positive"], ["probabilities"], axis=1),
    ]
    constants = [
        helper.make_tensor("weights", TensorProto.FLOAT, [len(FEATURES), 1], _WEIGHTS),
        helper.make_tensor("intercept", TensorProto.FLOAT, [1], [-1.0]),
        helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0]),
    ]
    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, [None, len(FEATURES)])
    probabilities = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])
    graph = helper.make_graph(nodes, NAME, [rows], [probabilities], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.helper.set_model_props(model, {"features": json.dumps(FEATURES)})
    content: bytes = model.SerializeToString()
    return content
