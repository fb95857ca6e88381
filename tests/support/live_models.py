"""Publishes and rolls out models of a running product, by the folder that it follows."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from models.manifest import MANIFEST_FILE, Artifact, write_manifest
from models.rollout import Rollout
from models.rollout_file import read_rollout, registry_lock, write_rollout
from tests.support.api import Api
from tests.support.fragile_model import FEATURES, describe, write_fragile_model
from tests.support.product import Product

SEEN_SECONDS = 5.0
"""Within which every replica has noticed a change: it looks once a second, and loads before."""


@dataclass(frozen=True)
class LiveModels:
    """The folder of models of a product."""

    product: Product

    @property
    def root(self) -> Path:
        return Path(self.product.environment["FAREBOX_MODELS_DIR"])

    def publish_tree(self, name: str, version: str, send_sms: float) -> None:
        """A LightGBM model whose log-odds are -1, and `send_sms` more with SEND_SMS."""
        with _staged() as stage:
            self._put(write_fragile_model(stage, version, name=name, send_sms=send_sms))

    def publish_onnx(self, name: str, version: str, content: bytes) -> None:
        """A model in ONNX over the same features."""
        with _staged() as stage:
            folder = stage / name / version
            folder.mkdir(parents=True)
            (folder / "model.onnx").write_bytes(content)
            artifact = Artifact(file="model.onnx", sha256=hashlib.sha256(content).hexdigest())
            manifest = describe(content, name, version).model_copy(
                update={"kind": "onnx", "artifact": artifact}
            )
            write_manifest(manifest, folder / MANIFEST_FILE)
            self._put(folder)

    def publish_broken(self, name: str, version: str) -> None:
        """A version whose artifact is not the one that its manifest tells of."""
        with _staged() as stage:
            folder = write_fragile_model(stage, version, name=name)
            (folder / "model.txt").write_text("something else")
            self._put(folder)

    def remove(self, name: str) -> None:
        """Take the whole model away."""
        shutil.rmtree(self.root / name)

    def change(self, name: str, step: Callable[[Rollout, datetime], Rollout]) -> None:
        """Decide anew who answers for a model."""
        folder = self.root / name
        with registry_lock(self.root):
            versions = [one.name for one in folder.iterdir() if one.is_dir()]
            rollout = read_rollout(folder, versions) or Rollout(min(versions, key=int))
            write_rollout(folder, step(rollout, datetime.now(UTC)))

    def wait_for(self, name: str, version: str) -> None:
        """Return when every validator tells of the version."""
        self._wait(lambda card: (card["name"], card["version"]) == (name, version))

    def _wait(self, told: Callable[[dict[str, Any]], bool]) -> None:
        deadline = time.monotonic() + 2 * SEEN_SECONDS
        in_a_row = 0
        while in_a_row < 10:  # as many answers as make it sure that all replicas gave one
            assert time.monotonic() < deadline, "the change was not noticed"
            cards = httpx.get(f"{self.product.base_url}/v1/models", timeout=10).json()["models"]
            in_a_row = in_a_row + 1 if any(map(told, cards)) else 0
            time.sleep(0.02)

    def _put(self, folder: Path) -> None:
        """Into the folder of models, all at once."""
        place = self.root / folder.parent.name / folder.name
        place.parent.mkdir(exist_ok=True)
        if place.parent == self.root / folder.parent.name and not any(place.parent.iterdir()):
            write_rollout(place.parent, Rollout(folder.name))
        folder.rename(place)


@contextmanager
def _staged() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="fbx-stage-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True)
class Answered:
    """One answer under load: when it was asked for, and what came."""

    asked_seconds: float
    response: httpx.Response

    @property
    def version(self) -> str:
        version: str = self.response.json()["version"]
        return version

    @property
    def probability(self) -> float:
        probability: float = self.response.json()["predictions"][0]["probability"]
        return probability


@contextmanager
def constant_load(apis: Sequence[Api], payload: dict[str, Any]) -> Iterator[list[Answered]]:
    """Each client sends one keyed request after another; the list grows meanwhile."""
    over = threading.Event()
    answers: list[Answered] = []

    def send_on(api: Api) -> None:
        for number in itertools.count():
            asked = time.monotonic()
            response = _score(api, payload, f"{api.key[-8:]}-{payload['model']}-{number}")
            answers.append(Answered(asked, response))
            if over.is_set():
                return

    with ThreadPoolExecutor(len(apis)) as pool:
        sending = [pool.submit(send_on, api) for api in apis]
        try:
            yield answers
        finally:
            over.set()
    for each in sending:
        each.result()


def _score(api: Api, payload: dict[str, Any], key: str) -> httpx.Response:
    """A connection that HAProxy had closed between two requests is no answer: sent again, once."""
    try:
        return api.score(payload, key=key)
    except httpx.RemoteProtocolError:
        return api.score(payload, key=key)


def make_logistic_onnx() -> tuple[bytes, Any]:
    """A logistic regression over the fragile model's features, as ONNX and as it was fitted."""
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    rows = np.array(list(itertools.product((0, 1), repeat=len(FEATURES))), dtype=np.float32)
    fitted = LogisticRegression().fit(rows, rows[:, FEATURES.index("SEND_SMS")].astype(int))
    graph = to_onnx(fitted, rows[:1], options={"zipmap": False}, target_opset=17)
    feature_names = graph.metadata_props.add()
    feature_names.key, feature_names.value = "features", json.dumps(FEATURES)
    return graph.SerializeToString(), fitted
