"""The models of the server, as pages need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from frontend.server import Server


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One version of a model that is served."""

    name: str
    version: str
    features: tuple[str, ...]
    positive: str
    """The label that a probability is of."""
    negative: str
    threshold: float
    price: str | None
    """Credits for one instance, a decimal; None: it cannot be asked."""
    can_explain: bool
    is_default: bool

    @property
    def id(self) -> str:
        """As a choice: `android-malware 1`."""
        return f"{self.name} {self.version}"


async def fetch_models(server: Server) -> list[ModelCard]:
    """Those that have a price; what answers by default comes first."""
    answer = await server.get("/v1/models")
    cards = [_card(each) for each in answer["models"]]
    return sorted((card for card in cards if card.price is not None), key=_order)


async def fetch_model(server: Server, model_id: str) -> ModelCard | None:
    """The one with that id; None where it is served no longer."""
    return next((card for card in await fetch_models(server) if card.id == model_id), None)


def _order(card: ModelCard) -> tuple[bool, str, str]:
    return not card.is_default, card.name, card.version


def _card(document: dict[str, Any]) -> ModelCard:
    return ModelCard(
        name=document["name"],
        version=document["version"],
        features=tuple(document["features"]),
        positive=document["labels"]["positive"],
        negative=document["labels"]["negative"],
        threshold=document["threshold"],
        price=document["price_per_instance"],
        can_explain=document["explanation_price_per_instance"] is not None,
        is_default=document["default"],
    )
