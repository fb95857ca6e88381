"""The story of a request, from its headers and body to a paid answer."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import structlog

from billing.api_keys.values import Scope
from billing.charges import (
    AnswerExpired,
    Charged,
    ChargeRejected,
    InsufficientCredits,
    KeyConflict,
    Outcome,
    Replayed,
    SpendingCapReached,
    StoredAnswer,
    make_charge_id,
)
from billing.credits import Credits
from billing.errors import BillingError, PriceMissing
from billing.principal import Principal
from data.schema import FeatureSchema
from models.errors import ModelError
from models.manifest import Manifest
from models.registry import Catalog
from serve.authentication import Authenticator, require_scope
from serve.balances import SeenBalances, SeenCaps
from serve.batcher import Job, MicroBatcher
from serve.explained_predictions import check_explainable
from serve.idempotency import IdempotencyKey
from serve.in_flight import InFlight
from serve.packed_input import Layout, PackedEnvelope, parse_packed
from serve.ports import History
from serve.pricing import Pricing
from serve.refusals import Code, Refusal
from serve.served_models import ServedModels
from serve.translation import refusal_of
from serve.validation import Envelope, PackedRows, parse_envelope

logger = structlog.get_logger(__name__)

ROUTE = "/v1/predictions"
"""Part of every charge id: the same Idempotency-Key on another route is another charge."""

_REPLAY_BEFORE = frozenset(
    {
        Code.INSUFFICIENT_CREDITS,
        Code.SPENDING_CAP_REACHED,
        Code.MODEL_NOT_FOUND,
        Code.VERSION_NOT_FOUND,
        Code.VERSION_RETIRED,
        Code.INVALID_REQUEST,
        Code.PRICE_MISSING,
        Code.SCORER_UNAVAILABLE,
        Code.MODEL_UNAVAILABLE,
        Code.LEDGER_UNAVAILABLE,
        Code.PREDICTION_FAILED,
        Code.EXPLANATION_UNSUPPORTED,
    }
)
"""Refusals that a paid answer comes before: what was paid is replayed whatever changed since."""


class Asking(Protocol):
    """What is asked of a model: its rows are held against the model's features by `pack`."""

    @property
    def model(self) -> str: ...
    @property
    def version(self) -> str | None: ...
    @property
    def explain(self) -> bool: ...
    def pack(self, schema: FeatureSchema) -> PackedRows: ...


class AnyCall(Protocol):
    """A call as the pipeline takes it, whatever protocol it came by."""

    @property
    def route(self) -> str: ...
    @property
    def authorization(self) -> str | None: ...
    @property
    def key(self) -> IdempotencyKey: ...
    @property
    def request_id(self) -> str: ...
    def read(self, instances_max: int) -> Asking: ...
    def sha256(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One call of POST /v1/predictions as it came in."""

    route: ClassVar[str] = ROUTE
    authorization: str | None
    key: IdempotencyKey
    body: bytes
    request_id: str
    layout: Layout | None = None
    """Of packed rows; None for JSON."""
    query: bytes = b""
    """What names the model of packed rows."""
    answer_packed: bool = False
    """Whether probabilities alone are asked for, as bytes."""

    def sha256(self) -> bytes:
        """What tells this input from another under the same key: 32 bytes."""
        if self.layout is None:
            return hashlib.sha256(self.body).digest()
        return hashlib.sha256(b"%b?%b\n" % (self.layout.encode(), self.query) + self.body).digest()

    def read(self, instances_max: int) -> Envelope | PackedEnvelope:
        """What the body asks; raises a Refusal that names every fault of its outer shape."""
        envelope: Envelope | PackedEnvelope
        if self.layout is None:
            envelope = parse_envelope(self.body, instances_max)
        else:
            envelope = parse_packed(self.layout, self.query, self.body, instances_max)
        if envelope.explain and self.answer_packed:
            raise Refusal(
                Code.NOT_ACCEPTABLE,
                "Explanations are answered as JSON alone: do not name application/octet-stream in "
                "Accept, or leave `explain` out.",
            )
        return envelope


class Answer(NamedTuple):
    """What a paid call is answered."""

    stored: StoredAnswer
    balance: Credits
    replayed: bool


class Pipeline:
    """Composes the steps; everything it needs comes in from the validator replica."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        models: ServedModels,
        pricing: Pricing,
        balances: SeenBalances,
        caps: SeenCaps,
        note_use: Callable[[str], None],
        history: History,
        batcher: MicroBatcher,
    ) -> None:
        self.authenticator = authenticator
        self.models = models
        self.pricing = pricing
        self.history = history
        self.batcher = batcher
        self._balances = balances
        self._caps = caps
        self._note_use = note_use
        self._in_flight = InFlight(self._expire)

    @property
    def catalog(self) -> Catalog:
        """All models of now; another object after a swap."""
        return self.models.catalog

    async def score(self, call: AnyCall) -> Answer:
        """Answer `call` with predictions that were paid once; raises a Refusal otherwise."""
        principal = await self._authenticate(call)
        charge_id = make_charge_id(principal.account_id, call.route, call.key.text)
        self._in_flight.check(charge_id)
        try:
            job = self._admit(call, principal, charge_id)
            outcome = await self._predict_and_charge(job)
        except Refusal as refusal:
            return await self._replay_instead(refusal, call, principal, charge_id)
        return self._answer(job, outcome, call.key)

    async def _authenticate(self, call: AnyCall) -> Principal:
        try:
            principal = await self.authenticator.authenticate(call.authorization)
        except BillingError as error:
            raise refusal_of(error) from error
        require_scope(principal, Scope.SCORE)
        self._note_use(principal.key_id)
        return principal

    def _admit(self, call: AnyCall, principal: Principal, charge_id: uuid.UUID) -> Job:
        """Validate and price before anything is queued; every fault is found here, before a hop."""
        envelope = call.read(self.batcher.config.instances_max)
        manifest = self._find_model(envelope.model, envelope.version, principal.account_id)
        rows, packed_rows = envelope.pack(manifest.feature_schema)
        explained_features = 0
        if envelope.explain:
            check_explainable(manifest, rows, self.batcher.config.explained_instances_max)
            explained_features = self.batcher.config.explanation_features_max
        amount = self._price(manifest, rows, call.request_id, explain=envelope.explain)
        self._balances.check(principal.account_id, amount)
        self._caps.check(principal.key_id, amount)
        return Job(
            charge_id=charge_id,
            account_id=principal.account_id,
            key_id=principal.key_id,
            request_id=call.request_id,
            model=manifest.name,
            version=manifest.version,
            rows=rows,
            packed_rows=packed_rows,
            amount=amount,
            body_sha256=call.sha256(),
            explained_features=explained_features,
        )

    def _find_model(self, name: str, version: str | None, account_id: uuid.UUID) -> Manifest:
        try:
            return self.models.find(name, version, account_id)
        except ModelError as error:
            raise refusal_of(error) from error

    def _price(self, manifest: Manifest, rows: int, request_id: str, *, explain: bool) -> Credits:
        """What it costs to score the rows, and to explain them where that is asked."""
        name, version = manifest.name, manifest.version
        try:
            amount = self.pricing.price(name, version, rows)
            if explain:
                amount += self.pricing.explanation_price(name, version, rows)
        except PriceMissing as error:
            logger.warning(
                "price_missing",
                request_id=request_id,
                model=name,
                version=version,
                explain=explain,
            )
            raise refusal_of(error) from error
        return amount

    async def _predict_and_charge(self, job: Job) -> Outcome:
        """Wait for the micro-batch that takes `job`, no longer than the deadline.

        A job whose caller gave up is taken back while it still waits. Once a batch has it, it runs
        to its end: a retry then finds its charge in the ledger.
        """
        self.batcher.submit(job)
        self._in_flight.enter(job, self.batcher.config.deadline_seconds)
        try:
            return await job.done
        except asyncio.CancelledError:
            self.batcher.withdraw(job)
            raise
        except (BillingError, ModelError) as error:
            raise refusal_of(error) from error
        finally:
            self._in_flight.leave(job)

    def _expire(self, job: Job) -> None:
        if self.batcher.withdraw(job):
            detail = "The request waited too long and was taken back; nothing was charged."
        else:
            detail = (
                "The request is still under way and may yet be charged. Send it again with the "
                "Idempotency-Key of this answer: it is charged once at most, and a paid answer "
                "is replayed."
            )
        job.fail(Refusal(Code.DEADLINE_EXCEEDED, detail))

    async def _replay_instead(
        self, refusal: Refusal, call: AnyCall, principal: Principal, charge_id: uuid.UUID
    ) -> Answer:
        """The paid answer where the caller's own key has one; `refusal` otherwise."""
        if not call.key.chosen_by_client or refusal.code not in _REPLAY_BEFORE:
            raise refusal
        try:
            earlier = await self.history.find_earlier(
                principal.account_id, charge_id, call.sha256()
            )
        except BillingError:
            raise refusal from None
        if earlier is None:
            raise refusal
        return _answer_again(earlier, call.key)

    def _answer(self, job: Job, outcome: Outcome, key: IdempotencyKey) -> Answer:
        if isinstance(outcome, Charged):
            self._balances.saw(job.account_id, outcome.balance)
            stored = StoredAnswer(
                job.charge_id, job.model, job.version, job.predictions, job.amount
            )
            return Answer(stored, outcome.balance, replayed=False)
        if isinstance(outcome, InsufficientCredits):
            self._balances.saw(job.account_id, outcome.available)
            raise self._balances.refusal(outcome.required, outcome.available)
        if isinstance(outcome, SpendingCapReached):
            self._caps.saw(job.key_id, outcome.left)
            raise self._caps.refusal(outcome.required, outcome.left)
        if isinstance(outcome, ChargeRejected):
            raise Refusal(
                Code.INTERNAL_ERROR, "This charge could not be recorded; nothing was charged."
            )
        return _answer_again(outcome, key)


def _answer_again(earlier: Replayed | AnswerExpired | KeyConflict, key: IdempotencyKey) -> Answer:
    if isinstance(earlier, KeyConflict):
        raise Refusal(
            Code.IDEMPOTENCY_KEY_CONFLICT,
            "This Idempotency-Key was used with another body. Use a new key for a new request; "
            "to fetch the earlier answer, send the earlier body byte for byte.",
        )
    if isinstance(earlier, AnswerExpired):
        raise Refusal(
            Code.ANSWER_EXPIRED,
            "This request was answered and paid before, and its stored answer has been pruned. "
            "It is not charged again; use a new key to score anew.",
        )
    return Answer(earlier.answer, earlier.balance, replayed=key.chosen_by_client)


async def find_answer(history: History, principal: Principal, charge_id: uuid.UUID) -> Answer:
    """The stored answer of the account's own charge, by id; a Refusal where there is none."""
    earlier = await history.find_earlier(principal.account_id, charge_id, None)
    if earlier is None:
        raise prediction_not_found()
    return _answer_again(earlier, IdempotencyKey.make())


def prediction_not_found() -> Refusal:
    """There is no such paid answer, or it is another account's."""
    return Refusal(Code.PREDICTION_NOT_FOUND, "This account has no prediction with this id.")
