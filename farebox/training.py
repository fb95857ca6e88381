"""Trains and measures the published models with a progress bar, and prints what was found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from data.loader import Dataset
from farebox.errors import FareboxError
from ml_task.card import COLUMNS
from ml_task.evaluate import Plan
from ml_task.published import PUBLISHED, Published
from ml_task.train import Tell, count_fits, evaluate, train
from models.manifest import Decision, Estimate, SplitMetrics
from models.registry import artifact_folder

QUICK = Plan(seeds=(0,), folds=2, resamples=50)


class UnknownTask(FareboxError):
    """No model of this name is trained here."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """What the commands do once everything they need is there."""

    console: Console

    def train_models(
        self,
        dataset: Dataset,
        name: str | None,
        root: Path,
        created_at: datetime,
        *,
        version: str | None,
        quick: bool,
    ) -> None:
        """Write each model's folder below `root`."""
        plan = _plan(quick)
        for model in _choose(name):
            with self._progress(model, plan) as tell:
                manifest = train(
                    dataset, model, root, created_at, version=version, plan=plan, tell=tell
                )
            self._show(model, manifest.metrics, manifest.decision)
            folder = artifact_folder(root, manifest.name, manifest.version)
            self.console.print(f"written to {folder}")

    def evaluate_models(self, dataset: Dataset, name: str | None, *, quick: bool) -> None:
        """Print each model's figures."""
        plan = _plan(quick)
        for model in _choose(name):
            with self._progress(model, plan) as tell:
                measured = evaluate(dataset, model, plan, tell)
            self._show(model, measured.metrics, measured.decision)

    @contextmanager
    def _progress(self, model: Published, plan: Plan) -> Iterator[Tell]:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("fits"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(model.name, total=count_fits(plan))
            yield lambda about: progress.update(
                task, advance=1, description=f"{model.name}: {about}"
            )

    def _show(self, model: Published, metrics: dict[str, SplitMetrics], decision: Decision) -> None:
        table = Table("split", *(name.replace("_", " ") for name in COLUMNS), title=model.name)
        for split in metrics.values():
            estimates: list[Estimate] = [getattr(split, name) for name in COLUMNS]
            table.add_row(split.about, *map(_render, estimates))
        self.console.print(table)
        self.console.print(
            f"threshold {decision.threshold}: recall {decision.recall:.1%}, "
            f"false alarms {decision.false_positive_rate:.1%} on {decision.measured_on}"
        )


def _plan(quick: bool) -> Plan:
    return QUICK if quick else Plan()


def _choose(name: str | None) -> tuple[Published, ...]:
    if name is None:
        return tuple(PUBLISHED.values())
    if name not in PUBLISHED:
        raise UnknownTask(f"{name!r} is not trained here; known: {', '.join(PUBLISHED)}")
    return (PUBLISHED[name],)


def _render(estimate: Estimate) -> str:
    return f"{estimate.mean:.4f}\n{estimate.low:.3f} to {estimate.high:.3f}"


TRAINER = Trainer(Console(highlight=False))
