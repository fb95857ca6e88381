"""Refunds that users ask for."""

from __future__ import annotations

from billing.migrations.scripts import execute_script

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_UP = """
CREATE TABLE refund_requests (
    id uuid CONSTRAINT refund_requests_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    charge_id uuid NOT NULL,
    reason text NOT NULL,
    status text NOT NULL DEFAULT 'open',
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    decided_by uuid,
    decision_reason text,
    refund_id uuid,
    CONSTRAINT refund_requests_status_known CHECK (status IN ('open', 'accepted', 'declined')),
    CONSTRAINT refund_requests_decided_at_by_status
        CHECK ((status = 'open') = (decided_at IS NULL)),
    CONSTRAINT refund_requests_decision_reason_by_status
        CHECK ((status = 'open') = (decision_reason IS NULL)),
    CONSTRAINT refund_requests_refund_by_status
        CHECK ((status = 'accepted') = (refund_id IS NOT NULL)),
    CONSTRAINT refund_requests_decided_by_by_status
        CHECK (status <> 'open' OR decided_by IS NULL)
);
CREATE UNIQUE INDEX refund_requests_charge_id_idx ON refund_requests (charge_id)
    WHERE status = 'open';
CREATE INDEX refund_requests_account_id_created_at_idx ON refund_requests (account_id, created_at);
CREATE INDEX refund_requests_status_created_at_idx ON refund_requests (status, created_at);
CREATE INDEX refund_requests_created_at_idx ON refund_requests (created_at);

GRANT SELECT, INSERT ON refund_requests TO farebox_app;
GRANT UPDATE (
    reason, status, decided_at, decided_by, decision_reason, refund_id
) ON refund_requests TO farebox_app;
-- All but what users wrote.
GRANT SELECT (
    id, account_id, charge_id, status, created_at, decided_at, decided_by, decision_reason,
    refund_id
) ON refund_requests TO farebox_reporter;
"""

_DOWN = """
DROP TABLE refund_requests;
"""


def upgrade() -> None:
    execute_script(_UP)


def downgrade() -> None:
    """What was asked for is lost; refunds that were made stay."""
    execute_script(_DOWN)
