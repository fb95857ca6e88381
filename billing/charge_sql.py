"""The statements of the charge path."""

INSERT_CHARGES = """
WITH new AS (
    INSERT INTO predictions (charge_id, account_id, key_id, request_id, model, version,
                             instances, amount_microcredits, body_sha256)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                         $7::int[], $8::bigint[], $9::bytea[])
    ON CONFLICT (charge_id) DO NOTHING
    RETURNING charge_id, account_id, amount_microcredits
), entered AS (
    INSERT INTO entries (account_id, kind, amount_microcredits, charge_id)
    SELECT account_id, 'charge', -amount_microcredits, charge_id FROM new
), answered AS (
    INSERT INTO answers (charge_id, inputs, predictions)
    SELECT charge_id, given.inputs, given.predictions
      FROM unnest($1::uuid[], $10::bytea[], $11::bytea[])
           AS given (charge_id, inputs, predictions)
      JOIN new USING (charge_id)
)
SELECT charge_id FROM new
"""
"""Records the charges whose ids are new, in the order given; returns those ids."""

PAY = """
WITH due AS (
    SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS given (account_id, amount)
), locked AS MATERIALIZED (
    SELECT account_id FROM balances WHERE account_id = ANY($1::uuid[])
     ORDER BY account_id FOR NO KEY UPDATE
)
UPDATE balances SET posted = posted - due.amount
  FROM locked JOIN due USING (account_id)
 WHERE balances.account_id = locked.account_id
   AND balances.posted - balances.held >= due.amount
RETURNING balances.account_id, balances.posted - balances.held AS available
"""
"""Takes what is due from each account that can pay it; returns what these have left.

The rows are locked in one order first: an update takes them in whatever order its join yields.
"""

SELECT_AVAILABLE = """
SELECT account_id, posted - held AS available FROM balances WHERE account_id = ANY($1::uuid[])
"""

SELECT_EARLIER = """
SELECT charge_id, predictions.account_id, model, version, amount_microcredits, body_sha256,
       answers.predictions AS answer, posted - held AS available
  FROM predictions
  JOIN balances USING (account_id)
  LEFT JOIN answers USING (charge_id)
 WHERE charge_id = ANY($1::uuid[])
"""
