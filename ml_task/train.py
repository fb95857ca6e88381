"""Measures, fits and writes one version of a published model.

The same data, seed and library versions give byte-identical model files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from data.loader import Dataset
from data.samples import invent_apps
from ml_task.card import render_card
from ml_task.evaluate import OutOfFold, Plan, measure, predict_out_of_fold
from ml_task.published import Published
from ml_task.recipe import SEED
from ml_task.splits import SPLITS, held_out_clusters, unique_vectors
from ml_task.threshold import choose_threshold
from models.manifest import (
    Artifact,
    Decision,
    Labels,
    Manifest,
    SplitMetrics,
    Training,
)
from models.reference import (
    REFERENCE_FILE,
    REFERENCE_ROLE,
    Reference,
    make_reference,
    write_reference,
)
from models.registry import artifact_folder
from models.sealing import describe_file, seal

CARD_FILE = "card.md"
REFERENCE_WEIGHTING = "each unique feature vector of the data set weighs 1"

Tell: TypeAlias = Callable[[str], None]
"""Is told what the fit that just ended was for."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What out-of-fold predictions tell: quality by split, the decision, and what to expect."""

    metrics: dict[str, SplitMetrics]
    decision: Decision
    reference: Reference


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
    measured = evaluate(dataset, model, plan or Plan(), tell)
    content = model.export(dataset.matrix, dataset.labels, dataset.schema.names)
    manifest = Manifest(
        name=model.name,
        version=version or model.version,
        kind=model.kind,
        created_at=created_at,
        labels=Labels(negative="goodware", positive="malware"),
        decision=measured.decision,
        artifact=describe_file(model.file, content),
        training=describe_training(dataset, model),
        metrics=measured.metrics,
        features_sha256=dataset.schema.sha256,
        features=dataset.schema.names,
    )
    folder = artifact_folder(root, manifest.name, manifest.version)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / model.file).write_bytes(content)
    reference = Artifact(file=REFERENCE_FILE, sha256=write_reference(measured.reference, folder))
    manifest = manifest.model_copy(update={"files": {REFERENCE_ROLE: reference}})
    (folder / CARD_FILE).write_text(render_card(manifest), encoding="utf-8")
    return seal(folder, manifest, golden_instances(dataset))


def golden_instances(dataset: Dataset) -> list[list[str]]:
    """What the model's answers are recorded for: the synthetic apps, never rows of the data."""
    names = dataset.schema.names
    return [
        [names[column] for column in np.flatnonzero(app)] for app in invent_apps(dataset.schema)
    ]


def count_fits(plan: Plan) -> int:
    """How often `tell` is called by `evaluate`."""
    return len(SPLITS) * plan.fits


def evaluate(
    dataset: Dataset, model: Published, plan: Plan, tell: Tell = lambda _: None
) -> Measured:
    """Measure on every split; the decision is chosen on the held-out clusters."""
    by_split: dict[str, OutOfFold] = {}
    for make in SPLITS:
        split = make(dataset)
        by_split[split.name] = predict_out_of_fold(
            dataset, split, plan, model.fit, partial(tell, split.about)
        )
    return Measured(
        {name: measure(one, plan) for name, one in by_split.items()},
        choose_threshold(by_split[held_out_clusters.__name__]),
        _refer(dataset, by_split[unique_vectors.__name__]),
    )


def _refer(dataset: Dataset, out_of_fold: OutOfFold) -> Reference:
    return make_reference(
        dataset.matrix[out_of_fold.split.tested],
        out_of_fold.probabilities.mean(axis=0),
        REFERENCE_WEIGHTING,
    )


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
