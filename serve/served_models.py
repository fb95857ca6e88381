"""Which version of a model answers whom: the catalogue of now, its canaries and its shadows.

The catalogue is swapped whole, between two requests. What was admitted before keeps its version,
its price and its decision, whatever became of that version since.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import structlog

from billing.reports.shadows import ShadowPair
from models.manifest import Manifest
from models.registry import Catalog
from models.rollout import canary_place
from serve.predictions import Decision

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Canary:
    """The challenger that answers a share of the accounts that name no version."""

    challenger: Manifest
    percent: int

    def takes(self, account_id: uuid.UUID) -> bool:
        """Whether this account is in the share; the same each time, and in every larger share.

        The place is drawn by model and challenger: an account that is early for one model is not
        for that reason early for another.
        """
        drawn_by = f"{self.challenger.name}/{self.challenger.version}"
        return canary_place(drawn_by, account_id) < self.percent


@dataclass(frozen=True, slots=True)
class Shadow:
    """A champion whose rows its challenger scores too, and what each calls positive."""

    pair: ShadowPair
    champion_threshold: float
    challenger_threshold: float


class ServedModels:
    """What a replica answers by; read by attribute, so that a swap costs requests nothing."""

    def __init__(self, catalog: Catalog) -> None:
        self._decisions: dict[tuple[str, str], Decision] = {}
        self.take(catalog)

    def take(self, catalog: Catalog) -> None:
        """Admit requests by `catalog` from now on."""
        self.catalog = catalog
        self.canaries = _find_canaries(catalog)
        self.shadows = _find_shadows(catalog)
        self._decisions |= {(one.name, one.version): Decision.of(one) for one in catalog.manifests}

    def find(self, name: str, version: str | None, account_id: uuid.UUID) -> Manifest:
        """The version that answers this account: the one it names, else champion or challenger.

        Raises UnknownModel, UnknownVersion, VersionRetired.
        """
        if version is None and self.canaries:
            canary = self.canaries.get(name)
            if canary is not None and canary.takes(account_id):
                return canary.challenger
        return self.catalog.find(name, version)

    def decision(self, model: str, version: str) -> Decision:
        """Labels and threshold of any version that was ever served here."""
        return self._decisions[model, version]


def _find_canaries(catalog: Catalog) -> dict[str, Canary]:
    """By model; without those that get nobody."""
    return {
        name: Canary(catalog.look_up(name, rollout.challenger), rollout.canary_percent)
        for name, rollout in catalog.rollouts.items()
        if rollout.challenger is not None and rollout.canary_percent
    }


def _find_shadows(catalog: Catalog) -> dict[tuple[str, str], Shadow]:
    """By model and champion."""
    shadows = {}
    for name, rollout in catalog.rollouts.items():
        if rollout.challenger is None or not rollout.shadow:
            continue
        champion = catalog.look_up(name, rollout.champion)
        challenger = catalog.look_up(name, rollout.challenger)
        if champion.features_sha256 != challenger.features_sha256:
            logger.warning(
                "shadow_left_out",
                model=name,
                challenger=challenger.version,
                reason="its features are not the champion's, so it cannot score the same rows",
            )
            continue
        shadows[name, champion.version] = Shadow(
            ShadowPair(name, champion.version, challenger.version),
            champion.threshold,
            challenger.threshold,
        )
    return shadows
