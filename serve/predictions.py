"""How the predictions of a request are kept, and how they are shown.

A few are kept as the JSON that is answered. More are kept packed: an eighth of the bytes, and
written in no time beside JSON. The model's labels and threshold are kept with them, so that an
answer can be read whatever became of the model.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from models.manifest import Manifest
from serve.ports import Probabilities

PACKED_FROM = 17
"""Instances from which on predictions are packed; with fewer their JSON is as short."""

_PACKED = b"\x01"
"""What packed predictions begin with, which no JSON does."""
_HEADER = struct.Struct("<cI")
_FLOAT = "<f8"


@dataclass(frozen=True, slots=True)
class Decision:
    """What turns a probability into a label: the positive one from the threshold on."""

    negative: str
    positive: str
    threshold: float

    @classmethod
    def of(cls, manifest: Manifest) -> Decision:
        """A model's own."""
        return cls(manifest.labels.negative, manifest.labels.positive, manifest.threshold)


def keep_predictions(probabilities: Probabilities, decision: Decision) -> bytes:
    """The bytes that are stored for one request; float64 probabilities of shape (instances,)."""
    if len(probabilities) < PACKED_FROM:
        return _write_json(probabilities.tolist(), decision)
    said = orjson.dumps([decision.negative, decision.positive, decision.threshold])
    return b"".join(
        (_HEADER.pack(_PACKED, len(said)), said, probabilities.astype(_FLOAT, copy=False).tobytes())
    )


def predictions_json(kept: bytes) -> bytes:
    """The JSON array of predictions, `label` and `probability` of each instance."""
    if not kept.startswith(_PACKED):
        return kept
    decision, probabilities = _unpack(kept)
    return _write_json(probabilities.tolist(), decision)


def predictions_packed(kept: bytes) -> bytes:
    """The probabilities as little-endian float64, 8 bytes an instance."""
    if kept.startswith(_PACKED):
        return _unpack(kept)[1].tobytes()
    return np.array([each["probability"] for each in orjson.loads(kept)], dtype=_FLOAT).tobytes()


def read_predictions(kept: bytes) -> tuple[Probabilities, list[str]]:
    """The probabilities, float64 of shape (instances,), and the label of each."""
    if not kept.startswith(_PACKED):
        predictions = orjson.loads(kept)
        probabilities = np.array([each["probability"] for each in predictions], dtype=_FLOAT)
        return probabilities, [each["label"] for each in predictions]
    decision, probabilities = _unpack(kept)
    labels = (decision.negative, decision.positive)
    return probabilities, [labels[value >= decision.threshold] for value in probabilities.tolist()]


def _unpack(kept: bytes) -> tuple[Decision, Probabilities]:
    _, length = _HEADER.unpack_from(kept)
    end = _HEADER.size + length
    decision = Decision(*orjson.loads(kept[_HEADER.size : end]))
    return decision, np.frombuffer(kept, dtype=_FLOAT, offset=end)


def _write_json(probabilities: Sequence[float], decision: Decision) -> bytes:
    threshold, negative, positive = decision.threshold, decision.negative, decision.positive
    return orjson.dumps(
        [
            {"label": positive if value >= threshold else negative, "probability": value}
            for value in probabilities
        ]
    )
