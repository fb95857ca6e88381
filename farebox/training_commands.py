"""`farebox train` and `farebox evaluate`.

What trains is an extra that a server does without, so it is imported when it is asked for.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from data.errors import DataError
from data.loader import Dataset, load_dataset
from farebox.errors import FareboxError
from models.registry import ARTIFACTS_ROOT

if TYPE_CHECKING:
    from farebox import training

DATASET = "FAREBOX_DATASET"

ModelOption = Annotated[
    str | None, typer.Option("--model", help="Which model; all that are published unless given")
]
DatasetOption = Annotated[
    Path | None,
    typer.Option("--dataset", help=f"TUANDROMD.csv; else {DATASET}, known folders, UCI"),
]


class TrainingUnavailable(FareboxError):
    """Something that training needs is not there; the message says how to get it."""


def train_command(
    model: ModelOption = None,
    dataset: DatasetOption = None,
    out: Annotated[Path, typer.Option(help="Root of the artifacts")] = ARTIFACTS_ROOT,
    version: Annotated[
        int | None, typer.Option(min=1, max=999_999_999, help="Replaced if it exists")
    ] = None,
    created_at: Annotated[
        datetime | None, typer.Option(help="Moment to record, UTC; now unless given")
    ] = None,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Measure less; for a try")] = False,
) -> None:
    """Measure, train and write the published models: file, manifest and card."""
    trainer = _load_trainer()
    moment = created_at.replace(tzinfo=UTC) if created_at else datetime.now(UTC)
    trainer.train_models(
        _load_data(dataset),
        model,
        out,
        moment.replace(microsecond=0),
        version=None if version is None else str(version),
        quick=quick,
    )


def evaluate_command(
    model: ModelOption = None,
    dataset: DatasetOption = None,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="One seed, two folds")] = False,
) -> None:
    """Measure the published models on rows they have not seen, in four ways to split."""
    trainer = _load_trainer()
    trainer.evaluate_models(_load_data(dataset), model, quick=quick)


def add_commands(app: typer.Typer) -> None:
    """Give `app` these commands."""
    app.command(name="train")(train_command)
    app.command(name="evaluate")(evaluate_command)


def _load_trainer() -> training.Trainer:
    try:
        return cast("training.Trainer", import_module("farebox.training").TRAINER)
    except ModuleNotFoundError as error:
        raise TrainingUnavailable(
            f"training needs {error.name}, which is not installed: "
            "pip install -e '.[train]' gets everything it needs"
        ) from error


def _load_data(path: Path | None) -> Dataset:
    configured = os.environ.get(DATASET)
    try:
        return load_dataset(path or (Path(configured) if configured else None))
    except DataError as error:
        raise TrainingUnavailable(
            f"{error}\ndata/README.md says where the data set comes from; "
            f"--dataset or {DATASET} names a file that you have"
        ) from error
