"""The ledger: accounts, balances, entries, predictions, answers, keys and prices."""

from __future__ import annotations

from billing.migrations.scripts import execute_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE accounts (
    id uuid CONSTRAINT accounts_pkey PRIMARY KEY,
    name text NOT NULL CONSTRAINT accounts_name_key UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT accounts_name_not_empty CHECK (name <> '')
);

CREATE TABLE balances (
    account_id uuid CONSTRAINT balances_pkey PRIMARY KEY,
    posted bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    CONSTRAINT balances_available_not_negative CHECK (posted - held >= 0),
    CONSTRAINT balances_held_not_negative CHECK (held >= 0)
) WITH (fillfactor = 50);

CREATE TABLE entries (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT entries_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    amount_microcredits bigint NOT NULL,
    charge_id uuid CONSTRAINT entries_charge_id_key UNIQUE,
    reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT entries_kind_known CHECK (kind IN ('grant', 'charge')),
    CONSTRAINT entries_sign_by_kind CHECK (
        CASE kind WHEN 'grant' THEN amount_microcredits > 0 ELSE amount_microcredits <= 0 END
    ),
    CONSTRAINT entries_charge_id_by_kind CHECK ((kind = 'charge') = (charge_id IS NOT NULL))
);
CREATE INDEX entries_account_id_id_idx ON entries (account_id, id);

CREATE TABLE predictions (
    charge_id uuid CONSTRAINT predictions_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    key_id text NOT NULL,
    request_id text NOT NULL,
    model text NOT NULL,
    version text NOT NULL,
    instances integer NOT NULL,
    amount_microcredits bigint NOT NULL,
    body_sha256 bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT predictions_instances_positive CHECK (instances > 0),
    CONSTRAINT predictions_amount_not_negative CHECK (amount_microcredits >= 0),
    CONSTRAINT predictions_body_sha256_length CHECK (octet_length(body_sha256) = 32)
);

CREATE TABLE answers (
    charge_id uuid CONSTRAINT answers_pkey PRIMARY KEY,
    inputs bytea NOT NULL,
    predictions bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX answers_created_at_idx ON answers USING brin (created_at);

CREATE TABLE api_keys (
    id text CONSTRAINT api_keys_pkey PRIMARY KEY,
    account_id uuid NOT NULL CONSTRAINT api_keys_account_id_fkey REFERENCES accounts (id),
    secret_hash bytea NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    CONSTRAINT api_keys_secret_hash_length CHECK (octet_length(secret_hash) = 32)
);
CREATE INDEX api_keys_account_id_idx ON api_keys (account_id);

CREATE TABLE prices (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT prices_pkey PRIMARY KEY,
    model text,
    version text,
    amount_microcredits bigint NOT NULL,
    effective_from timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT prices_amount_not_negative CHECK (amount_microcredits >= 0),
    CONSTRAINT prices_version_of_a_model CHECK (version IS NULL OR model IS NOT NULL),
    CONSTRAINT prices_model_version_effective_from_key
        UNIQUE NULLS NOT DISTINCT (model, version, effective_from)
);
"""

# From the beginning of time, so that a price set for a past date still has one before it.
_DEFAULT_PRICE = """
INSERT INTO prices (amount_microcredits, effective_from) VALUES (1000000, '2000-01-01 00:00+00')
"""

_NOTICES = """
CREATE FUNCTION farebox_notify_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('farebox_keys', OLD.id);
    RETURN NULL;
END $$;
CREATE TRIGGER api_keys_notify AFTER UPDATE OR DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION farebox_notify_key();

CREATE FUNCTION farebox_notify_prices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('farebox_prices', '');
    RETURN NULL;
END $$;
CREATE TRIGGER prices_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON prices
    FOR EACH STATEMENT EXECUTE FUNCTION farebox_notify_prices();
"""

# Roles belong to the whole server: another database's migration may make it at the same moment,
# and may have made it long ago.
_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'farebox_app') THEN
        BEGIN
            CREATE ROLE farebox_app NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'farebox_app', 'SET') THEN
        EXECUTE format('GRANT farebox_app TO %I', current_user);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO farebox_app', current_schema());
END $$;
"""

_PRIVILEGES = """
GRANT SELECT, INSERT ON
    accounts, balances, entries, predictions, answers, api_keys, prices TO farebox_app;
GRANT UPDATE (posted, held) ON balances TO farebox_app;
GRANT UPDATE (revoked_at) ON api_keys TO farebox_app;
GRANT DELETE ON answers TO farebox_app;
"""

_DROP = """
DROP TABLE prices, api_keys, answers, predictions, entries, balances, accounts;
DROP FUNCTION farebox_notify_key, farebox_notify_prices;
"""


def upgrade() -> None:
    for script in (_TABLES, _DEFAULT_PRICE, _NOTICES, _ROLE, _PRIVILEGES):
        execute_script(script)


def downgrade() -> None:
    """Leave the role: other databases of this server may use it."""
    execute_script(_DROP)
