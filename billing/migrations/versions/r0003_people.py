"""People: users, sessions, what a key may do and spend, and the audit log."""

from __future__ import annotations

from billing.migrations.scripts import execute_script

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE accounts ADD COLUMN closed_at timestamptz;

CREATE TABLE users (
    account_id uuid CONSTRAINT users_pkey PRIMARY KEY
        CONSTRAINT users_account_id_fkey REFERENCES accounts (id),
    email text NOT NULL CONSTRAINT users_email_key UNIQUE,
    password_hash text NOT NULL,
    role text NOT NULL DEFAULT 'user',
    email_verified_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_email_lower_case CHECK (email = lower(email) AND email <> ''),
    CONSTRAINT users_role_known CHECK (role IN ('user', 'operator', 'admin'))
);

CREATE TABLE sessions (
    id uuid CONSTRAINT sessions_pkey PRIMARY KEY,
    account_id uuid NOT NULL
        CONSTRAINT sessions_account_id_fkey REFERENCES users (account_id) ON DELETE CASCADE,
    token_hash bytea NOT NULL CONSTRAINT sessions_token_hash_key UNIQUE,
    user_agent text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT sessions_token_hash_length CHECK (octet_length(token_hash) = 32)
);
CREATE INDEX sessions_account_id_idx ON sessions (account_id);

CREATE TABLE email_tokens (
    token_hash bytea CONSTRAINT email_tokens_pkey PRIMARY KEY,
    account_id uuid NOT NULL
        CONSTRAINT email_tokens_account_id_fkey REFERENCES users (account_id) ON DELETE CASCADE,
    purpose text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT email_tokens_token_hash_length CHECK (octet_length(token_hash) = 32),
    CONSTRAINT email_tokens_purpose_known CHECK (purpose IN ('verify_email', 'reset_password'))
);
CREATE INDEX email_tokens_account_id_idx ON email_tokens (account_id);

CREATE TABLE welcomed_addresses (
    address_hash bytea CONSTRAINT welcomed_addresses_pkey PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT welcomed_addresses_address_hash_length CHECK (octet_length(address_hash) = 32)
);

ALTER TABLE api_keys
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{score,read}',
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN lineage_id text,
    ADD CONSTRAINT api_keys_scopes_known CHECK (
        scopes <@ ARRAY['score', 'read'] AND cardinality(scopes) > 0
    );
UPDATE api_keys SET lineage_id = id;
ALTER TABLE api_keys ALTER COLUMN lineage_id SET NOT NULL;
CREATE INDEX api_keys_lineage_id_idx ON api_keys (lineage_id);

ALTER TABLE prices ADD COLUMN request_id uuid CONSTRAINT prices_request_id_key UNIQUE;

CREATE TABLE key_caps (
    key_id text NOT NULL CONSTRAINT key_caps_key_id_fkey REFERENCES api_keys (id),
    period text NOT NULL,
    lineage_id text NOT NULL,
    cap_microcredits bigint NOT NULL,
    CONSTRAINT key_caps_pkey PRIMARY KEY (key_id, period),
    CONSTRAINT key_caps_period_known CHECK (period IN ('day', 'month', 'total')),
    CONSTRAINT key_caps_cap_not_negative CHECK (cap_microcredits >= 0)
);

CREATE FUNCTION farebox_period_start(period text, at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE RETURN
    CASE period
        WHEN 'day' THEN date_trunc('day', at, 'UTC')
        WHEN 'month' THEN date_trunc('month', at, 'UTC')
        ELSE '-infinity'::timestamptz
    END;

CREATE TABLE key_spending (
    lineage_id text NOT NULL,
    period text NOT NULL,
    period_start timestamptz NOT NULL,
    spent_microcredits bigint NOT NULL,
    cap_microcredits bigint NOT NULL,
    CONSTRAINT key_spending_pkey PRIMARY KEY (lineage_id, period, period_start),
    CONSTRAINT key_spending_within_cap CHECK (spent_microcredits <= cap_microcredits)
) WITH (fillfactor = 50);

CREATE TABLE key_uses (
    key_id text CONSTRAINT key_uses_pkey PRIMARY KEY,
    last_used_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_pkey PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    actor_id uuid,
    actor_role text NOT NULL,
    action text NOT NULL,
    account_id uuid,
    target text,
    details jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT audit_actor_role_known CHECK (
        actor_role IN ('operator', 'admin', 'command_line')
    )
);
CREATE INDEX audit_account_id_id_idx ON audit (account_id, id);
"""

# Once per database server, as for farebox_app; it can read, and no secret.
_REPORTER = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'farebox_reporter') THEN
        BEGIN
            CREATE ROLE farebox_reporter NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO farebox_reporter', current_schema());
END $$;
"""

_PRIVILEGES = """
GRANT SELECT, INSERT, DELETE ON users, sessions, email_tokens TO farebox_app;
GRANT UPDATE (email, password_hash, role, email_verified_at) ON users TO farebox_app;
GRANT UPDATE (last_seen_at) ON sessions TO farebox_app;
GRANT UPDATE (name, closed_at) ON accounts TO farebox_app;
GRANT SELECT, INSERT ON welcomed_addresses, audit TO farebox_app;
GRANT UPDATE (name, scopes, expires_at, revoked_at) ON api_keys TO farebox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON key_caps, key_spending, key_uses TO farebox_app;

GRANT SELECT ON
    balances, entries, predictions, prices, audit, key_caps, key_spending, key_uses
    TO farebox_reporter;
-- An account's name is its user's e-mail.
GRANT SELECT (id, created_at, closed_at) ON accounts TO farebox_reporter;
GRANT SELECT (account_id, role, email_verified_at, created_at) ON users TO farebox_reporter;
GRANT SELECT (
    id, account_id, name, scopes, created_at, expires_at, revoked_at, lineage_id
) ON api_keys TO farebox_reporter;
"""

_DOWN = """
REVOKE SELECT ON balances, entries, predictions, prices FROM farebox_reporter;
REVOKE SELECT (id, created_at) ON accounts FROM farebox_reporter;
REVOKE SELECT (id, account_id, name, created_at, revoked_at) ON api_keys FROM farebox_reporter;
DROP TABLE
    audit, key_uses, key_spending, key_caps, welcomed_addresses, email_tokens, sessions, users;
DROP FUNCTION farebox_period_start;
ALTER TABLE prices DROP COLUMN request_id;
DROP INDEX api_keys_lineage_id_idx;
ALTER TABLE api_keys
    DROP CONSTRAINT api_keys_scopes_known,
    DROP COLUMN scopes,
    DROP COLUMN expires_at,
    DROP COLUMN lineage_id;
ALTER TABLE accounts DROP COLUMN closed_at;
"""


def upgrade() -> None:
    for script in (_UP, _REPORTER, _PRIVILEGES):
        execute_script(script)


def downgrade() -> None:
    """People, their sessions and the audit log are lost; the roles stay."""
    execute_script(_DOWN)
