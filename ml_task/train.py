"""Trains, measures and writes one version of the Android malware model: `python -m ml_task.train`.

The same data, seed and library version give a byte-identical `model.txt`.
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import lightgbm
import numpy as np
import typer

from data.errors import DataError
from data.loader import Dataset, load_dataset
from ml_task.card import render_card
from ml_task.evaluate import OutOfFold, Plan, measure, predict_out_of_fold
from ml_task.recipe import PARAMETERS, SEED, TREES, WEIGHTING, fit_booster
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
from models.registry import ARTIFACTS_ROOT, artifact_folder

MODEL_NAME = "android-malware"
MODEL_FILE = "model.txt"
CARD_FILE = "card.md"

app = typer.Typer(add_completion=False)


def train(
    dataset: Dataset, root: Path, version: str, created_at: datetime, plan: Plan | None = None
) -> Manifest:
    """Fit on all rows, measure out of fold, write the version's folder below `root`."""
    metrics, decision = evaluate(dataset, plan or Plan())
    typer.echo(f"fitting {TREES} trees on all {len(dataset.labels)} rows")
    booster = fit_booster(dataset.matrix, dataset.labels, dataset.schema.names)
    content = booster.model_to_string().encode()
    manifest = describe(
        dataset,
        content,
        metrics=metrics,
        decision=decision,
        version=version,
        created_at=created_at,
    )
    folder = artifact_folder(root, manifest.name, manifest.version)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_FILE).write_bytes(content)
    (folder / CARD_FILE).write_text(render_card(manifest), encoding="utf-8")
    write_manifest(manifest, folder / MANIFEST_FILE)
    return manifest


def evaluate(dataset: Dataset, plan: Plan) -> tuple[dict[str, SplitMetrics], Decision]:
    """Metrics by split, and the decision chosen on the held-out clusters."""
    by_split: dict[str, OutOfFold] = {}
    metrics: dict[str, SplitMetrics] = {}
    for make in SPLITS:
        split = make(dataset)
        typer.echo(f"measuring on {split.about}: {len(plan.seeds)} x {plan.folds} fits")
        by_split[split.name] = predict_out_of_fold(dataset, split, plan)
        metrics[split.name] = measure(by_split[split.name], plan)
    return metrics, choose_threshold(by_split[held_out_clusters.__name__])


def describe(
    dataset: Dataset,
    content: bytes,
    *,
    metrics: dict[str, SplitMetrics],
    decision: Decision,
    version: str,
    created_at: datetime,
) -> Manifest:
    """The manifest of the model text `content`."""
    return Manifest(
        name=MODEL_NAME,
        version=version,
        kind="lightgbm",
        created_at=created_at,
        labels=Labels(negative="goodware", positive="malware"),
        decision=decision,
        artifact=Artifact(file=MODEL_FILE, sha256=hashlib.sha256(content).hexdigest()),
        training=describe_training(dataset),
        metrics=metrics,
        features_sha256=dataset.schema.sha256,
        features=dataset.schema.names,
    )


def describe_training(dataset: Dataset) -> Training:
    """What a model of this recipe is made from."""
    return Training(
        data_sha256=dataset.sha256,
        rows=len(dataset.labels),
        vectors=len(np.unique(dataset.matrix, axis=0)),
        weighting=WEIGHTING,
        seed=SEED,
        library=f"lightgbm {lightgbm.__version__}",
        parameters={**PARAMETERS, "num_trees": TREES},
    )


@app.command()
def main(
    dataset: Annotated[
        Path | None, typer.Option(help="TUANDROMD.csv; else FAREBOX_DATASET, known folders, UCI")
    ] = None,
    out: Annotated[Path, typer.Option(help="root of the artifacts")] = ARTIFACTS_ROOT,
    version: Annotated[int, typer.Option(min=1, max=999_999_999, help="replaced if it exists")] = 1,
    created_at: Annotated[
        datetime | None, typer.Option(help="moment to record, UTC; now unless given")
    ] = None,
) -> None:
    """Train, measure and write the Android malware model."""
    configured = os.environ.get("FAREBOX_DATASET")
    try:
        loaded = load_dataset(dataset or (Path(configured) if configured else None))
    except DataError as error:
        typer.secho(str(error), err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from error
    moment = created_at.replace(tzinfo=UTC) if created_at else datetime.now(UTC)
    manifest = train(loaded, out, str(version), moment.replace(microsecond=0))
    typer.echo(render_card(manifest))
    typer.echo(f"written to {artifact_folder(out, manifest.name, manifest.version)}")


if __name__ == "__main__":
    app()
