"""A scorer's counts reach a real database by themselves, and what is left when it is shut down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from billing.database import Database
from billing.reports.drift import ScoredRows, fetch_scored
from billing.settings import BillingSettings
from serve.drift_recording import DriftRecording
from serve.settings import ServeSettings

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOT_SOON = ServeSettings(drift_flush_seconds=3_600)


def record(recording: DriftRecording, rows: int) -> None:
    recording.counts.add("a", "1", np.ones((rows, 3), dtype=np.uint8), np.full(rows, 0.5))


async def fetch_rows(database: Database) -> list[ScoredRows]:
    today = datetime.now(UTC).date()
    return await fetch_scored(database, today - timedelta(days=1), today + timedelta(days=1))


async def test_what_is_left_is_stored_when_a_replica_is_shut_down(
    database: Database, settings: BillingSettings
) -> None:
    for rows in (3, 300):
        recording = DriftRecording(settings, NOT_SOON)
        record(recording, rows)
        await recording.close()
    assert sum(one.rows for one in await fetch_rows(database)) == 303


async def test_a_replica_is_shut_down_also_where_there_is_no_database(
    settings: BillingSettings,
) -> None:
    nowhere = settings.model_copy(update={"database_url": "postgresql://127.0.0.1:9/none"})
    recording = DriftRecording(nowhere, NOT_SOON)
    record(recording, 3)
    await recording.close()
