"""`/v1/reports/replicas`: how applications, deployments and their replicas stand."""

from __future__ import annotations

from serve.accounts.access import Access, make_router
from serve.accounts.replicas.wire import ReplicasReport
from serve.accounts.services import ServicesDependency
from serve.wire import problem_responses

router = make_router(Access.OPERATOR, "reports")


@router.get(
    "/reports/replicas",
    summary="How the cluster stands",
    responses=problem_responses(401, 403, 503),
)
async def read_replicas(services: ServicesDependency) -> ReplicasReport:
    """What Ray Serve's controller says, two seconds old at most."""
    return ReplicasReport.of(await services.replicas.fetch())
