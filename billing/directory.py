"""Who a key or a session belongs to and what things cost, read afresh at each call."""

from __future__ import annotations

from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import select

from billing.api_keys.values import ALL_SCOPES, Scope
from billing.database import Database
from billing.keys import ApiKey, is_secret_of
from billing.prices import PriceTable, price_of
from billing.principal import Principal
from billing.sessions.actions import find_session
from billing.sessions.values import SESSION_KEY_ID, Lifetimes
from billing.tables import accounts, api_keys, prices


class Directory:
    """Look-ups of keys, sessions and prices."""

    def __init__(self, database: Database, key_hash_secret: SecretStr) -> None:
        self._database = database
        self._key_hash_secret = key_hash_secret.get_secret_value().encode()

    async def fetch_principal(self, api_key: ApiKey) -> Principal | None:
        """Whose key it is; None where it is unknown, revoked, or the secret is another.

        A key past its expiry is found: who asks has the clock that decides.
        """
        query = (
            select(
                api_keys.c.account_id,
                accounts.c.name,
                api_keys.c.secret_hash,
                api_keys.c.scopes,
                api_keys.c.expires_at,
            )
            .join_from(api_keys, accounts)
            .where(api_keys.c.id == api_key.id, api_keys.c.revoked_at.is_(None))
        )
        async with self._database.begin() as connection:
            found = (await connection.execute(query)).one_or_none()
        if found is None or not is_secret_of(api_key, self._key_hash_secret, found.secret_hash):
            return None
        scopes = frozenset(Scope(scope) for scope in found.scopes)
        return Principal(found.account_id, found.name, api_key.id, scopes, found.expires_at)

    async def fetch_session_principal(
        self, token: str, *, lifetimes: Lifetimes, now: datetime
    ) -> Principal | None:
        """Whose living session it is, with all scopes; None where it is nobody's or has ended.

        That the session was seen is noted.
        """
        session = await find_session(self._database, token, lifetimes=lifetimes, now=now)
        if session is None:
            return None
        query = select(accounts.c.name).where(accounts.c.id == session.account_id)
        async with self._database.begin() as connection:
            name = (await connection.execute(query)).scalar_one()
        return Principal(session.account_id, name, SESSION_KEY_ID, ALL_SCOPES)

    async def fetch_prices(self) -> PriceTable:
        """All prices, those to come included."""
        async with self._database.begin() as connection:
            rows = (await connection.execute(select(prices))).all()
        return PriceTable(tuple(price_of(row) for row in rows))
