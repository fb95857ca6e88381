"""What the routes work with: built once a replica, found by every route."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from billing.database import Database
from billing.settings import BillingSettings
from billing.top_ups.ports import PaymentProvider
from billing.users.passwords import Passwords
from billing.users.values import Welcome
from models.registry import ARTIFACTS_ROOT, Catalog
from models.watching import CatalogWatch
from serve.accounts.replicas.watch import ReplicaWatch
from serve.accounts.settings import AccountsSettings
from serve.accounts.slots import Slots
from serve.accounts.throttling import Throttles


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Services:
    """The database and what else a route may need."""

    database: Database
    billing: BillingSettings
    settings: AccountsSettings
    watch: CatalogWatch
    passwords: Passwords
    throttles: Throttles
    replicas: ReplicaWatch
    payments: PaymentProvider | None = None
    """None: credits are not sold here."""
    now: Callable[[], datetime] = field(default=_now)
    exports: Slots = field(default_factory=Slots)
    models_dir: Path = ARTIFACTS_ROOT

    @property
    def catalog(self) -> Catalog:
        """All models of now."""
        return self.watch.catalog

    @property
    def welcome(self) -> Welcome:
        """What a new address gets."""
        return Welcome.of(
            self.settings.welcome,
            self.settings.welcome_expires_after,
            self.billing.key_hash_secret,
        )


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDependency = Annotated[Services, Depends(_services)]
