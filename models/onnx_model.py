"""Runs a binary classifier in ONNX, as skl2onnx makes them, on one thread of onnxruntime."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import (
    ArtifactMismatch,
    ExplanationUnsupported,
    PredictionFailed,
    RuntimeLibraryMissing,
)
from models.manifest import Manifest
from models.prediction import (
    Contributions,
    Matrix,
    Probabilities,
    check_probabilities,
    check_shape,
)

if TYPE_CHECKING:
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]

THREADS = 1
FEATURES_KEY = "features"
"""Of the file's metadata: the names of the columns, a JSON list."""
CLASSES = 2

_LOG_ERRORS_ONLY = 3


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A loaded model. Predicting is safe from several threads at once."""

    manifest: Manifest
    session: InferenceSession
    input_name: str
    output_name: str

    def predict(self, matrix: Matrix) -> Probabilities:
        """Probabilities of the positive label, float64 (n,), for a uint8 matrix (n, features).

        They are computed as float32. Raises PredictionFailed.
        """
        check_shape(matrix, self.manifest)
        if not len(matrix):
            return np.empty(0)
        return check_probabilities(self._ask(matrix)[:, 1].astype(np.float64))

    def explain(self, matrix: Matrix) -> Contributions:
        """Raises ExplanationUnsupported: the graph says nothing of what contributed."""
        raise ExplanationUnsupported(self.manifest.kind)

    def _ask(self, matrix: Matrix) -> np.ndarray[Any, Any]:
        every_row = range(len(matrix))
        try:
            found = self.session.run(
                [self.output_name], {self.input_name: matrix.astype(np.float32)}
            )[0]
        except Exception as error:
            raise PredictionFailed(f"onnxruntime: {error}", every_row) from error
        probabilities = np.asarray(found)
        if probabilities.shape != (len(matrix), CLASSES):
            raise PredictionFailed(f"the output has the shape {probabilities.shape}", every_row)
        return probabilities


def parse_onnx(content: bytes, manifest: Manifest, path: Path) -> OnnxModel:
    """The model that these bytes, read from `path`, are.

    Raises ArtifactMismatch, RuntimeLibraryMissing.
    """
    session = open_session(content, path)
    model = OnnxModel(
        manifest, session, session.get_inputs()[0].name, _probabilities(session, path)
    )
    _check_fits(model, path)
    return model


def open_session(content: bytes, path: Path) -> InferenceSession:
    """onnxruntime's own object for these bytes; raises ArtifactMismatch for anything else."""
    runtime = _import_runtime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = THREADS
    options.log_severity_level = _LOG_ERRORS_ONLY
    try:
        session: InferenceSession = runtime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ArtifactMismatch(f"{path}: not a model in ONNX: {_first_line(error)}") from error
    if len(session.get_inputs()) != 1:
        raise ArtifactMismatch(f"{path}: {len(session.get_inputs())} inputs, one is served")
    return session


def feature_names(session: InferenceSession) -> tuple[str, ...] | None:
    """The columns' names as the file's metadata tells them; None where it does not."""
    text = session.get_modelmeta().custom_metadata_map.get(FEATURES_KEY)
    try:
        names = json.loads(text) if text else None
    except ValueError:
        return None
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(names)
    return None


def _import_runtime() -> Any:  # noqa: ANN401 - the module
    try:
        return import_module("onnxruntime")
    except (ImportError, OSError) as error:
        raise RuntimeLibraryMissing(f"onnxruntime cannot be loaded: {error}") from error


def _probabilities(session: InferenceSession, path: Path) -> str:
    """The output with a column for each of the two classes."""
    fitting: list[str] = [
        output.name
        for output in session.get_outputs()
        if output.type == "tensor(float)" and output.shape[-1:] == [CLASSES]
    ]
    if len(fitting) != 1:
        raise ArtifactMismatch(
            f"{path}: {len(fitting)} outputs of floats for two classes, one is needed "
            "(skl2onnx: options={'zipmap': False})"
        )
    return fitting[0]


def _check_fits(model: OnnxModel, path: Path) -> None:
    given, names = model.session.get_inputs()[0], model.manifest.features
    if given.type != "tensor(float)" or len(given.shape) != CLASSES:
        raise ArtifactMismatch(f"{path}: the input is no matrix of floats")
    if given.shape[1] != len(names):
        raise ArtifactMismatch(
            f"{path}: {given.shape[1]} features, the manifest names {len(names)}"
        )
    if feature_names(model.session) not in (None, names):
        raise ArtifactMismatch(f"{path}: the features' names differ from the manifest's")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
