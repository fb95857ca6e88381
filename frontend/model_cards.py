"""The models of the server, as pages need them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from frontend.server import Server


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One version of a model that is served."""

    name: str
    version: str
    features: tuple[str, ...]
    features_sha256: str
    """Models with the same read a file in the same way."""
    positive: str
    """The label that a probability is of."""
    negative: str
    threshold: float
    price: str | None
    """Credits for one instance, a decimal; None: it cannot be asked."""
    explanation_price: str | None
    """The same for its reasons; None: it cannot say them."""
    is_default: bool

    @property
    def can_explain(self) -> bool:
        return self.explanation_price is not None

    @property
    def id(self) -> str:
        """As a choice: `android-malware 1`."""
        return model_id(self.name, self.version)


async def fetch_models(server: Server) -> list[ModelCard]:
    """All that are served; what answers by default comes first."""
    answer = await server.get("/v1/models")
    return sorted(map(read_card, answer["models"]), key=_order)


async def fetch_priced(server: Server) -> list[ModelCard]:
    """Those that can be asked."""
    return [card for card in await fetch_models(server) if card.price is not None]


def find_model(cards: Iterable[ModelCard], model_id: str | None) -> ModelCard | None:
    """The one with that id; None where it is served no longer."""
    return next((card for card in cards if card.id == model_id), None)


def model_id(name: str, version: str) -> str:
    """Of that version, whether it is served or not."""
    return f"{name} {version}"


def _order(card: ModelCard) -> tuple[bool, str, str]:
    return not card.is_default, card.name, card.version


def read_card(document: Mapping[str, Any]) -> ModelCard:
    """Of a model in the answer of GET /v1/models."""
    return ModelCard(
        name=document["name"],
        version=document["version"],
        features=tuple(document["features"]),
        features_sha256=document["features_sha256"],
        positive=document["labels"]["positive"],
        negative=document["labels"]["negative"],
        threshold=document["threshold"],
        price=document["price_per_instance"],
        explanation_price=document["explanation_price_per_instance"],
        is_default=document["default"],
    )
