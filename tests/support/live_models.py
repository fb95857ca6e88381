"""Publishes and rolls out models of a running product, by the folder that it follows."""

from __future__ import annotations

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

from models.drafting import Draft, write_draft
from models.manifest import Labels
from models.publishing import publish
from tests.support.api import Api
from tests.support.fragile_model import (
    FEATURES,
    MODEL_FILE,
    render_model,
    write_fragile_model,
)
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
            model_file = stage / "model.txt"
            model_file.write_text(render_model(send_sms))
            publish(self.root, _draft(model_file, name, version))

    def publish_onnx(self, name: str, content: bytes, credits_each: str) -> None:
        """The first version of a model in ONNX, by the commands that an operator uses."""
        with _staged() as stage:
            model_file = stage / "model.onnx"
            model_file.write_bytes(content)
            folder = _draft(model_file, name, "1")
            self.product.run("models", "publish", str(folder), "--credits", credits_each)

    def bring_broken(self, name: str, version: str) -> None:
        """A version whose artifact is not the one that its manifest tells of, past all checks."""
        with _staged() as stage:
            folder = write_fragile_model(stage, version, name=name)
            (folder / MODEL_FILE).write_text("something else")
            folder.rename(self.root / name / version)

    def remove(self, name: str) -> None:
        """Take the whole model away."""
        shutil.rmtree(self.root / name)

    def wait_for(self, name: str, version: str) -> None:
        """Return when every validator tells of the version."""
        self.wait_until(lambda card: (card["name"], card["version"]) == (name, version))

    def wait_until(self, told: Callable[[dict[str, Any]], bool]) -> None:
        """Return when every validator tells so of some version."""
        deadline = time.monotonic() + 2 * SEEN_SECONDS
        in_a_row = 0
        while in_a_row < 10:  # as many answers as make it sure that all replicas gave one
            assert time.monotonic() < deadline, "the change was not noticed"
            cards = httpx.get(f"{self.product.base_url}/v1/models", timeout=10).json()["models"]
            in_a_row = in_a_row + 1 if any(map(told, cards)) else 0
            time.sleep(0.02)


@contextmanager
def _staged() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="fbx-stage-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _draft(model_file: Path, name: str, version: str) -> Path:
    """A folder ready to be published, beside the model's file."""
    folder = model_file.parent / f"{name}-{version}"
    draft = Draft(name, version, Labels(negative="goodware", positive="malware"), 0.5, FEATURES)
    write_draft(model_file, folder, draft, [["SEND_SMS"], []], datetime.now(UTC))
    return folder


@dataclass(frozen=True)
class Answered:
    """One answer under load: when it was asked for and came, and what it was."""

    asked_seconds: float
    answered_seconds: float
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
            answers.append(Answered(asked, time.monotonic(), response))
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
