"""What the pipeline needs of the deployments and stores behind it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from billing.charges import AnswerExpired, Charge, Earlier, Outcome, StoredRows
from billing.credits import Credits
from billing.keys import ApiKey
from billing.prices import PriceTable
from billing.principal import Principal
from billing.sessions.values import Lifetimes
from models.explanations import Explanations

Probabilities = npt.NDArray[np.float64]
"""Shape (rows,): probability of the positive class; NaN where the model failed on that row."""


class Scorer(Protocol):
    """The pool of model replicas."""

    async def predict(
        self, model: str, version: str, packed_rows: bytes, rows: int
    ) -> Probabilities:
        """Score `rows` rows, packed one bit a feature with each row padded to whole bytes.

        Raises a Refusal with SCORER_UNAVAILABLE when no replica answers in time.
        """

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
        """As `predict`, with what contributed most to each row's probability.

        `counts`: whether drift counts the rows; not those that were scored before.
        """

    async def shadow(
        self, model: str, version: str, packed_rows: bytes, rows: int
    ) -> Probabilities:
        """As `predict`, for rows that another version answers: drift does not count them."""

    async def ready(self) -> None:
        """Return when a replica has its models loaded; a Refusal otherwise."""


class Cashier(Protocol):
    """The billing deployment."""

    async def charge(self, charges: Sequence[Charge]) -> list[Outcome]:
        """Commit `charges`; raises LedgerUnavailable, LedgerBusy or OutcomeUnknown."""

    async def ready(self) -> None:
        """Return when the ledger can be written; raises LedgerUnavailable otherwise."""


class AccountBook(Protocol):
    """What a validator replica reads by itself, without a hop."""

    async def fetch_principal(self, key: ApiKey) -> Principal | None: ...

    async def fetch_session_principal(
        self, token: str, *, lifetimes: Lifetimes, now: datetime
    ) -> Principal | None:
        """Whose living session it is; that it was seen is noted."""

    async def fetch_prices(self) -> PriceTable: ...


class History(Protocol):
    """What was charged before."""

    async def find_earlier(
        self, account_id: uuid.UUID, charge_id: uuid.UUID, body_sha256: bytes | None
    ) -> Earlier | None: ...

    async def find_rows(
        self, account_id: uuid.UUID, charge_id: uuid.UUID
    ) -> StoredRows | AnswerExpired | None: ...

    async def fetch_balance(self, account_id: uuid.UUID) -> Credits: ...
