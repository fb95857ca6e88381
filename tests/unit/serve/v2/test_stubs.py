"""The committed stubs are those of the committed .proto."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.product import ROOT

PROTO = "serve/v2/inference.proto"
STUBS = ("inference_pb2.py", "inference_pb2.pyi", "inference_pb2_grpc.py")


def test_the_stubs_are_what_the_proto_makes(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools")
    outputs = (f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python"))
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I.", *outputs, PROTO], cwd=ROOT, check=True
    )
    for name in STUBS:
        made, committed = tmp_path / "serve" / "v2" / name, ROOT / "serve" / "v2" / name
        assert made.read_text() == committed.read_text(), f"{name} is stale: run `make stubs`"
