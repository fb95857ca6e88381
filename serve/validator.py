"""The FeatureValidator deployment: the HTTP ingress, and what one replica of it is made of."""

from __future__ import annotations

import asyncio
from typing import Any

from billing.database import Database
from billing.directory import Directory
from billing.ledger import PostgresLedger
from billing.notices import KEYS_CHANNEL, PRICES_CHANNEL, NoticeListener
from billing.settings import BillingSettings
from models.registry import read_catalog
from serve.api import build_api
from serve.authentication import Authenticator
from serve.balances import SeenBalances
from serve.batch_run import BatchRun
from serve.batcher import MicroBatcher
from serve.handles import CashierHandle, Handle, ScorerHandle
from serve.http import ScoringApp
from serve.idempotency import InFlight
from serve.metrics import ValidatorMetrics
from serve.pipeline import Pipeline
from serve.pricing import Pricing
from serve.readiness import Readiness
from serve.settings import ServeSettings, ValidatorConfig

_FLUSH_SECONDS = 1.0


class FeatureValidator:
    """One replica: composes the pipeline and keeps what it remembers true."""

    async def __init__(  # type: ignore[misc] # Ray awaits it: the price table is read here
        self, scorer: Handle, billing: Handle
    ) -> None:
        settings = BillingSettings()
        self._database = Database(settings)
        self._metrics = ValidatorMetrics()
        self._scorer, self._cashier = ScorerHandle(scorer), CashierHandle(billing)
        self._pipeline = await self._build_pipeline(Directory(self._database, settings))
        self._listener = NoticeListener(settings, Remembered(self._pipeline))
        self._listener.start()
        self._flushing = asyncio.create_task(self._flush_metrics())

    def __serve_build_asgi_app__(self) -> ScoringApp:
        """Ray asks for the application once the constructor is done."""
        api = build_api(self._pipeline, Readiness(self._scorer, self._cashier))
        return ScoringApp(self._pipeline, api, self._metrics)

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take new bounds without a restart."""
        self._pipeline.batcher.config = ValidatorConfig.model_validate(user_config)

    async def __del__(self) -> None:
        await self._pipeline.batcher.close()
        await self._listener.stop()
        self._flushing.cancel()
        await self._database.close()

    async def _build_pipeline(self, directory: Directory) -> Pipeline:
        catalog = read_catalog(ServeSettings().models_dir)
        run = BatchRun(self._scorer, self._cashier, catalog, self._metrics)
        return Pipeline(
            authenticator=Authenticator(directory),
            catalog=catalog,
            pricing=Pricing(directory, await directory.fetch_prices()),
            balances=SeenBalances(),
            in_flight=InFlight(),
            history=PostgresLedger(self._database),
            batcher=MicroBatcher(run, ValidatorConfig()),
        )

    async def _flush_metrics(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            self._metrics.flush()


class Remembered:
    """What a replica remembers of the database, kept true by its notices."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._authenticator = pipeline.authenticator
        self._pricing = pipeline.pricing

    def notices_lost(self) -> None:
        """Revocations may be missed from now on."""
        self._authenticator.revocations_lost()

    async def notices_heard(self) -> None:
        """Prices may have changed unheard; revocations arrive from now on."""
        await self._pricing.refresh()
        self._authenticator.revocations_heard()

    async def notice(self, channel: str, payload: str) -> None:
        """A key was revoked, or a price changed."""
        if channel == KEYS_CHANNEL:
            self._authenticator.revoked(payload)
        elif channel == PRICES_CHANNEL:
            await self._pricing.refresh()
