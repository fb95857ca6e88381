"""Measures, fits and writes one version of a published model.

The same data, seed and library versions give byte-identical model files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import numpy as np

from data.loader import Dataset
from ml_task.card import render_card
from ml_task.evaluate import OutOfFold, Plan, measure, predict_out_of_fold
from ml_task.published import Published
from ml_task.recipe import SEED
from ml_task.splits import SPLITS, held_out_clusters
from ml_task.threshold import choose_threshold
from models.manifest import (
    MANIFEST_FILE,
    Artifact,
    Decision,
    Labels,
    Manifest,
    SplitMetrics,
    Training,
    write_manifest,
)
from models.registry import artifact_folder

CARD_FILE = "card.md"

Tell: TypeAlias = Callable[[str], None]
"""Is told what the fit that just ended was for."""


def train(
    dataset: Dataset,
    model: Published,
    root: Path,
    created_at: datetime,
    *,
    version: str | None = None,
    plan: Plan | None = None,
    tell: Tell = lambda _: None,
) -> Manifest:
    """Measure out of fold, fit on all rows, write the version's folder below `root`."""
    metrics, decision = evaluate(dataset, model, plan or Plan(), tell)
    content = model.export(dataset.matrix, dataset.labels, dataset.schema.names)
    manifest = Manifest(
        name=model.name,
        version=version or model.version,
        kind=model.kind,
        created_at=created_at,
        labels=Labels(negative="goodware", positive="malware"),
        decision=decision,
        artifact=Artifact(file=model.file, sha256=hashlib.sha256(content).hexdigest()),
        training=describe_training(dataset, model),
        metrics=metrics,
        features_sha256=dataset.schema.sha256,
        features=dataset.schema.names,
    )
    folder = artifact_folder(root, manifest.name, manifest.version)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / model.file).write_bytes(content)
    (folder / CARD_FILE).write_text(render_card(manifest), encoding="utf-8")
    write_manifest(manifest, folder / MANIFEST_FILE)
    return manifest


def count_fits(plan: Plan) -> int:
    """How often `tell` is called by `evaluate`."""
    return len(SPLITS) * plan.fits


def evaluate(
    dataset: Dataset, model: Published, plan: Plan, tell: Tell = lambda _: None
) -> tuple[dict[str, SplitMetrics], Decision]:
    """Metrics by split, and the decision chosen on the held-out clusters."""
    by_split: dict[str, OutOfFold] = {}
    for make in SPLITS:
        split = make(dataset)
        by_split[split.name] = predict_out_of_fold(
            dataset, split, plan, model.fit, lambda about=split.about: tell(about)
        )
    metrics = {name: measure(one, plan) for name, one in by_split.items()}
    return metrics, choose_threshold(by_split[held_out_clusters.__name__])


def describe_training(dataset: Dataset, model: Published) -> Training:
    """What the model is made from and how."""
    return Training(
        data_sha256=dataset.sha256,
        rows=len(dataset.labels),
        vectors=len(np.unique(dataset.matrix, axis=0)),
        weighting=model.weighting,
        seed=SEED,
        library=model.library,
        parameters=model.parameters,
    )
