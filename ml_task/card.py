"""Writes a model card from a manifest, so that the two cannot differ."""

from __future__ import annotations

from models.manifest import Estimate, Manifest, SplitMetrics

COLUMNS = ("accuracy", "f1_macro", "f1_positive", "roc_auc", "pr_auc", "mcc", "brier")

CARD = """\
# {name} {version}

Says how likely an Android app is {positive}, from {features} permissions and API calls it names
(each 0 or 1). Generated from `manifest.json`; do not edit.

- Kind: {kind} ({library}), text format, `{file}`, sha256 `{sha256}`.
- Made {created_at} from {rows} rows, {vectors} unique vectors (data sha256 `{data_sha256}`).
- Parameters: {parameters}.

## Quality

Out of fold, decided at probability 0.5, mean over seeds [95 % bootstrap interval over groups].
Compare models on the splits that do not leak; the last is the closest to an app unlike any seen.

{table}

## Weighting

{weighting}.
Malware is 80 % of the rows but 20 % of the unique vectors: a few malware vectors are repeated
hundreds of times. A repeat says how often an app was collected, not how an unseen app looks, so
repeats do not count. Measured with this recipe, nine runs each (three seeds of the model by three
of the folds; +- is the standard deviation of a run):

| vector weighs | F1 malware, unique | Brier, unique | ROC-AUC, clusters | F1 malware, clusters |
| --- | --- | --- | --- | --- |
| its rows | .885 +- .005 | .0357 | .9710 +- .0013 | .867 +- .010 |
| square root of its rows | .898 +- .008 | .0309 | .9730 +- .0018 | .872 +- .009 |
| 1 | .904 +- .005 | .0292 | .9735 +- .0025 | .860 +- .016 |

Accuracy on rows grouped by vector is .977 to .978 for all three. So the choice costs nothing that
can be measured, and its probabilities follow a world in which 20 % of apps are malware, not 80 %.
In yours it is less still: rank by the probability, or choose a threshold of your own. The
parameters were picked among eleven sets on these splits, so the figures are slightly kind.

## Decision

`{positive}` from probability {threshold} on, else `{negative}`. Chosen where a miss costs
{cost_ratio:g} false alarms (an assumption), out of fold on `{measured_on}`: it finds
{recall:.1%} of the malware there and raises a false alarm for {false_positive_rate:.1%} of the
goodware. The threshold was chosen on the same rows, so expect slightly worse.

## Not for

Blocking an app without a second look. The data is old and small, its goodware and malware come
from different sources, and 42 features never occur. Newer permissions are unknown to it.
"""


def render_card(manifest: Manifest) -> str:
    """The card as Markdown."""
    training = manifest.training
    assert training is not None, "a card is written where the model is trained"
    return CARD.format(
        name=manifest.name,
        version=manifest.version,
        kind=manifest.kind,
        created_at=manifest.created_at.date().isoformat(),
        features=len(manifest.features),
        table=_render_table(manifest.metrics),
        parameters=", ".join(f"{name} {value}" for name, value in training.parameters.items()),
        **training.model_dump(exclude={"parameters", "weighting"}),
        weighting=training.weighting[:1].upper() + training.weighting[1:],
        **manifest.artifact.model_dump(),
        **manifest.labels.model_dump(),
        **manifest.decision.model_dump(),
    )


def _render_table(metrics: dict[str, SplitMetrics]) -> str:
    head = ["split", "rows", *(name.replace("_", " ") for name in COLUMNS)]
    lines = [head, ["---"] * len(head)]
    for split in metrics.values():
        estimates: list[Estimate] = [getattr(split, name) for name in COLUMNS]
        lines.append([split.about, str(split.rows), *map(_render_estimate, estimates)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _render_estimate(estimate: Estimate) -> str:
    return f"{estimate.mean:.4f} [{estimate.low:.3f}, {estimate.high:.3f}]"
