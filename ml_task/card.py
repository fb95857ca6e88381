"""Writes a model card from a manifest, so that the two cannot differ.

A section is there where the manifest has what it tells.
"""

from __future__ import annotations

from models.manifest import Decision, Estimate, Labels, Manifest, SplitMetrics, Training

COLUMNS = ("accuracy", "f1_macro", "f1_positive", "roc_auc", "pr_auc", "mcc", "brier")
FORMATS = {"lightgbm": "LightGBM's text format", "onnx": "ONNX"}

HEAD = """\
# {name} {version}

Says how likely an Android app is {positive}, from {features} permissions and API calls it names
(each 0 or 1). Generated from `manifest.json`; do not edit.

- Kind: {kind}, `{file}`, sha256 `{sha256}`.
"""

TRAINING = """\
- Made {created_at} with {library} from {rows} rows, {vectors} unique vectors (data sha256
  `{data_sha256}`).
- Parameters: {parameters}.
"""

QUALITY = """
## Quality

Out of fold, decided at probability 0.5, mean over seeds [95 % bootstrap interval over groups].
Compare models on the splits that do not leak; the last is the closest to an app unlike any seen.

{table}
"""

WEIGHTING = """
## Weighting

{weighting}.
Malware is 80 % of the rows but 20 % of the unique vectors: a few malware vectors are repeated
hundreds of times. A repeat says how often an app was collected, not how an unseen app looks, so
repeats do not count. The probabilities follow a world in which 20 % of apps are malware. In yours
it is less still: rank by the probability, or choose a threshold of your own.
"""

DECISION = """
## Decision

`{positive}` from probability {threshold} on, else `{negative}`.
"""

CHOICE = """\
Chosen where a miss costs {cost_ratio:g} false alarms (an assumption), out of fold on
`{measured_on}`: it finds {recall:.1%} of the {positive} there and raises a false alarm for
{false_positive_rate:.1%} of the {negative}. The threshold was chosen on the same rows, and the
parameters among a few sets on these splits, so expect slightly worse.
"""

NOT_FOR = """
## Not for

Blocking an app without a second look. The data is old and small, its goodware and malware come
from different sources, and 42 features never occur. Newer permissions are unknown to it.
"""


def render_card(manifest: Manifest) -> str:
    """The card as Markdown."""
    parts = [_render_head(manifest)]
    if manifest.training is not None:
        parts.append(_render_training(manifest.training, manifest.created_at.date().isoformat()))
    if manifest.metrics:
        parts.append(QUALITY.format(table=_render_table(manifest.metrics)))
    if manifest.training is not None:
        weighting = manifest.training.weighting
        parts.append(WEIGHTING.format(weighting=weighting[:1].upper() + weighting[1:]))
    parts.append(_render_decision(manifest.decision, manifest.labels))
    parts.append(NOT_FOR)
    return "".join(parts)


def _render_head(manifest: Manifest) -> str:
    return HEAD.format(
        name=manifest.name,
        version=manifest.version,
        positive=manifest.labels.positive,
        features=len(manifest.features),
        kind=FORMATS[manifest.kind],
        **manifest.artifact.model_dump(),
    )


def _render_training(training: Training, created_at: str) -> str:
    parameters = ", ".join(f"{name} {value}" for name, value in training.parameters.items())
    facts = training.model_dump(exclude={"parameters"})
    return TRAINING.format(created_at=created_at, parameters=parameters, **facts)


def _render_decision(decision: Decision, labels: Labels) -> str:
    words = {**decision.model_dump(), **labels.model_dump()}
    text = DECISION.format(**words)
    is_measured = None not in words.values()
    return text + CHOICE.format(**words) if is_measured else text


def _render_table(metrics: dict[str, SplitMetrics]) -> str:
    head = ["split", "rows", *(name.replace("_", " ") for name in COLUMNS)]
    lines = [head, ["---"] * len(head)]
    for split in metrics.values():
        estimates: list[Estimate] = [getattr(split, name) for name in COLUMNS]
        lines.append([split.about, str(split.rows), *map(_render_estimate, estimates)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _render_estimate(estimate: Estimate) -> str:
    return f"{estimate.mean:.4f} [{estimate.low:.3f}, {estimate.high:.3f}]"
