"""Takes indexes off tables while they are filled, and builds them as use leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

FILL_PERCENT = 70
"""How full the pages of a B-tree are after many insertions at random places."""

_FIND = """
SELECT
    indexrelid::regclass::text AS name, indrelid::regclass::text AS table_name,
    amname = 'btree' AS is_btree,
    pg_get_indexdef(indexrelid) AS index_definition,
    pg_get_constraintdef(pg_constraint.oid) AS constraint_definition
FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
JOIN pg_am ON pg_am.oid = relam
LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u')
WHERE indrelid = ANY($1::text[]::regclass[])
ORDER BY pg_relation_size(indrelid), indexrelid
"""


@dataclass(frozen=True, slots=True)
class Index:
    """An index, or a primary key or unique constraint with its own."""

    name: str
    table_name: str
    is_btree: bool
    index_definition: str
    constraint_definition: str | None

    @property
    def drop(self) -> str:
        """The statement that takes it off."""
        if self.constraint_definition is not None:
            return f"ALTER TABLE {self.table_name} DROP CONSTRAINT {self.name}"
        return f"DROP INDEX {self.name}"

    @property
    def build(self) -> str:
        """The statement that makes it, with pages filled as after random insertions."""
        if self.constraint_definition is not None:
            return (
                f"ALTER TABLE {self.table_name} ADD CONSTRAINT {self.name} "
                f"{self.constraint_definition} WITH (fillfactor = {FILL_PERCENT})"
            )
        if not self.is_btree:
            return self.index_definition
        before, where, condition = self.index_definition.partition(" WHERE ")
        return f"{before} WITH (fillfactor = {FILL_PERCENT}){where}{condition}"

    @property
    def forget_fill(self) -> str | None:
        """The statement after which it grows as the schema says."""
        return f"ALTER INDEX {self.name} RESET (fillfactor)" if self.is_btree else None


async def take_off(connection: asyncpg.Connection, tables: Sequence[str]) -> list[Index]:
    """Drop every index of `tables`; they are returned to be built later."""
    indexes = [Index(**row) for row in await connection.fetch(_FIND, list(tables))]
    for index in indexes:
        await connection.execute(index.drop)
    return indexes


async def build(connection: asyncpg.Connection, index: Index) -> None:
    """Make one index of those taken off."""
    await connection.execute(index.build)
    if index.forget_fill is not None:
        await connection.execute(index.forget_fill)
