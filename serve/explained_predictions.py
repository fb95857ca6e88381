"""Explained predictions: which requests may ask for them, and the JSON that is kept and answered.

They are kept as that JSON however many there are, about 1,000 bytes an instance: an answer given
again is the same to the last byte, whatever became of the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from models.explanations import Explanations
from models.manifest import Manifest
from serve.refusals import Code, Fault, Refusal
from serve.validation import refuse_input, row_bytes

_BITS = 8
_JSON_ARRAY = b"["
_PARTS = ("probability", "base", "raw_score", "rest", "features", "contributions")


def check_explainable(manifest: Manifest, instances: int, instances_max: int) -> None:
    """Raise a Refusal where this model, or so many instances at once, cannot be explained."""
    if not manifest.can_explain:
        raise Refusal(
            Code.EXPLANATION_UNSUPPORTED,
            f"{manifest.name} {manifest.version} is of the kind {manifest.kind}, which cannot say "
            "what contributed to a probability. Ask it for predictions alone.",
        )
    if instances > instances_max:
        detail = (
            f"{instances} instances; a request with explanations takes 1 to {instances_max}: "
            "split it"
        )
        raise refuse_input([Fault("/instances", detail)])


def keep_explained(explained: Explanations, packed_rows: bytes, manifest: Manifest) -> bytes:
    """The JSON array of predictions of one request, each with its explanation.

    `packed_rows` are the rows that were explained, one bit a feature.
    """
    width = row_bytes(manifest.feature_schema)
    starts = range(0, len(packed_rows), width)
    columns = [explained[name].tolist() for name in _PARTS]
    return orjson.dumps(
        [
            _prediction(parts, packed_rows[start : start + width], manifest)
            for start, *parts in zip(starts, *columns, strict=True)
        ]
    )


def kept_explanation(kept: bytes, instance: int) -> dict[str, Any] | None:
    """The kept prediction of one instance, with its explanation; None where it has none.

    `kept` is what `keep_explained` or `keep_predictions` made.
    """
    if not kept.startswith(_JSON_ARRAY):
        return None
    prediction: dict[str, Any] = orjson.loads(kept)[instance]
    return prediction if "explanation" in prediction else None


def _prediction(parts: list[Any], packed: bytes, manifest: Manifest) -> dict[str, object]:
    probability, base, raw_score, rest, features, contributions = parts
    return {
        "label": manifest.label_of(probability),
        "probability": probability,
        "explanation": {
            "base": base,
            "raw_score": raw_score,
            "contributions": list(_contributions(features, contributions, packed, manifest)),
            "rest": rest,
        },
    }


def _contributions(
    features: list[int], contributions: list[float], packed: bytes, manifest: Manifest
) -> Iterator[dict[str, object]]:
    """Those that are not zero: a feature that no tree asks for has nothing to say."""
    names = manifest.feature_schema.names
    for column, contribution in zip(features, contributions, strict=True):
        if contribution:
            byte, bit = divmod(column, _BITS)
            yield {
                "feature": names[column],
                "value": packed[byte] >> (_BITS - 1 - bit) & 1,
                "contribution": contribution,
            }
