"""`/v1/audit`: what operators and admins did."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import Query

from billing.audit.queries import AuditRecord, fetch_audit
from serve.accounts.access import Access, make_router
from serve.accounts.audit.wire import AuditRecordView
from serve.accounts.requests import Page, PageDependency, PageRequest, bad_cursor, encode_cursor
from serve.accounts.services import ServicesDependency
from serve.wire import Text, problem_responses

_ID_MAX = 2**63

router = make_router(Access.ADMIN, "audit")


@router.get(
    "/audit",
    summary="What operators and admins did",
    responses=problem_responses(401, 403, 422, 503),
)
async def list_audit(
    services: ServicesDependency,
    page: PageDependency,
    account_id: Annotated[uuid.UUID | None, Query(description="Done to this account")] = None,
    action: Annotated[Text | None, Query(max_length=100, description="Such as set_role")] = None,
) -> Page[AuditRecordView]:
    """Newest first. Nothing is ever taken out of it."""
    records = await fetch_audit(
        services.database,
        account_id=account_id,
        action=action,
        before=_id_after(page),
        rows_max=page.limit + 1,
    )
    shown = records[: page.limit]
    return Page(
        items=[_view(record) for record in shown],
        next_cursor=encode_cursor(shown[-1].id) if len(records) > page.limit else None,
    )


def _id_after(page: PageRequest) -> int | None:
    match page.after:
        case None:
            return None
        case [int() as last] if 0 <= last < _ID_MAX:
            return last
    raise bad_cursor()


def _view(record: AuditRecord) -> AuditRecordView:
    return AuditRecordView(
        id=record.id,
        created_at=record.created_at,
        actor_id=record.actor_id,
        actor_role=record.actor_role,
        action=record.action,
        account_id=record.account_id,
        target=record.target,
        details=dict(record.details),
    )
