"""Accounts and their keys: the use cases of the command line. Each opens and commits its own."""

from __future__ import annotations

from billing.credits import ZERO, Credits
from billing.database import Database
from billing.keys import generate_key, parse_key
from billing.settings import BillingSettings

_INSERT_ACCOUNT = """
INSERT INTO accounts (name) VALUES ($1) ON CONFLICT (name) DO NOTHING
"""
_SELECT_ACCOUNT = "SELECT id FROM accounts WHERE name = $1"
_INSERT_BALANCE = "INSERT INTO balances (account_id) VALUES ($1) ON CONFLICT DO NOTHING"
_INSERT_GRANT = """
INSERT INTO entries (account_id, kind, amount_microcredits, reason) VALUES ($1, 'grant', $2, $3)
"""
_ADD_TO_BALANCE = "UPDATE balances SET posted = posted + $2 WHERE account_id = $1"
_INSERT_KEY = "INSERT INTO api_keys (id, account_id, secret_hash) VALUES ($1, $2, $3)"
_REVOKE_KEY = """
UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id
"""


async def create_key(
    database: Database,
    settings: BillingSettings,
    account_name: str,
    granted: Credits = ZERO,
    reason: str = "granted with a key",
) -> str:
    """Make the account if it is new, grant `granted` to it, and return a fresh key of it.

    All or nothing. The key is not stored, only its hash: it can be shown this once.
    """
    key = generate_key()
    hashed = key.secret_hash(settings.key_hash_secret.get_secret_value())
    async with database.connection() as connection, connection.transaction():
        await connection.execute(_INSERT_ACCOUNT, account_name)
        account_id = await connection.fetchval(_SELECT_ACCOUNT, account_name)
        await connection.execute(_INSERT_BALANCE, account_id)
        if granted > ZERO:
            await connection.execute(_INSERT_GRANT, account_id, granted.microcredits, reason)
            await connection.execute(_ADD_TO_BALANCE, account_id, granted.microcredits)
        await connection.execute(_INSERT_KEY, key.key_id, account_id, hashed)
    return str(key)


async def revoke_key(database: Database, key: str) -> bool:
    """Revoke a key by its id, or by the whole key; False when no live key has it."""
    parsed = parse_key(key)
    key_id = parsed.key_id if parsed else key
    async with database.connection() as connection:
        revoked = await connection.fetchval(_REVOKE_KEY, key_id)
    return revoked is not None
