"""The statements of the charge path, by name.

Each runs as a transaction of its own. `$n` are arrays of equal length, one element a charge.
"""

from __future__ import annotations

REFUSED_BY = "balances_available_not_negative"
"""The constraint that refuses, and so rolls back, a CHARGE that an account cannot pay."""

CHARGE = """
WITH charges AS MATERIALIZED (
    SELECT *
    FROM unnest(
        $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
        $7::integer[], $8::bigint[], $9::bytea[], $10::bytea[], $11::bytea[]
    ) AS charge (
        charge_id, account_id, key_id, request_id, model, version,
        instances, amount_microcredits, body_sha256, inputs, predictions
    )
),
new_predictions AS (
    INSERT INTO predictions (
        charge_id, account_id, key_id, request_id, model, version,
        instances, amount_microcredits, body_sha256
    )
    SELECT
        charge_id, account_id, key_id, request_id, model, version,
        instances, amount_microcredits, body_sha256
    FROM charges
    ON CONFLICT (charge_id) DO NOTHING
    RETURNING charge_id, account_id, amount_microcredits
),
new_answers AS (
    INSERT INTO answers (charge_id, inputs, predictions)
    SELECT charge_id, inputs, predictions
    FROM charges
    WHERE (charge_id IN (SELECT charge_id FROM new_predictions)) IS TRUE
    RETURNING charge_id
),
new_entries AS (
    INSERT INTO entries (account_id, kind, amount_microcredits, charge_id)
    SELECT account_id, 'charge', -amount_microcredits, charge_id
    FROM new_predictions
    WHERE (SELECT count(*) FROM new_answers) > 0
    RETURNING account_id, amount_microcredits
),
sums AS MATERIALIZED (
    SELECT account_id, sum(amount_microcredits)::bigint AS amount_microcredits
    FROM new_entries
    GROUP BY account_id
),
locked AS MATERIALIZED (
    SELECT account_id, sums.amount_microcredits
    FROM sums
    JOIN balances USING (account_id)
    ORDER BY account_id
    FOR NO KEY UPDATE OF balances
),
paid AS (
    UPDATE balances
    SET posted = posted + locked.amount_microcredits
    FROM locked
    WHERE balances.account_id = locked.account_id
    RETURNING balances.account_id, posted - held AS available
)
SELECT new_predictions.charge_id, paid.available
FROM new_predictions
JOIN paid USING (account_id)
"""
"""Record and pay charges in one transaction: rows are the new ones, with their account's balance
after all of them. Whoever was paid before is left out. Fails as a whole by REFUSED_BY.

$1..$11 sorted by charge id, each id once. One order for all transactions, so that they queue and
never deadlock: first the charge ids as given, then, when every insert is done (each step reads
the one before), the balances sorted by account. `IS TRUE` keeps the planner to a hash look-up:
with unknown array lengths it may choose a nested loop otherwise, quadratic in the batch.
"""

FETCH_AVAILABLE = """
SELECT account_id, posted - held AS available
FROM balances
WHERE account_id = ANY($1::uuid[])
"""
"""What each account can spend now, without a lock. An unknown account has no row."""

FIND_PAID = """
SELECT charge_id
FROM predictions
WHERE charge_id = ANY($1::uuid[])
"""
"""Which of the charge ids were paid before."""

FETCH_EARLIER = """
SELECT
    charge_id, account_id, predictions.model, predictions.version,
    predictions.amount_microcredits, predictions.body_sha256, answers.predictions,
    balances.posted - balances.held AS available
FROM unnest($1::uuid[], $2::uuid[]) AS wanted (charge_id, account_id)
JOIN predictions USING (charge_id, account_id)
JOIN balances USING (account_id)
LEFT JOIN answers USING (charge_id)
"""
"""What was paid before under ($1 charge id, $2 account), scoped by account so that nobody reads
another's; `predictions` is null where the answer has been pruned."""
