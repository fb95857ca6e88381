"""`/v1/reports/drift`: how far what models score has moved from what they were trained on."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query

from serve.accounts.access import Access, make_router
from serve.accounts.drift.wire import DriftReport, model_view
from serve.accounts.services import ServicesDependency
from serve.drift import days_until, find_drift
from serve.wire import problem_responses

router = make_router(Access.OPERATOR, "reports")

_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)


@router.get(
    "/reports/drift",
    summary="Drift of models' input",
    responses=problem_responses(401, 403, 422, 503),
)
async def read_drift(
    services: ServicesDependency,
    *,
    day: Annotated[
        date | None,
        Query(ge=_FIRST_DAY, le=_LAST_DAY, description="The last day, UTC; today if left out"),
    ] = None,
    days: Annotated[int, Query(ge=1, le=366, description="How many days together")] = 1,
    model: Annotated[
        str | None, Query(max_length=64, pattern="^[a-z0-9-]+$", description="This one alone")
    ] = None,
    version: Annotated[str | None, Query(pattern="^[0-9]{1,9}$")] = None,
    top: Annotated[int, Query(ge=1, le=500, description="How many features of each")] = 10,
) -> DriftReport:
    """PSI of probabilities and features over the days together, by model and version."""
    since, until = days_until(day or services.now().date(), days)
    alert = services.settings.drift_psi_alert
    findings = await find_drift(
        services.database,
        services.models_dir,
        alert,
        since=since,
        until=until,
        model=model,
        version=version,
    )
    return DriftReport(
        since=since,
        until=until,
        alert_psi=alert,
        models=[model_view(finding, top) for finding in findings],
    )
