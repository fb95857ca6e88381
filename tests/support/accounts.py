"""The accounts application without Ray: real routes on a real database, a clock of the test's."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import insert

from billing.accounts import create_key
from billing.credits import ZERO, Credits
from billing.database import Database
from billing.sessions.actions import open_session
from billing.sessions.values import Role
from billing.settings import BillingSettings
from billing.top_ups.ports import PaymentProvider
from billing.users.passwords import Passwords
from billing.users.tables import users
from models.registry import ARTIFACTS_ROOT
from models.watching import CatalogWatch
from serve.accounts.api import build_accounts_api
from serve.accounts.replicas.values import ApplicationState, DeploymentState
from serve.accounts.replicas.watch import ReplicaWatch
from serve.accounts.services import Services
from serve.accounts.settings import AccountsSettings
from serve.accounts.throttling import Throttles

BASE_URL = "http://127.0.0.1:8000/accounts"
CHEAP_PASSWORDS: dict[str, Any] = {
    "password_time_cost": 1,
    "password_memory_kib": 8,
    "password_parallelism": 1,
}
"""What hashing costs in tests: next to nothing."""

RUNNING = (
    ApplicationState(
        "scoring", "RUNNING", "", (DeploymentState("Billing", "HEALTHY", "", {"RUNNING": 1}),)
    ),
)
"""What the controller says of a cluster as it should be."""

_numbers = itertools.count(1)


@dataclass
class Clock:
    """A time that moves when the test says so."""

    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **amount: float) -> None:
        """As `timedelta` takes it: `hours=1`."""
        self.time += timedelta(**amount)


@dataclass
class Person:
    """A signed-in user and their client: paths as `/v1/balance`."""

    account_id: uuid.UUID
    email: str
    token: str
    api_key: str
    client: httpx.AsyncClient


@dataclass
class AccountsApp:
    """The application, and people who use it."""

    services: Services
    clock: Clock

    @asynccontextmanager
    async def client(self, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the application; with a bearer token where one is given."""
        transport = httpx.ASGITransport(build_accounts_api(self.services), root_path="/accounts")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(
            transport=transport, base_url=BASE_URL, headers=headers
        ) as client:
            yield client

    @asynccontextmanager
    async def person(
        self, role: Role = Role.USER, credits_granted: str = "0"
    ) -> AsyncIterator[Person]:
        """A new user who is signed in, with an API key and so many credits."""
        number = next(_numbers)
        email = f"person{number}@example.com"
        services = self.services
        created = await create_key(
            services.database,
            services.billing.key_hash_secret,
            email,
            Credits.parse(credits_granted) if credits_granted else ZERO,
        )
        async with services.database.begin() as connection:
            await connection.execute(
                insert(users).values(
                    account_id=created.account.id,
                    email=email,
                    password_hash="no password opens this",
                    role=role,
                )
            )
        _, token = await open_session(
            services.database,
            created.account.id,
            user_agent="test",
            lifetimes=services.settings.lifetimes,
            now=self.clock(),
        )
        async with self.client(token) as client:
            key = created.api_key.reveal()
            yield Person(created.account.id, email, token, key, client)


def make_app(
    database: Database,
    billing: BillingSettings,
    settings: AccountsSettings | None = None,
    payments: PaymentProvider | None = None,
) -> AccountsApp:
    """The application on that database."""
    clock = Clock()
    settings = settings or AccountsSettings(**CHEAP_PASSWORDS)
    services = Services(
        database=database,
        billing=billing,
        settings=settings,
        watch=CatalogWatch(ARTIFACTS_ROOT),
        passwords=Passwords(settings.hash_cost),
        throttles=Throttles(settings),
        replicas=ReplicaWatch(lambda: RUNNING),
        payments=payments,
        now=clock,
    )
    return AccountsApp(services, clock)
