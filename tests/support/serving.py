"""A validator replica without Ray or a database: real parts on fakes at its four ports."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from billing.api_keys.values import ALL_SCOPES, Scope
from billing.charges import Charge, Outcome
from billing.credits import Credits
from billing.errors import BillingError
from billing.keys import ApiKey, generate_key
from billing.memory import MemoryLedger
from billing.prices import Operation, Price, PriceTable
from billing.principal import Principal
from billing.reports.shadows import Differences, ShadowPair
from billing.sessions.values import SESSION_KEY_ID, Lifetimes, make_token
from models.explanations import Explanations
from models.registry import Catalog, read_catalog
from serve.api import build_api
from serve.authentication import Authenticator
from serve.balances import SeenBalances, SeenCaps
from serve.batch_run import BatchRun
from serve.batcher import MicroBatcher
from serve.http import ScoringApp
from serve.idempotency import IdempotencyKey
from serve.pipeline import Answer, Call, Pipeline
from serve.ports import Probabilities
from serve.pricing import Pricing
from serve.readiness import Readiness
from serve.scorer import ModelPool
from serve.served_models import ServedModels
from serve.settings import ServeSettings, ValidatorConfig
from serve.shadow import ShadowRuns
from serve.stored_explanations import StoredExplanations
from serve.v2.infer_app import InferApp
from tests.support.fragile_model import NAME

ANNA = uuid.UUID(int=1)
BORIS = uuid.UUID(int=2)
GOOD_ROW = ["SEND_SMS"]
POISON_ROW = ["POISON"]
LIFETIMES = Lifetimes(idle=timedelta(hours=1), absolute=timedelta(hours=3))


def make_key(number: int) -> ApiKey:
    """A well-formed key, the same for the same number."""
    return generate_key(lambda count: bytes([number]) * count)


def make_prices(credits_each: str, explained: str | None = "0.5") -> PriceTable:
    """One price for every prediction, and one for every explanation unless that is None."""
    since = datetime(2026, 1, 1, tzinfo=UTC)
    prices = [Price(None, None, Credits.parse(credits_each), since)]
    if explained is not None:
        prices.append(Price(None, None, Credits.parse(explained), since, Operation.EXPLAIN))
    return PriceTable(tuple(prices))


def make_body(*instances: Any, model: str = NAME, **fields: Any) -> bytes:
    """A request's body; one good row where no instance is named."""
    return json.dumps(
        {"model": model, "instances": list(instances) or [GOOD_ROW], **fields}
    ).encode()


@dataclass
class MemorySession:
    """A session of the account book in memory."""

    account_id: uuid.UUID
    last_seen_at: datetime
    expires_at: datetime


class MemoryAccounts:
    """The AccountBook port in memory."""

    def __init__(self) -> None:
        self.principals: dict[ApiKey, Principal] = {}
        self.prices = make_prices("1")
        self.sessions: dict[str, MemorySession] = {}
        self.look_ups: list[ApiKey] = []
        self.session_look_ups = 0
        self.price_reads = 0
        self.failures: list[BillingError] = []
        self.gate = opened()

    def open_account(
        self,
        account_id: uuid.UUID,
        scopes: frozenset[Scope] = ALL_SCOPES,
        expires_at: datetime | None = None,
    ) -> str:
        """Make a key for the account; returns the `Authorization` header that carries it."""
        key = make_key(account_id.int)
        self.principals[key] = Principal(account_id, _name(account_id), key.id, scopes, expires_at)
        return f"Bearer {key.reveal()}"

    def open_session(
        self, account_id: uuid.UUID, now: datetime | None = None, lifetimes: Lifetimes = LIFETIMES
    ) -> str:
        """The token of a new session of the account."""
        token, now = make_token(), now or datetime.now(UTC)
        self.sessions[token] = MemorySession(account_id, now, now + lifetimes.absolute)
        return token

    async def fetch_principal(self, key: ApiKey) -> Principal | None:
        self.look_ups.append(key)
        self._fail_as_told()
        found = self.principals.get(key)
        await self.gate.wait()
        return found

    async def fetch_session_principal(
        self, token: str, *, lifetimes: Lifetimes, now: datetime
    ) -> Principal | None:
        self.session_look_ups += 1
        self._fail_as_told()
        session = self.sessions.get(token)
        if session is None or session.expires_at <= now:
            return None
        if session.last_seen_at <= now - lifetimes.idle:
            return None
        session.last_seen_at = now
        account_id = session.account_id
        return Principal(account_id, _name(account_id), SESSION_KEY_ID, ALL_SCOPES)

    async def fetch_prices(self) -> PriceTable:
        self.price_reads += 1
        self._fail_as_told()
        return self.prices

    def _fail_as_told(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


def _name(account_id: uuid.UUID) -> str:
    return f"account {account_id.int}"


class GatedScorer:
    """The Scorer port over real models: each call waits for the gate, and fails as told."""

    def __init__(self, models: ModelPool) -> None:
        self._models = models
        self.gate = opened()
        self.rows: list[int] = []
        self.shadowed: list[int] = []
        self.explained: list[int] = []
        self.failure: Exception | None = None
        self.ready_checks = 0

    async def predict(
        self, model: str, version: str, packed_rows: bytes, rows: int
    ) -> Probabilities:
        self.rows.append(rows)
        await self.gate.wait()
        if self.failure:
            raise self.failure
        return self._models.predict(model, version, packed_rows, rows)

    async def shadow(
        self, model: str, version: str, packed_rows: bytes, rows: int
    ) -> Probabilities:
        self.shadowed.append(rows)
        await self.gate.wait()
        if self.failure:
            raise self.failure
        return self._models.predict(model, version, packed_rows, rows, counts=False)

    async def explain(
        self,
        model: str,
        version: str,
        packed_rows: bytes,
        rows: int,
        features_max: int,
        *,
        counts: bool = True,
    ) -> Explanations:
        self.explained.append(rows)
        await self.gate.wait()
        if self.failure:
            raise self.failure
        return self._models.explain(model, version, packed_rows, rows, features_max, counts=counts)

    async def ready(self) -> None:
        self.ready_checks += 1
        await self.gate.wait()
        if self.failure:
            raise self.failure


class MemoryCashier:
    """The Cashier port over a ledger in memory: fails as told, before or after the commit."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger
        self.gate = opened()
        self.batches: list[list[Charge]] = []
        self.failure: BillingError | None = None
        self.fails_after_commit = False
        self.ready_checks = 0

    async def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        self.batches.append(list(charges))
        await self.gate.wait()
        if self.failure and not self.fails_after_commit:
            raise self.failure
        outcomes = await self._ledger.charge(charges)
        if self.failure:
            raise self.failure
        return outcomes

    async def ready(self) -> None:
        self.ready_checks += 1
        if self.failure:
            raise self.failure


@dataclass
class Seen:
    """Everything that is observed of requests and batches."""

    outcomes: list[str] = field(default_factory=list)
    latencies_seconds: list[float] = field(default_factory=list)
    batches: list[tuple[int, int]] = field(default_factory=list)
    microcredits: list[int] = field(default_factory=list)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    shadows: list[tuple[ShadowPair, Differences]] = field(default_factory=list)

    def request_ended(self, outcome: str, seconds: float) -> None:
        self.outcomes.append(str(outcome))
        self.latencies_seconds.append(seconds)

    def batch_predicted(self, jobs: int, rows: int, seconds: float) -> None:
        self.batches.append((jobs, rows))

    def batch_charged(self, microcredits: int, seconds: float) -> None:
        self.microcredits.append(microcredits)

    def version_answered(self, model: str, version: str, requests: int) -> None:
        self.answers[model, version] += requests

    def shadow_compared(self, pair: ShadowPair, found: Differences) -> None:
        self.shadows.append((pair, found))


@dataclass
class Replica:
    """One validator replica with everything behind it in reach of a test."""

    accounts: MemoryAccounts
    ledger: MemoryLedger
    scorer: GatedScorer
    cashier: MemoryCashier
    balances: SeenBalances
    pipeline: Pipeline
    seen: Seen
    api: FastAPI
    app: ScoringApp
    shadow: ShadowRuns
    used_keys: set[str]
    anna: str
    boris: str

    @property
    def charged(self) -> list[Charge]:
        """Every charge that was sent to billing."""
        return [charge for batch in self.cashier.batches for charge in batch]

    async def score(
        self, body: bytes | None = None, key: str | None = None, authorization: str | None = None
    ) -> Answer:
        """One call as Anna, or as whom `authorization` says."""
        chosen = IdempotencyKey.from_header(key.encode() if key else None)
        call = Call(authorization or self.anna, chosen, body or make_body(), "request")
        return await self.pipeline.score(call)

    async def balance(self, account_id: uuid.UUID = ANNA) -> str:
        """Credits now, by the ledger itself."""
        return str(await self.ledger.fetch_balance(account_id))


@dataclass(frozen=True)
class Models:
    """The catalogue of a folder and its loaded models; reading them once is enough."""

    catalog: Catalog
    pool: ModelPool

    @classmethod
    def load(cls, root: Path) -> Models:
        return cls(read_catalog(root), ModelPool(ServeSettings(models_dir=root)))


def make_replica(
    models: Models,
    *,
    credits_granted: str = "100",
    explanation_rate: str = "60 per hour",
    **bounds: float,
) -> Replica:
    """A replica in which Anna and Boris have credits each; an instance costs 1, explained 1.5."""
    accounts, ledger, seen = MemoryAccounts(), MemoryLedger(), Seen()
    used_keys: set[str] = set()
    scorer, cashier, balances = GatedScorer(models.pool), MemoryCashier(ledger), SeenBalances()
    served = ServedModels(models.catalog)
    shadow = ShadowRuns(scorer, served, seen.shadow_compared)
    for account in (ANNA, BORIS):
        ledger.grant(account, Credits.parse(credits_granted))
    pipeline = Pipeline(
        authenticator=Authenticator(accounts, LIFETIMES),
        models=served,
        pricing=Pricing(accounts, accounts.prices),
        balances=balances,
        caps=SeenCaps(),
        note_use=used_keys.add,
        history=ledger,
        batcher=MicroBatcher(
            BatchRun(scorer, cashier, served, seen, shadow.offer),
            ValidatorConfig.model_validate(bounds),
        ),
    )
    explanations = StoredExplanations(pipeline, scorer, explanation_rate)
    api = build_api(pipeline, Readiness(scorer, cashier), explanations)
    return Replica(
        accounts=accounts,
        ledger=ledger,
        scorer=scorer,
        cashier=cashier,
        balances=balances,
        pipeline=pipeline,
        seen=seen,
        api=api,
        app=ScoringApp(pipeline, api, seen, InferApp(pipeline, seen)),
        shadow=shadow,
        used_keys=used_keys,
        anna=accounts.open_account(ANNA),
        boris=accounts.open_account(BORIS),
    )


def opened() -> asyncio.Event:
    """A gate that lets everybody through until it is cleared."""
    gate = asyncio.Event()
    gate.set()
    return gate


async def turns(count: int = 10) -> None:
    """Let everything that can run do so."""
    for _ in range(count):
        await asyncio.sleep(0)


def sha256(body: bytes) -> bytes:
    """The hash that a body is remembered by."""
    return hashlib.sha256(body).digest()
