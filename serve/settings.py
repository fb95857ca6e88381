"""Settings of the serving side; built where a replica starts and passed down."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.registry import ARTIFACTS_ROOT
from serve.rates import Rate


class ServeSettings(BaseSettings):
    """What every replica reads from the environment of its node."""

    model_config = SettingsConfigDict(env_prefix="FAREBOX_", frozen=True, extra="ignore")

    models_dir: Path = ARTIFACTS_ROOT
    """Folder of the model artifacts: `<name>/<version>/manifest.json`."""
    lane_host: str = ""
    """Where replicas listen for each other; empty: the address that Ray knows the node by."""
    drift_flush_seconds: float = Field(default=60, gt=0)
    """How often a scorer stores what it counted for drift; a killed one loses so much of it."""
    explanation_rate: Rate = "60 per hour"
    """Stored predictions that one replica explains free for each account: what a person reads, a
    hundredth of a second of a scorer's processor in an hour."""


class ValidatorConfig(BaseModel):
    """`user_config` of FeatureValidator; every number can change while it serves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slots: int = Field(default=1, ge=1, le=64)
    """Micro-batches under way at a time, in each replica."""
    batch_rows_max: int = Field(default=2048, ge=1024, le=65_536)
    """Rows one micro-batch may hold; at least one largest request."""
    queue_rows_max: int = Field(default=16_384, ge=1024)
    """Rows that may wait in a replica; past it 429."""
    account_queue_rows_max: int = Field(default=8_192, ge=1024)
    """Rows that one account may have waiting in a replica; past it 429."""
    queue_requests_max: int = Field(default=256, ge=1)
    """Requests that may wait in a replica; past it 429."""
    account_queue_requests_max: int = Field(default=192, ge=1)
    """Requests that one account may have waiting in a replica; past it 429."""
    deadline_seconds: float = Field(default=10.0, gt=0, le=120)
    """From the whole body read to the answer; past it 503."""
    body_bytes_max: int = Field(default=8 * 1024 * 1024, ge=1024)
    """Largest request body."""
    instances_max: int = Field(default=1_024, ge=1, le=1_024)
    """Most instances in one request."""
    explanation_features_max: int = Field(default=10, ge=1, le=100)
    """Contributions that are told of an explained instance."""
    explained_instances_max: int = Field(default=64, ge=1, le=1_024)
    """Most instances in one request that asks for explanations."""
    explained_batch_rows_max: int = Field(default=128, ge=1, le=8_192)
    """Rows one micro-batch of explained requests may hold; a larger request goes alone."""


class BillingConfig(BaseModel):
    """`user_config` of Billing; both numbers can change while it serves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    transaction_charges_max: int = Field(default=512, ge=1)
    """Charges merged into one transaction; past some hundreds the gain is small."""
    waiting_charges_max: int = Field(default=8_192, ge=1)
    """Charges waiting in one replica: under half a second of work at the measured rate."""
