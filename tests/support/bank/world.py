"""The real side: a PostgreSQL whose clock the test sets, and all that stands in it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

import asyncpg

from billing.database import Database
from billing.errors import BillingError
from billing.settings import BillingSettings
from tests.postgres import run_sql

Value = TypeVar("Value")

# Charges and caps go by the database's clock. A function of this name that is found before the
# system's own moves it, with no statement of the product changed.
_CLOCK = """
CREATE TABLE public.test_clock (at timestamptz NOT NULL);
INSERT INTO public.test_clock VALUES ('2030-01-01 00:00Z');
GRANT SELECT ON public.test_clock TO PUBLIC;
CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql STABLE
    RETURN (SELECT at FROM public.test_clock);
"""

_FIND_FILLED = """
SELECT format('%I', relname)
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    AND relname NOT IN ('alembic_version', 'feeds', 'test_clock')
ORDER BY relname
"""


class World:
    """A database, the product's way into it and a superuser's, on one event loop."""

    def __init__(self, database_url: str) -> None:
        name = database_url.partition("?")[0].rpartition("/")[2]
        in_front = f"ALTER DATABASE {name} SET search_path = public, pg_catalog"
        run_sql(database_url, _CLOCK, in_front)
        self.settings = BillingSettings(database_url=database_url, key_hash_secret="s" * 32)
        self.database = Database(self.settings)
        self._runner = asyncio.Runner()
        self._superuser: asyncpg.Connection = self.run(asyncpg.connect(database_url))
        # Foreign keys do not matter, all goes; TRUNCATE would take ten times as long.
        self.run(self._superuser.execute("SET session_replication_role = replica"))
        tables = self.fetch(_FIND_FILLED)
        self._empty = ";".join(f"DELETE FROM {name}" for (name,) in tables)

    def close(self) -> None:
        """Close what was opened."""
        self.run(self._superuser.close())
        self.run(self.database.close())
        self._runner.close()

    def empty(self) -> None:
        """As migrated."""
        self.run(self._superuser.execute(self._empty))

    def set_clock(self, now: datetime) -> None:
        """What `now()` says in the product's statements."""
        self.run(self._superuser.execute("UPDATE public.test_clock SET at = $1", now))

    def run(self, work: Coroutine[Any, Any, Value]) -> Value:
        """To its end."""
        return self._runner.run(work)

    def attempt(self, work: Coroutine[Any, Any, Value]) -> Value | str:
        """What comes of it, or the code of the error by which it is refused."""
        try:
            return self.run(work)
        except BillingError as error:
            return error.code

    def fetch(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """As the superuser."""
        rows = self.run(self._superuser.fetch(query, *parameters))
        return [tuple(row) for row in rows]

    def fetch_one_id(self, query: str, *parameters: object) -> uuid.UUID:
        """The one id that is there."""
        [(found,)] = self.fetch(query, *parameters)
        assert isinstance(found, uuid.UUID)
        return found
