"""The peer's requests and answers, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

FEATURES = 241

Flag = Annotated[int, Field(ge=0, le=1)]
Dense = Annotated[list[Flag], Field(min_length=FEATURES, max_length=FEATURES)]
Named = Annotated[dict[str, Flag], Field(max_length=FEATURES)]
Present = Annotated[list[str], Field(max_length=FEATURES)]
Instance = Annotated[Dense | Named | Present, Field(union_mode="left_to_right")]
"""Dense first: the benchmark sends dense rows, which so are validated in one pass."""


class PredictionRequest(BaseModel):
    """Rows to score, each in one of three formats."""

    model: Literal["android-malware"]
    instances: Annotated[list[Instance], Field(min_length=1, max_length=1000)]


Label = Literal["malware", "goodware"]


class Prediction(BaseModel):
    """A class and the probability of malware."""

    label: Label
    probability: float


class PredictionAnswer(BaseModel):
    """Predictions and what they cost, in credits."""

    id: str
    model: str
    version: str
    predictions: list[Prediction]
    credits_charged: str
    credits_balance: str


class AccountAnswer(BaseModel):
    """An account's balance, in credits."""

    account: str
    credits_balance: str


def label_of(probability: float) -> Label:
    """The likelier class."""
    return "malware" if probability >= 0.5 else "goodware"
