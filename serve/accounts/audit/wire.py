"""The audit log as admins see it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from pydantic import Field

from serve.wire import Wire


class AuditRecordView(Wire):
    """Who did what, when, to whom."""

    id: int
    created_at: datetime
    actor_id: uuid.UUID | None = Field(description="Null at the command line")
    actor_role: str
    action: str
    account_id: uuid.UUID | None
    target: str | None
    details: dict[str, Any]
