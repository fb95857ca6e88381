"""Composes the Serve application `accounts`; `serve/config.yaml` names its `build`."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI
from ray import serve as ray_serve
from ray.exceptions import RayError
from ray.serve import Application
from ray.serve.exceptions import RayServeException
from ray.serve.schema import DeploymentStatusOverview

from billing.database import Database
from billing.settings import BillingSettings
from billing.users.passwords import Passwords
from models.watching import CatalogWatch
from serve.accounts.api import build_accounts_api
from serve.accounts.bookkeeping import Bookkeeping
from serve.accounts.chores import make_chores
from serve.accounts.replicas.values import (
    ApplicationState,
    ControllerUnavailable,
    DeploymentState,
)
from serve.accounts.replicas.watch import ReplicaWatch
from serve.accounts.services import Services
from serve.accounts.settings import AccountsSettings
from serve.accounts.throttling import Throttles
from serve.accounts.top_ups.providers import make_provider
from serve.catalog_keeper import keep_polled
from serve.logs import configure_logs
from serve.settings import ServeSettings


class Accounts:
    """The HTTP ingress of `/accounts`, with a connection pool of its own."""

    async def __init__(self, bookkeeper: object) -> None:  # type: ignore[misc] # Ray awaits it
        """`bookkeeper` is bound here so that Serve runs it beside this one."""
        configure_logs()
        self._services = make_services()
        self._following = asyncio.create_task(keep_polled(self._services.watch))

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Ray asks for the application once the constructor is done."""
        return build_accounts_api(self._services)

    async def __del__(self) -> None:
        self._following.cancel()
        await asyncio.wait([self._following])
        await self._services.database.close()


class Bookkeeper:
    """What is done behind the requests: rollups, settlement, expiries, deliveries."""

    async def __init__(self) -> None:  # type: ignore[misc] # Ray awaits it: chores are tasks
        configure_logs()
        self._services = make_services()
        self._bookkeeping = Bookkeeping(make_chores(self._services))
        self._bookkeeping.start()

    async def __del__(self) -> None:
        await self._bookkeeping.stop()
        await self._services.database.close()


def make_services() -> Services:
    """From the environment of the node."""
    billing, settings = BillingSettings(), AccountsSettings()
    return Services(
        database=Database(billing),
        billing=billing,
        settings=settings,
        watch=CatalogWatch(ServeSettings().models_dir),
        passwords=Passwords(settings.hash_cost),
        throttles=Throttles(settings),
        replicas=ReplicaWatch(read_applications),
        payments=make_provider(settings, billing.key_hash_secret),
        models_dir=ServeSettings().models_dir,
    )


def read_applications() -> list[ApplicationState]:
    """As Ray's controller knows them; it is waited for without an end."""
    try:
        found = ray_serve.status().applications
    except (RayError, RayServeException) as error:
        raise ControllerUnavailable(str(error)) from error
    if not found:
        raise ControllerUnavailable("there is no controller")
    return [
        ApplicationState(
            name,
            _word(application.status),
            application.message,
            tuple(_read_deployment(*each) for each in application.deployments.items()),
        )
        for name, application in found.items()
    ]


def _read_deployment(name: str, deployment: DeploymentStatusOverview) -> DeploymentState:
    replicas = {_word(state): count for state, count in deployment.replica_states.items()}
    return DeploymentState(name, _word(deployment.status), deployment.message, replicas)


def _word(state: object) -> str:
    """Of an enum, or a plain word where Ray's types say enum."""
    return str(getattr(state, "value", state))


def build(_arguments: dict[str, Any]) -> Application:
    """Accounts answers, Bookkeeper works behind it. Numbers are in the config."""
    bookkeeper = ray_serve.deployment()(Bookkeeper)
    accounts = ray_serve.deployment()(ray_serve.ingress()(Accounts))
    return accounts.bind(bookkeeper.bind())
