"""Tables that `farebox models` prints."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table
from rich.text import Text

from models.golden import golden_of, parse_golden
from models.loading import read_checked
from models.manifest import Manifest
from models.registry import Catalog
from models.rollout import Rollout

EXAMPLES_SHOWN = 10
STEPS_SHOWN = 10
_NAMES_SHOWN = 3


def models_table(catalog: Catalog) -> Table:
    """Every version, a row each."""
    table = _table("model", "version", "kind", "state", "features", "threshold", "made")
    for one in catalog.manifests:
        _add(
            table,
            one.name,
            one.version,
            one.kind,
            state_of(one, catalog.rollout(one.name)),
            str(len(one.features)),
            f"{one.threshold:g}",
            f"{one.created_at:%Y-%m-%d}",
        )
    return table


def history_table(rollout: Rollout) -> Table:
    """The latest steps, the last one last."""
    table = _table("when (UTC)", "step", "version", "percent")
    for change in rollout.history[-STEPS_SHOWN:]:
        percent = "" if change.canary_percent is None else str(change.canary_percent)
        _add(table, f"{change.at:%Y-%m-%d %H:%M:%S}", str(change.step), change.version, percent)
    return table


def golden_table(folder: Path, manifest: Manifest) -> Table:
    """What the model answers to its golden inputs."""
    file = golden_of(manifest)
    golden = parse_golden(read_checked(folder, file), file)
    table = _table("example", "probability", "label")
    pairs = zip(golden.instances, golden.probabilities, strict=True)
    for instance, probability in list(pairs)[:EXAMPLES_SHOWN]:
        _add(table, _shorten(instance), f"{probability:.4f}", manifest.label_of(probability))
    return table


def state_of(manifest: Manifest, rollout: Rollout) -> str:
    """What the version is for now, in words."""
    version = manifest.version
    if version == rollout.champion:
        return "champion"
    if version in rollout.retired:
        return "retired"
    if version == rollout.challenger:
        canary = [f"canary {rollout.canary_percent} %"] if rollout.canary_percent else []
        return ", ".join([*canary, *(["shadow"] if rollout.shadow else [])])
    return "on request"


def _shorten(instance: tuple[str, ...] | tuple[int, ...]) -> str:
    if instance and not isinstance(instance[0], str):
        return f"{sum(int(value) for value in instance)} of {len(instance)} present"
    names = [str(name) for name in instance[:_NAMES_SHOWN]]
    more = len(instance) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "") or "none present"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _add(table: Table, *cells: str) -> None:
    # Text, not str: a name with brackets is not markup.
    table.add_row(*(Text(cell) for cell in cells))
