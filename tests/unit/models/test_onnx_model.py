"""Models in ONNX: a real one of scikit-learn, and what is refused."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.drafting import Draft, write_draft
from models.errors import (
    ArtifactMismatch,
    ExplanationUnsupported,
    PredictionFailed,
    PublishRefused,
)
from models.loading import load_model
from models.manifest import Labels, Manifest
from models.onnx_model import FEATURES_KEY, OnnxModel, parse_onnx
from models.publishing import publish
from tests.support.publishable import NOW

NAMES = ("INTERNET", "SEND_SMS", "CAMERA")
ROWS = np.array([[row >> bit & 1 for bit in range(3)] for row in range(8)] * 4, dtype=np.uint8)


def train() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression().fit(ROWS, ROWS[:, 1] | (ROWS[:, 0] & ROWS[:, 2]))


def convert(model: Any, features: int = 3, *, zipmap: bool = False) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import FloatTensorType

        kind = FloatTensorType([None, features])
        return convert_sklearn(
            model, initial_types=[("rows", kind)], options={id(model): {"zipmap": zipmap}}
        )


@pytest.fixture(scope="module")
def trained() -> Any:
    return train()


@pytest.fixture(scope="module")
def content(trained: Any) -> bytes:
    return bytes(convert(trained).SerializeToString())


def with_names(content: bytes, names: Sequence[str]) -> bytes:
    """The model with the columns' names in its metadata."""
    import onnx

    model = onnx.load_from_string(content)
    model.metadata_props.add(key=FEATURES_KEY, value=json.dumps(list(names)))
    return bytes(model.SerializeToString())


def draft(folder: Path, content: bytes, features: tuple[str, ...] | None = NAMES) -> Manifest:
    folder.mkdir(parents=True)
    (folder / "given.onnx").write_bytes(content)
    said = Draft("linear", "1", Labels(negative="no", positive="yes"), 0.5, features)
    examples = [["SEND_SMS"], [], [1, 0, 1]]
    return write_draft(folder / "given.onnx", folder / "draft", said, examples, NOW)


@pytest.fixture
def loaded(tmp_path: Path, content: bytes) -> OnnxModel:
    manifest = draft(tmp_path / "made", content)
    publish(tmp_path / "root", tmp_path / "made" / "draft")
    model = load_model(tmp_path / "root", manifest)
    assert isinstance(model, OnnxModel)
    return model


def test_published_model_predicts_as_scikit_learn_does(loaded: OnnxModel, trained: Any) -> None:
    found = loaded.predict(ROWS)
    assert (found.dtype, found.shape) == (np.float64, (len(ROWS),))
    assert np.abs(found - trained.predict_proba(ROWS)[:, 1]).max() < 1e-6
    assert loaded.predict(np.empty((0, 3), dtype=np.uint8)).shape == (0,)


def test_matrix_of_another_width_fails_for_all_rows(loaded: OnnxModel) -> None:
    with pytest.raises(PredictionFailed, match="shape") as failure:
        loaded.predict(np.zeros((2, 4), dtype=np.uint8))
    assert failure.value.rows == (0, 1)


def test_it_cannot_explain_itself(loaded: OnnxModel) -> None:
    with pytest.raises(ExplanationUnsupported, match="onnx"):
        loaded.explain(ROWS)


def test_failure_inside_onnxruntime_fails_for_all_rows(loaded: OnnxModel) -> None:
    broken = OnnxModel(loaded.manifest, loaded.session, "no such input", loaded.output_name)
    with pytest.raises(PredictionFailed, match="onnxruntime") as failure:
        broken.predict(ROWS[:2])
    assert failure.value.rows == (0, 1)


def test_names_come_from_the_files_metadata(tmp_path: Path, content: bytes) -> None:
    manifest = draft(tmp_path / "made", with_names(content, NAMES), None)
    assert manifest.features == NAMES


def test_file_that_does_not_name_its_features_needs_them(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ArtifactMismatch, match="does not name its features"):
        draft(tmp_path / "made", content, None)


@pytest.mark.parametrize(
    ("names", "message"),
    [(NAMES[:2], "3 features, the manifest names 2"), (NAMES[::-1], "names differ")],
)
def test_wrong_schema_is_refused(
    tmp_path: Path, content: bytes, names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ArtifactMismatch, match=message):
        draft(tmp_path / "made", with_names(content, NAMES), names)


def test_truncated_file_is_refused(tmp_path: Path, content: bytes, loaded: OnnxModel) -> None:
    for kept in (0, 10, len(content) // 2):
        with pytest.raises(ArtifactMismatch):
            parse_onnx(content[:kept], loaded.manifest, tmp_path)


def test_zipped_probabilities_are_refused_saying_how_to_convert(
    tmp_path: Path, trained: Any
) -> None:
    zipped = convert(trained, zipmap=True).SerializeToString()
    with pytest.raises(ArtifactMismatch, match="zipmap"):
        draft(tmp_path / "made", zipped)


def test_other_files_are_not_read_through_the_model(tmp_path: Path, trained: Any) -> None:
    import onnx

    secret = tmp_path / "weights.bin"
    secret.write_bytes(np.ones(3, dtype=np.float32).tobytes())
    model = convert(trained)
    tensor = onnx.numpy_helper.from_array(np.ones(3, dtype=np.float32), "outside")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=str(secret))
    model.graph.initializer.append(tensor)
    added = onnx.helper.make_node("Add", ["rows", "outside"], ["shifted"])
    for node in model.graph.node:
        node.input[:] = ["shifted" if name == "rows" else name for name in node.input]
    model.graph.node.insert(0, added)
    with pytest.raises(ArtifactMismatch):
        draft(tmp_path / "made", model.SerializeToString())


def test_example_that_does_not_fit_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "given.onnx").write_bytes(content)
    said = Draft("linear", "1", Labels(negative="no", positive="yes"), 0.5, NAMES)
    for examples, message in [
        ([["SEND_SMS"], ["NFC"]], "input 1: the model has no feature 'NFC'"),
        ([[0, 1]], "2 values for 3"),
        ([[0, 1, 2]], "zeros and ones"),
        ([["SEND_SMS", 1, 1]], "zeros and ones"),
    ]:
        with pytest.raises(PublishRefused, match=message):
            write_draft(tmp_path / "given.onnx", tmp_path / "draft", said, examples, NOW)  # type: ignore[arg-type]
