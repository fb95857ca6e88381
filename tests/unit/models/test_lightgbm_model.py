"""Loading and predicting: what is verified, and which rows a failure names."""

import hashlib
import pickle
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from data.schema import ANDROID_MALWARE_PATH, FeatureSchema, read_schema
from models import lightgbm_model
from models.errors import ArtifactMismatch, PredictionFailed, RuntimeLibraryMissing
from models.lightgbm_model import LightGBMModel, ensure_lightgbm_loads
from models.loading import load_model
from models.manifest import Artifact, Manifest
from models.registry import ARTIFACTS_ROOT, artifact_folder, read_catalog
from tests.support.examples import read_examples
from tests.support.fragile_model import FEATURES, MODEL_FILE, render_model, write_fragile_model

# Of the committed version 1, for the committed examples in their order.
GOLDEN = {
    "A torch: camera and flashlight, no network": 0.025486950893873372,
    "A messenger: contacts, network, storage": 0.0010808838773711795,
    "An SMS trojan: sends messages, reads the device's identity": 0.9923453186876101,
    "A loader: starts at boot, loads code from elsewhere": 0.7613812720626937,
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_fragile_model(tmp_path)
    return tmp_path


def fragile_manifest(root: Path) -> Manifest:
    return read_catalog(root).find("fragile")


def describe_as(root: Path, content: str, names: tuple[str, ...] = FEATURES) -> Manifest:
    """Replace the artifact by `content` and give a manifest with its checksum and `names`."""
    manifest = fragile_manifest(root)
    (artifact_folder(root, "fragile", "1") / MODEL_FILE).write_text(content)
    digest = FeatureSchema(names).sha256
    artifact = Artifact(file=MODEL_FILE, sha256=hashlib.sha256(content.encode()).hexdigest())
    return manifest.model_copy(
        update={"artifact": artifact, "features": names, "features_sha256": digest}
    )


@pytest.fixture(scope="module")
def committed() -> LightGBMModel:
    return load_model(ARTIFACTS_ROOT, read_catalog().find("android-malware", "1"))


@pytest.mark.parametrize(("row", "title"), list(enumerate(GOLDEN)))
def test_committed_model_predicts_what_it_always_did(
    committed: LightGBMModel, row: int, title: str
) -> None:
    example = read_examples()[row]
    assert example.title == title
    found = committed.predict(np.array([example.dense], dtype=np.uint8))
    assert found[0] == pytest.approx(GOLDEN[title], abs=1e-9, rel=0)


def test_committed_manifest_names_the_committed_schema() -> None:
    schema = read_schema(ANDROID_MALWARE_PATH)
    assert read_catalog().find("android-malware", "1").feature_schema == schema


def test_row_predicts_the_same_alone_and_in_a_batch(committed: LightGBMModel) -> None:
    matrix = np.random.default_rng(0).integers(0, 2, (64, 241), dtype=np.uint8)
    alone = [committed.predict(matrix[row : row + 1])[0] for row in range(len(matrix))]
    batch = committed.predict(matrix)
    assert batch.dtype == np.float64
    assert batch.shape == (64,)
    assert batch.tolist() == alone


def test_threads_that_predict_at_once_do_not_disturb_each_other(committed: LightGBMModel) -> None:
    random = np.random.default_rng(1)
    batches = [random.integers(0, 2, (rows, 241), dtype=np.uint8) for rows in range(1, 65)] * 4
    expected = [committed.predict(batch).tolist() for batch in batches]
    with ThreadPoolExecutor(4) as threads:
        found = [one.tolist() for one in threads.map(committed.predict, batches)]
    assert found == expected


def test_no_rows_give_no_probabilities(committed: LightGBMModel) -> None:
    assert committed.predict(np.empty((0, 241), dtype=np.uint8)).shape == (0,)


def test_artifact_with_one_flipped_byte_is_refused(tmp_path: Path) -> None:
    shutil.copytree(ARTIFACTS_ROOT, tmp_path, dirs_exist_ok=True)
    manifest = read_catalog(tmp_path).find("android-malware", "1")
    path = artifact_folder(tmp_path, manifest.name, "1") / manifest.artifact.file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactMismatch, match="sha256"):
        load_model(tmp_path, manifest)


def test_missing_artifact_is_refused(root: Path) -> None:
    (artifact_folder(root, "fragile", "1") / MODEL_FILE).unlink()
    with pytest.raises(ArtifactMismatch, match=MODEL_FILE):
        load_model(root, fragile_manifest(root))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("POISON", "INTERNET"), "3 features, the manifest names 2"),
        (("POISON", "SEND_SMS", "INTERNET"), "names differ"),
    ],
)
def test_wrong_schema_is_refused(root: Path, names: tuple[str, ...], message: str) -> None:
    manifest = describe_as(root, render_model(), names)
    with pytest.raises(ArtifactMismatch, match=message):
        load_model(root, manifest)


def test_text_that_is_no_model_is_refused(root: Path) -> None:
    with pytest.raises(ArtifactMismatch, match="not a LightGBM model"):
        load_model(root, describe_as(root, "not a model"))


def test_failed_prediction_names_only_the_rows_that_failed(root: Path) -> None:
    model = load_model(root, fragile_manifest(root))
    rows = np.array([[0, 0, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1]], dtype=np.uint8)
    with pytest.raises(PredictionFailed) as failure:
        model.predict(rows)
    assert failure.value.rows == (1, 3)
    assert pickle.loads(pickle.dumps(failure.value)).rows == (1, 3)
    assert model.predict(rows[[0, 2]]).round(2).tolist() == [0.27, 0.73]


def test_score_outside_0_and_1_is_no_probability(root: Path) -> None:
    raw = render_model().replace("objective=binary sigmoid:1", "objective=regression")
    model = load_model(root, describe_as(root, raw))
    with pytest.raises(PredictionFailed) as failure:
        model.predict(np.array([[0, 0, 0], [0, 0, 1]], dtype=np.uint8))
    assert failure.value.rows == (0,)


def test_matrix_of_another_width_fails_for_all_rows(committed: LightGBMModel) -> None:
    with pytest.raises(PredictionFailed, match="shape") as failure:
        committed.predict(np.zeros((2, 240), dtype=np.uint8))
    assert failure.value.rows == (0, 1)


def test_error_inside_lightgbm_fails_for_all_rows(root: Path) -> None:
    class Broken:
        def predict(self, matrix: object, **settings: object) -> None:
            raise RuntimeError("out of memory")

    model = LightGBMModel(fragile_manifest(root), Broken())  # type: ignore[arg-type]
    with pytest.raises(PredictionFailed, match="out of memory") as failure:
        model.predict(np.zeros((2, 3), dtype=np.uint8))
    assert failure.value.rows == (0, 1)


def test_missing_openmp_library_names_the_packages_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(name: str) -> None:
        raise OSError("libgomp.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(lightgbm_model, "import_module", refuse)
    with pytest.raises(RuntimeLibraryMissing, match=r"libgomp1 .*Fedora") as failure:
        ensure_lightgbm_loads()
    assert failure.value.code == "runtime_library_missing"


def test_lightgbm_loads_here() -> None:
    ensure_lightgbm_loads()
    assert sys.modules["lightgbm"] is import_module("lightgbm")
