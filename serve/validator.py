"""The FeatureValidator deployment: the HTTP ingress, and what one replica of it is made of."""

from __future__ import annotations

import asyncio
from typing import Any

from billing.database import Database
from billing.directory import Directory
from billing.ledger import PostgresLedger
from billing.notices import KEYS_CHANNEL, NoticeListener
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

    async def __init__(self, scorer: Handle, billing: Handle) -> None:
        settings = BillingSettings()
        self._database = Database(settings)
        self._metrics = ValidatorMetrics()
        self._scorer, self._cashier = ScorerHandle(scorer), CashierHandle(billing)
        self._pipeline = await self._build_pipeline(settings)
        self._listener = NoticeListener(settings, self)
        await self._listener.start()
        self._flushing = asyncio.create_task(self._flush_forever())

    def __serve_build_asgi_app__(self) -> ScoringApp:
        readiness = Readiness(self._scorer, self._cashier)
        return ScoringApp(self._pipeline, build_api(self._pipeline, readiness), self._metrics)

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take new bounds without a restart."""
        self._pipeline.batcher.config = ValidatorConfig.model_validate(user_config)
