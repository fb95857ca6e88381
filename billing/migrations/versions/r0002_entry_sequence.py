"""Entries are numbered by account in the order of their commits, and know more kinds.

`sequence` is drawn under the lock of the account's balance, so an account's entries become
visible in its order and without a gap: cursors and settlement need no other care. `xid` is for
readers of all accounts together, who read below the oldest transaction under way.
"""

from __future__ import annotations

from billing.migrations.scripts import execute_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE balances ADD COLUMN sequence bigint NOT NULL DEFAULT 0;

ALTER TABLE entries
    ADD COLUMN sequence bigint,
    ADD COLUMN balance_microcredits bigint,
    ADD COLUMN source_id uuid,
    ADD COLUMN xid xid8;

-- The order of commits was not kept: with the credits first, no balance is below zero in between.
UPDATE entries
SET sequence = numbered.sequence,
    balance_microcredits = numbered.balance_microcredits,
    xid = entries.xmin::text::xid8
FROM (
    SELECT
        id,
        row_number() OVER in_order AS sequence,
        sum(amount_microcredits) OVER in_order AS balance_microcredits
    FROM entries
    WINDOW in_order AS (PARTITION BY account_id ORDER BY kind = 'charge', id)
) AS numbered
WHERE numbered.id = entries.id;

UPDATE balances
SET sequence = numbered.sequence
FROM (SELECT account_id, max(sequence) AS sequence FROM entries GROUP BY account_id) AS numbered
WHERE numbered.account_id = balances.account_id;

DROP INDEX entries_account_id_id_idx;
ALTER TABLE entries
    DROP COLUMN id,
    DROP CONSTRAINT entries_kind_known,
    DROP CONSTRAINT entries_sign_by_kind,
    ALTER COLUMN sequence SET NOT NULL,
    ALTER COLUMN balance_microcredits SET NOT NULL,
    ALTER COLUMN xid SET NOT NULL,
    ALTER COLUMN xid SET DEFAULT pg_current_xact_id(),
    ADD CONSTRAINT entries_pkey PRIMARY KEY (account_id, sequence),
    ADD CONSTRAINT entries_kind_known CHECK (
        kind IN ('top_up', 'grant', 'charge', 'capture', 'refund', 'expiry', 'adjustment')
    ),
    ADD CONSTRAINT entries_sign_by_kind CHECK (
        CASE
            WHEN kind IN ('top_up', 'grant', 'refund') THEN amount_microcredits > 0
            WHEN kind = 'charge' THEN amount_microcredits <= 0
            WHEN kind IN ('capture', 'expiry') THEN amount_microcredits < 0
            ELSE amount_microcredits <> 0
        END
    ),
    ADD CONSTRAINT entries_balance_not_negative CHECK (balance_microcredits >= 0);
CREATE INDEX entries_xid_idx ON entries (xid);

GRANT UPDATE (posted, held, sequence) ON balances TO farebox_app;
"""

_DOWN = """
DROP INDEX entries_xid_idx;
DELETE FROM entries WHERE kind NOT IN ('grant', 'charge');
ALTER TABLE entries
    DROP CONSTRAINT entries_pkey,
    DROP CONSTRAINT entries_balance_not_negative,
    DROP CONSTRAINT entries_kind_known,
    DROP CONSTRAINT entries_sign_by_kind,
    DROP COLUMN sequence,
    DROP COLUMN balance_microcredits,
    DROP COLUMN source_id,
    DROP COLUMN xid,
    ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT entries_pkey PRIMARY KEY,
    ADD CONSTRAINT entries_kind_known CHECK (kind IN ('grant', 'charge')),
    ADD CONSTRAINT entries_sign_by_kind CHECK (
        CASE kind WHEN 'grant' THEN amount_microcredits > 0 ELSE amount_microcredits <= 0 END
    );
CREATE INDEX entries_account_id_id_idx ON entries (account_id, id);
ALTER TABLE balances DROP COLUMN sequence;
"""


def upgrade() -> None:
    execute_script(_UP)


def downgrade() -> None:
    """Entries of kinds that the earlier schema does not know are lost."""
    execute_script(_DOWN)
