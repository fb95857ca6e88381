"""Credits: grants and what they paid for, top-ups, debts, refunds, holds, alerts and the outbox."""

from __future__ import annotations

from billing.migrations.scripts import execute_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_GRANTS = """
CREATE TABLE grants (
    id uuid CONSTRAINT grants_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    sequence bigint NOT NULL,
    origin text NOT NULL,
    priority smallint NOT NULL,
    expires_at timestamptz,
    amount_microcredits bigint NOT NULL,
    remaining_microcredits bigint NOT NULL,
    source_id uuid,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT grants_origin_known CHECK (origin IN ('top_up', 'grant', 'refund', 'adjustment')),
    CONSTRAINT grants_priority_range CHECK (priority BETWEEN 0 AND 100),
    CONSTRAINT grants_amount_positive CHECK (amount_microcredits > 0),
    CONSTRAINT grants_remaining_range
        CHECK (remaining_microcredits BETWEEN 0 AND amount_microcredits)
);
CREATE INDEX grants_account_id_sequence_idx ON grants (account_id, sequence);
CREATE INDEX grants_account_id_priority_idx ON grants (account_id, priority)
    WHERE remaining_microcredits > 0;
CREATE INDEX grants_expires_at_idx ON grants (expires_at)
    WHERE expires_at IS NOT NULL AND remaining_microcredits > 0;

CREATE TABLE adjustments (
    id uuid CONSTRAINT adjustments_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    sequence bigint NOT NULL,
    amount_microcredits bigint NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT adjustments_amount_not_zero CHECK (amount_microcredits <> 0)
);
CREATE INDEX adjustments_account_id_sequence_idx ON adjustments (account_id, sequence);

CREATE TABLE settled (
    account_id uuid CONSTRAINT settled_pkey PRIMARY KEY,
    sequence bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE grant_uses (
    account_id uuid NOT NULL,
    last_sequence bigint NOT NULL,
    grant_id uuid NOT NULL,
    first_sequence bigint NOT NULL,
    first_microcredits bigint NOT NULL,
    last_microcredits bigint NOT NULL,
    amount_microcredits bigint NOT NULL,
    CONSTRAINT grant_uses_pkey PRIMARY KEY (account_id, last_sequence, grant_id),
    CONSTRAINT grant_uses_span CHECK (first_sequence <= last_sequence),
    CONSTRAINT grant_uses_amount_positive CHECK (amount_microcredits > 0)
);

-- What was granted before grants were kept apart: no expiry, one priority, in the order given.
INSERT INTO grants (
    id, account_id, sequence, origin, priority,
    amount_microcredits, remaining_microcredits, reason, created_at
)
SELECT
    uuidv7(), account_id, sequence, 'grant', 50,
    amount_microcredits, amount_microcredits, coalesce(reason, ''), created_at
FROM entries
WHERE kind = 'grant'
ORDER BY account_id, sequence;
"""

_MONEY = """
CREATE TABLE top_ups (
    id uuid CONSTRAINT top_ups_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    provider text NOT NULL,
    provider_reference text,
    status text NOT NULL DEFAULT 'pending',
    amount_microcredits bigint NOT NULL,
    price_minor_units bigint NOT NULL,
    currency text NOT NULL,
    checkout_url text,
    charged_back_microcredits bigint NOT NULL DEFAULT 0,
    charged_back_minor_units bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    paid_at timestamptz,
    CONSTRAINT top_ups_provider_provider_reference_key UNIQUE (provider, provider_reference),
    CONSTRAINT top_ups_status_known
        CHECK (status IN ('pending', 'paid', 'failed', 'charged_back')),
    CONSTRAINT top_ups_amount_positive CHECK (amount_microcredits > 0),
    CONSTRAINT top_ups_price_not_negative CHECK (price_minor_units >= 0),
    CONSTRAINT top_ups_charged_back_range
        CHECK (charged_back_microcredits BETWEEN 0 AND amount_microcredits),
    CONSTRAINT top_ups_charged_back_price_range
        CHECK (charged_back_minor_units BETWEEN 0 AND price_minor_units),
    CONSTRAINT top_ups_charged_back_by_status
        CHECK ((status = 'charged_back') = (charged_back_microcredits > 0)),
    CONSTRAINT top_ups_paid_by_status CHECK (
        CASE status
            WHEN 'paid' THEN paid_at IS NOT NULL
            WHEN 'charged_back' THEN true
            ELSE paid_at IS NULL
        END
    )
);
CREATE INDEX top_ups_account_id_created_at_idx ON top_ups (account_id, created_at);

CREATE TABLE payment_events (
    provider text NOT NULL,
    event_id text NOT NULL,
    top_up_id uuid,
    kind text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payment_events_pkey PRIMARY KEY (provider, event_id)
);

CREATE TABLE debts (
    top_up_id uuid CONSTRAINT debts_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    amount_microcredits bigint NOT NULL,
    repaid_microcredits bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT debts_amount_positive CHECK (amount_microcredits > 0),
    CONSTRAINT debts_repaid_range CHECK (repaid_microcredits BETWEEN 0 AND amount_microcredits)
);
CREATE INDEX debts_account_id_idx ON debts (account_id);

CREATE TABLE refunds (
    id uuid CONSTRAINT refunds_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    charge_id uuid NOT NULL,
    amount_microcredits bigint NOT NULL,
    reason text NOT NULL,
    refunded_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT refunds_amount_positive CHECK (amount_microcredits > 0),
    CONSTRAINT refunds_reason_not_empty CHECK (reason <> '')
);
CREATE INDEX refunds_charge_id_idx ON refunds (charge_id);
CREATE INDEX refunds_account_id_created_at_idx ON refunds (account_id, created_at);

CREATE TABLE refund_totals (
    charge_id uuid CONSTRAINT refund_totals_pkey PRIMARY KEY,
    charged_microcredits bigint NOT NULL,
    refunded_microcredits bigint NOT NULL,
    CONSTRAINT refund_totals_within_charge
        CHECK (refunded_microcredits BETWEEN 0 AND charged_microcredits)
);

CREATE TABLE holds (
    id uuid CONSTRAINT holds_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    amount_microcredits bigint NOT NULL,
    captured_microcredits bigint NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'open',
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    resolved_at timestamptz,
    CONSTRAINT holds_status_known CHECK (status IN ('open', 'captured', 'released', 'expired')),
    CONSTRAINT holds_amount_positive CHECK (amount_microcredits > 0),
    CONSTRAINT holds_captured_range
        CHECK (captured_microcredits BETWEEN 0 AND amount_microcredits),
    CONSTRAINT holds_captured_by_status CHECK ((status = 'captured') = (captured_microcredits > 0)),
    CONSTRAINT holds_resolved_once CHECK ((status = 'open') = (resolved_at IS NULL))
);
CREATE INDEX holds_account_id_created_at_idx ON holds (account_id, created_at);
CREATE INDEX holds_expires_at_idx ON holds (expires_at) WHERE status = 'open';
"""

_ALERTS = """
CREATE TABLE alerts (
    id uuid CONSTRAINT alerts_pkey PRIMARY KEY,
    account_id uuid NOT NULL CONSTRAINT alerts_account_id_fkey REFERENCES accounts (id),
    level_microcredits bigint NOT NULL,
    url text NOT NULL,
    secret text NOT NULL,
    is_below boolean NOT NULL,
    checked_sequence bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT alerts_level_positive CHECK (level_microcredits > 0)
);
CREATE INDEX alerts_account_id_idx ON alerts (account_id);

CREATE TABLE deliveries (
    id uuid CONSTRAINT deliveries_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    alert_id uuid,
    channel text NOT NULL,
    event text NOT NULL,
    payload jsonb NOT NULL,
    status text NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    CONSTRAINT deliveries_channel_known CHECK (channel IN ('webhook', 'email')),
    CONSTRAINT deliveries_status_known CHECK (status IN ('pending', 'delivered', 'failed')),
    CONSTRAINT deliveries_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT deliveries_ended_by_status CHECK ((status = 'pending') = (ended_at IS NULL))
);
CREATE INDEX deliveries_next_attempt_at_idx ON deliveries (next_attempt_at)
    WHERE status = 'pending';
CREATE INDEX deliveries_alert_id_created_at_idx ON deliveries (alert_id, created_at);
"""

_PRIVILEGES = """
GRANT SELECT, INSERT ON grants, adjustments, grant_uses, payment_events, refunds TO farebox_app;
GRANT UPDATE (remaining_microcredits) ON grants TO farebox_app;
GRANT SELECT, INSERT, UPDATE (sequence) ON settled TO farebox_app;
GRANT SELECT, INSERT ON top_ups, debts, refund_totals, holds TO farebox_app;
GRANT UPDATE (
    provider_reference, status, checkout_url, paid_at,
    charged_back_microcredits, charged_back_minor_units
) ON top_ups TO farebox_app;
GRANT UPDATE (amount_microcredits, repaid_microcredits) ON debts TO farebox_app;
GRANT UPDATE (refunded_microcredits) ON refund_totals TO farebox_app;
GRANT UPDATE (captured_microcredits, status, resolved_at) ON holds TO farebox_app;
GRANT SELECT, INSERT, DELETE ON alerts, deliveries TO farebox_app;
GRANT UPDATE (is_below, checked_sequence) ON alerts TO farebox_app;
GRANT UPDATE (
    payload, status, attempts, next_attempt_at, last_error, ended_at
) ON deliveries TO farebox_app;

GRANT SELECT ON
    grants, adjustments, settled, grant_uses, top_ups, payment_events, debts, refunds,
    refund_totals, holds
    TO farebox_reporter;
"""

_DOWN = """
DROP TABLE
    deliveries, alerts, holds, refund_totals, refunds, debts, payment_events, top_ups,
    grant_uses, settled, adjustments, grants;
"""


def upgrade() -> None:
    for script in (_GRANTS, _MONEY, _ALERTS, _PRIVILEGES):
        execute_script(script)


def downgrade() -> None:
    """Which grants paid for what is lost; entries and balances stay."""
    execute_script(_DOWN)
