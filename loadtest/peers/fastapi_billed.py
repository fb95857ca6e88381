"""The plain peer: FastAPI, LightGBM in process and one transaction for each request."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
from cachetools import TTLCache
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request, Response

from loadtest.peers.ledger import InsufficientCredits, KeyConflict, Paid, PeerCharge, PeerLedger
from loadtest.peers.model import Matrix, PeerModel, UnknownFeature
from loadtest.peers.tables import MICROCREDITS_PER_CREDIT
from loadtest.peers.wire import (
    AccountAnswer,
    Prediction,
    PredictionAnswer,
    PredictionRequest,
    label_of,
)

VERSION = "1"
KEYS_CACHED_MAX = 10_000
KEY_CACHE_SECONDS = 60

router = APIRouter()


async def authenticate(
    request: Request, authorization: Annotated[str, Header(max_length=200)] = ""
) -> uuid.UUID:
    """The caller's account, from a cache of one minute."""
    cache: TTLCache[str, uuid.UUID] = request.app.state.keys
    account_id = cache.get(authorization)
    if account_id is None:
        api_key = authorization.removeprefix("Bearer ")
        account_id = await _ledger(request).fetch_account(api_key)
        if account_id is None:
            raise HTTPException(401, "no such API key")
        cache[authorization] = account_id
    return account_id


Account = Annotated[uuid.UUID, Depends(authenticate)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=255)]


@router.post("/v1/predictions")
async def create_prediction(
    body: PredictionRequest,
    request: Request,
    response: Response,
    account_id: Account,
    idempotency_key: IdempotencyKey = None,
) -> PredictionAnswer:
    """Score the instances, charge one credit each, answer after COMMIT."""
    model: PeerModel = request.app.state.model
    key = idempotency_key or str(uuid.uuid4())
    charge_id = uuid.uuid5(account_id, key)
    try:
        matrix = model.matrix(body.instances)
        predictions = _labelled(model.predict(matrix))
        charge = _charge(
            charge_id=charge_id,
            account_id=account_id,
            body=body,
            raw=await request.body(),
            matrix=matrix,
            predictions=predictions,
        )
        paid = await _ledger(request).charge(charge)
    except UnknownFeature as error:
        raise HTTPException(422, f"unknown feature {error}") from error
    except InsufficientCredits as error:
        raise HTTPException(402, "not enough credits") from error
    except KeyConflict as error:
        raise HTTPException(422, "the key was used with another body") from error
    response.headers["Idempotency-Key"] = key
    if paid.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return _answer(charge_id, paid, predictions)


@router.get("/v1/account")
async def fetch_account(request: Request, account_id: Account) -> AccountAnswer:
    """The caller's balance."""
    balance = await _ledger(request).fetch_balance(account_id)
    return AccountAnswer(account=str(account_id), credits_balance=_credits(balance))


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Up, with the model loaded and the database connected."""
    return {"status": "ok"}


def create_app() -> FastAPI:
    """One worker's application; settings come from the environment, see `launches`."""
    app = FastAPI(title="plain peer", lifespan=_lifespan)
    app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.model = PeerModel(Path(os.environ["PEER_MODEL"]))
    app.state.keys = TTLCache(KEYS_CACHED_MAX, KEY_CACHE_SECONDS)
    app.state.ledger = await PeerLedger.connect(
        os.environ["PEER_DATABASE_URL"], int(os.environ["PEER_CONNECTIONS"])
    )
    yield
    await app.state.ledger.close()


def _ledger(request: Request) -> PeerLedger:
    ledger: PeerLedger = request.app.state.ledger
    return ledger


def _labelled(probabilities: list[float]) -> list[Prediction]:
    return [Prediction(label=label_of(p), probability=p) for p in probabilities]


def _charge(
    *,
    charge_id: uuid.UUID,
    account_id: uuid.UUID,
    body: PredictionRequest,
    raw: bytes,
    matrix: Matrix,
    predictions: list[Prediction],
) -> PeerCharge:
    return PeerCharge(
        charge_id,
        account_id,
        body.model,
        VERSION,
        len(body.instances),
        len(body.instances) * MICROCREDITS_PER_CREDIT,
        hashlib.sha256(raw).digest(),
        np.packbits(matrix.astype(np.uint8), axis=1).tobytes(),
        json.dumps([prediction.model_dump() for prediction in predictions]),
    )


def _answer(charge_id: uuid.UUID, paid: Paid, predictions: list[Prediction]) -> PredictionAnswer:
    if paid.replayed:
        predictions = [Prediction(**fields) for fields in json.loads(paid.predictions)]
    return PredictionAnswer(
        id=str(charge_id),
        model=paid.model,
        version=paid.version,
        predictions=predictions,
        credits_charged=_credits(paid.amount_microcredits),
        credits_balance=_credits(paid.balance_microcredits),
    )


def _credits(microcredits: int) -> str:
    whole, fraction = divmod(microcredits, MICROCREDITS_PER_CREDIT)
    return f"{whole}.{fraction:06d}".rstrip("0").rstrip(".")
