"""One prediction as a page shows it: its instances, and the one that is looked at."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from frontend.features.catalogue import Description, FeatureCatalogue
from frontend.model_cards import ModelCard

INSTANCES_SHOWN_MAX = 100
"""As many as the API names the features of."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What was asked of one instance, and answered."""

    number: int
    """Counted from 1, as people do."""
    label: str
    probability: float
    is_positive: bool | None
    """None where the model's card is not at hand."""
    features: tuple[Description, ...] | None
    """None where they are not told."""


def read_prediction_id(text: str) -> str | None:
    """A UUID as the API writes it; None for what can be no prediction."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


def read_number(text: str, count: int) -> int:
    """Which instance an address names, from 1 on; the nearest where there is no such one."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1  # noqa: PLR2004
    return max(1, min(number, count))


def read_instance(
    detail: Mapping[str, Any],
    number: int,
    card: ModelCard | None,
    features: FeatureCatalogue,
) -> Instance:
    """Of a prediction whose answer is stored."""
    prediction = detail["predictions"][number - 1]
    inputs = detail["inputs"] or []
    return Instance(
        number=number,
        label=prediction["label"],
        probability=prediction["probability"],
        is_positive=prediction["label"] == card.positive if card else None,
        features=tuple(features.describe(name) for name in inputs[number - 1])
        if number <= len(inputs)
        else None,
    )


def can_be_explained(card: ModelCard | None) -> bool:
    """Where the card is gone with its version, the server knows."""
    return card is None or card.can_explain
