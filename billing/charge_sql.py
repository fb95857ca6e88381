"""The statements of the charge path, by name.

Each runs as a transaction of its own. `$n` are arrays of equal length, one element a charge.
"""

from __future__ import annotations

REFUSED_BY = frozenset({"balances_available_not_negative", "key_spending_within_cap"})
"""The constraints that refuse, and so roll back, a CHARGE that an account cannot pay or that a
key may not spend."""

CHARGE = """
WITH charges AS MATERIALIZED (
    SELECT *
    FROM unnest(
        $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
        $7::integer[], $8::bigint[], $9::bytea[], $10::bytea[], $11::bytea[], $12::integer[]
    ) AS charge (
        charge_id, account_id, key_id, request_id, model, version,
        instances, amount_microcredits, body_sha256, inputs, predictions, place
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
    RETURNING charge_id
),
new_answers AS (
    INSERT INTO answers (charge_id, inputs, predictions)
    SELECT charge_id, inputs, predictions
    FROM charges
    WHERE (charge_id IN (SELECT charge_id FROM new_predictions)) IS TRUE
    RETURNING charge_id
),
new_charges AS MATERIALIZED (
    SELECT
        charge_id, account_id, key_id, amount_microcredits,
        count(*) OVER so_far AS number,
        sum(amount_microcredits) OVER so_far AS total
    FROM charges
    WHERE (charge_id IN (SELECT charge_id FROM new_answers)) IS TRUE
    WINDOW so_far AS (PARTITION BY account_id ORDER BY place)
),
sums AS MATERIALIZED (
    SELECT account_id, count(*) AS entries, sum(amount_microcredits)::bigint AS amount_microcredits
    FROM new_charges
    GROUP BY account_id
),
locked AS MATERIALIZED (
    SELECT account_id, entries, amount_microcredits
    FROM sums
    JOIN balances USING (account_id)
    ORDER BY account_id
    FOR NO KEY UPDATE OF balances
),
paid AS MATERIALIZED (
    UPDATE balances
    SET posted = posted - amount_microcredits, sequence = sequence + entries
    FROM locked
    WHERE balances.account_id = locked.account_id
    RETURNING
        balances.account_id, held,
        sequence - entries AS sequence_before,
        posted + amount_microcredits AS posted_before
),
spent AS (
    INSERT INTO key_spending (
        lineage_id, period, period_start, spent_microcredits, cap_microcredits
    )
    SELECT
        lineage_id, period, farebox_period_start(period, now()),
        sum(amount_microcredits), min(cap_microcredits)
    FROM new_charges
    JOIN key_caps USING (key_id)
    WHERE (SELECT count(*) FROM paid) > 0
    GROUP BY lineage_id, period
    ORDER BY lineage_id, period
    ON CONFLICT (lineage_id, period, period_start) DO UPDATE
    SET spent_microcredits = key_spending.spent_microcredits + excluded.spent_microcredits
    RETURNING lineage_id
),
new_entries AS (
    INSERT INTO entries (
        account_id, sequence, kind, amount_microcredits, balance_microcredits, charge_id
    )
    SELECT
        account_id, sequence_before + number, 'charge', -amount_microcredits,
        posted_before - total, charge_id
    FROM new_charges
    JOIN paid USING (account_id)
    WHERE (SELECT count(*) FROM spent) >= 0
    RETURNING charge_id, account_id, balance_microcredits
)
SELECT charge_id, balance_microcredits - held AS available
FROM new_entries
JOIN paid USING (account_id)
"""
"""Record and pay charges in one transaction: rows are the new ones, each with what its account
had available right after it. Whoever was paid before is left out. Fails as a whole by REFUSED_BY.

$1..$12 sorted by charge id, each id once; $12 is the order of arrival. One order for all
transactions, so that they queue and never deadlock: first the charge ids as given, then (each step
reads the one before) the balances sorted by account, then the capped keys; under the lock of its
balance an account's entries are numbered. `IS TRUE` keeps the planner to a hash look-up: with
unknown array lengths it may choose a nested loop otherwise, quadratic in the batch.
"""

FETCH_AVAILABLE = """
SELECT account_id, NULL AS key_id, NULL AS lineage_id, posted - held AS available
FROM balances
WHERE account_id = ANY($1::uuid[])
UNION ALL
SELECT
    NULL, key_id, key_caps.lineage_id,
    greatest(min(key_caps.cap_microcredits - coalesce(spent_microcredits, 0)), 0)
FROM key_caps
LEFT JOIN key_spending
    ON key_spending.lineage_id = key_caps.lineage_id
    AND key_spending.period = key_caps.period
    AND key_spending.period_start = farebox_period_start(key_caps.period, now())
WHERE key_id = ANY($2::text[])
GROUP BY key_id, key_caps.lineage_id
"""
"""What each account can spend now and what is left of each capped key, without a lock. An unknown
account and a key without a cap have no row. What is left is never below zero: a cap may have been
lowered below what was spent."""

FIND_PAID = """
SELECT charge_id
FROM predictions
WHERE charge_id = ANY($1::uuid[])
"""
"""Which of the charge ids were paid before."""

FETCH_ROWS = """
SELECT
    charge_id, predictions.model, predictions.version, predictions.amount_microcredits,
    answers.inputs, answers.predictions
FROM predictions
LEFT JOIN answers USING (charge_id)
WHERE charge_id = $1 AND account_id = $2
"""
"""What was asked and answered under $1 for the account $2; `predictions` is null where the answer
has been pruned."""

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
