"""The FeatureValidator deployment: the HTTP ingress, and what one replica of it is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from functools import partial
from typing import Any

from billing.api_keys.actions import note_uses
from billing.database import Database
from billing.directory import Directory
from billing.ledger import PostgresLedger
from billing.notices import KEYS_CHANNEL, PRICES_CHANNEL, NoticeListener
from billing.reports.minutes import store_minutes
from billing.reports.shadows import Differences, ShadowPair, store_shadow_days
from billing.sessions.settings import SessionSettings
from billing.settings import BillingSettings
from models.watching import CatalogWatch
from serve.api import build_api
from serve.authentication import Authenticator
from serve.balances import SeenBalances, SeenCaps
from serve.batch_run import BatchRun
from serve.batcher import MicroBatcher
from serve.catalog_keeper import CatalogKeeper
from serve.garbage import collect_rarely
from serve.handles import CashierHandle, Handle, ScorerHandle
from serve.http import ScoringApp
from serve.key_uses import KeyUses
from serve.load import LOAD, CpuShare
from serve.logs import configure_logs
from serve.metrics import ValidatorMetrics
from serve.pipeline import Pipeline
from serve.pricing import Pricing
from serve.readiness import Readiness
from serve.request_counts import MinuteLog
from serve.scoring_protocol import SHORTCUT
from serve.served_models import ServedModels
from serve.settings import ServeSettings, ValidatorConfig
from serve.shadow import ShadowRuns
from serve.shadow_log import ShadowLog
from serve.stored_explanations import StoredExplanations
from serve.v2.grpc_service import InferenceMethods, InferenceService
from serve.v2.infer_app import InferApp

_FLUSH_SECONDS = 1.0


class FeatureValidator(InferenceMethods):
    """One replica: composes the pipeline and keeps what it remembers true."""

    async def __init__(  # type: ignore[misc] # Ray awaits it: the price table is read here
        self, scorer: Handle, billing: Handle
    ) -> None:
        configure_logs()
        collect_rarely()
        settings = BillingSettings()
        self._database = Database(settings)
        self._metrics, self._cpu = ValidatorMetrics(), CpuShare()
        self._scorer, self._cashier = ScorerHandle(scorer), CashierHandle(billing)
        self._key_uses = KeyUses(self._note_uses)
        serve_settings = ServeSettings()
        watch = CatalogWatch(serve_settings.models_dir)
        self._models = ServedModels(watch.catalog)
        self._shadow = ShadowRuns(self._scorer, self._models, self._note_shadow)
        self._shadow_log = ShadowLog(partial(store_shadow_days, self._database))
        keeper = CatalogKeeper(watch, self._models.take, self._scorer.warm)
        directory = Directory(self._database, settings.key_hash_secret)
        self._pipeline = await self._build_pipeline(directory)
        self._explanations = StoredExplanations(
            self._pipeline, self._scorer, serve_settings.explanation_rate
        )
        self._readiness = Readiness(self._scorer, self._cashier)
        self.inference = InferenceService(self._pipeline, self._readiness, self._metrics)
        self._listener = self._listen(settings)
        self._minutes = MinuteLog(partial(store_minutes, self._database))
        self._tasks = [
            asyncio.create_task(self._flush_metrics()),
            asyncio.create_task(self._scorer.calls.lanes.keep_found()),
            asyncio.create_task(self._cashier.calls.lanes.keep_found()),
            asyncio.create_task(self._minutes.keep_flushed()),
            asyncio.create_task(self._pipeline.pricing.keep_fresh()),
            asyncio.create_task(self._key_uses.keep_flushed()),
            asyncio.create_task(keeper.keep_current()),
            asyncio.create_task(self._shadow.keep_comparing()),
            asyncio.create_task(self._shadow_log.keep_flushed()),
        ]

    def __serve_build_asgi_app__(self) -> ScoringApp:
        """Ray asks for the application once the constructor is done."""
        api = build_api(self._pipeline, self._readiness, self._explanations)
        infer = InferApp(self._pipeline, self._metrics)
        SHORTCUT.app = ScoringApp(self._pipeline, api, self._metrics, infer)
        return SHORTCUT.app

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take new bounds without a restart."""
        self._pipeline.batcher.config = ValidatorConfig.model_validate(user_config)

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """Ray counts no scoring requests: this is what the ingress is scaled by."""
        return {LOAD: self._cpu.take()}

    async def __del__(self) -> None:
        await self._pipeline.batcher.close()
        await self._listener.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        self._scorer.calls.lanes.close()
        self._cashier.calls.lanes.close()
        self._flush_counts()
        await self._minutes.close()
        await self._shadow_log.close()
        await self._key_uses.flush()
        await self._database.close()

    async def _build_pipeline(self, directory: Directory) -> Pipeline:
        run = BatchRun(self._scorer, self._cashier, self._models, self._metrics, self._shadow.offer)
        return Pipeline(
            authenticator=Authenticator(directory, SessionSettings().lifetimes),
            models=self._models,
            pricing=Pricing(directory, await directory.fetch_prices()),
            balances=SeenBalances(),
            caps=SeenCaps(),
            note_use=self._key_uses.note,
            history=PostgresLedger(self._database),
            batcher=MicroBatcher(run, ValidatorConfig()),
        )

    async def _note_uses(self, key_ids: Collection[str]) -> None:
        await note_uses(self._database, key_ids, datetime.now(UTC))

    def _note_shadow(self, pair: ShadowPair, found: Differences) -> None:
        self._metrics.shadow_compared(pair, found)
        self._shadow_log.add(pair, found, datetime.now(UTC))

    async def _flush_metrics(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            self._flush_counts()

    def _flush_counts(self) -> None:
        counts = self._metrics.flush(self._pipeline.batcher.jobs_waiting)
        self._minutes.add(counts, datetime.now(UTC))

    def _listen(self, settings: BillingSettings) -> NoticeListener:
        """What this replica remembers of the database is kept true by its notices."""
        authenticator, pricing = self._pipeline.authenticator, self._pipeline.pricing

        def on_notice(channel: str, payload: str) -> None:
            if channel == KEYS_CHANNEL:
                authenticator.changed(payload)
            elif channel == PRICES_CHANNEL:
                pricing.changed()

        def on_restored() -> None:
            authenticator.revocations_heard()
            pricing.changed()

        listener = NoticeListener(
            settings.database_url,
            on_notice=on_notice,
            on_lost=authenticator.revocations_lost,
            on_restored=on_restored,
        )
        listener.start()
        return listener
