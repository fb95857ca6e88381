"""Accounts, balances, the ledger, predictions, keys and prices."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE accounts (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    name text NOT NULL UNIQUE
        CONSTRAINT accounts_name_length CHECK (length(name) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE balances (
    account_id uuid PRIMARY KEY,
    posted bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    CONSTRAINT balances_available_not_negative CHECK (posted - held >= 0),
    CONSTRAINT balances_held_not_negative CHECK (held >= 0)
) WITH (fillfactor = 50);

CREATE TABLE entries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    amount_microcredits bigint NOT NULL,
    charge_id uuid,
    reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT entries_kind CHECK (
        (kind = 'grant' AND amount_microcredits > 0 AND charge_id IS NULL)
        OR (kind = 'charge' AND amount_microcredits <= 0 AND charge_id IS NOT NULL)
    )
);
CREATE UNIQUE INDEX entries_charge_id ON entries (charge_id) WHERE kind = 'charge';

CREATE TABLE predictions (
    charge_id uuid PRIMARY KEY,
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
    charge_id uuid PRIMARY KEY,
    inputs bytea NOT NULL,
    predictions bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX answers_created_at ON answers USING brin (created_at);

CREATE TABLE api_keys (
    id text PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id),
    secret_hash bytea NOT NULL
        CONSTRAINT api_keys_secret_hash_length CHECK (octet_length(secret_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

CREATE TABLE prices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model text,
    version text,
    amount_microcredits bigint NOT NULL,
    effective_from timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT prices_amount_not_negative CHECK (amount_microcredits >= 0),
    CONSTRAINT prices_version_of_a_model CHECK (model IS NOT NULL OR version IS NULL)
);
INSERT INTO prices (model, version, amount_microcredits, effective_from)
    VALUES (NULL, NULL, 1000000, '-infinity');
"""

# Notices empty the validators' caches. Nothing notifies on the charge path: it halves the commits.
NOTICES = """
CREATE FUNCTION farebox_notify_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('farebox_keys', OLD.id);
    RETURN NULL;
END $$;
CREATE TRIGGER api_keys_changed AFTER UPDATE OR DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION farebox_notify_key();

CREATE FUNCTION farebox_notify_prices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('farebox_prices', '');
    RETURN NULL;
END $$;
CREATE TRIGGER prices_changed AFTER INSERT OR UPDATE OR DELETE ON prices
    FOR EACH STATEMENT EXECUTE FUNCTION farebox_notify_prices();
"""

# The role that the application's connections take. It cannot rewrite history.
ROLE = """
DO $$ BEGIN
    CREATE ROLE farebox_app NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT farebox_app TO CURRENT_USER;
GRANT USAGE ON SCHEMA public TO farebox_app;
GRANT SELECT, INSERT ON accounts, entries, predictions, prices TO farebox_app;
GRANT SELECT, INSERT, DELETE ON answers TO farebox_app;
GRANT SELECT, INSERT ON balances, api_keys TO farebox_app;
GRANT UPDATE (posted, held) ON balances TO farebox_app;
GRANT UPDATE (revoked_at) ON api_keys TO farebox_app;
"""

DROP = """
DROP TABLE prices, api_keys, answers, predictions, entries, balances, accounts;
DROP FUNCTION farebox_notify_key(), farebox_notify_prices();
REVOKE USAGE ON SCHEMA public FROM farebox_app;
"""


def upgrade() -> None:
    for script in (TABLES, NOTICES, ROLE):
        for statement in split(script):
            op.execute(statement)


def downgrade() -> None:
    """The role stays: other databases of the server may use it."""
    for statement in split(DROP):
        op.execute(statement)


def split(script: str) -> list[str]:
    """Statements of a script; `;` at a line's end ends one, but inside a `$$` body."""
    statements, current, inside = [], "", False
    for line in script.strip().splitlines():
        current += line + "\n"
        inside ^= line.count("$$") % 2 == 1
        if line.endswith(";") and not inside:
            statements.append(current)
            current = ""
    return statements
