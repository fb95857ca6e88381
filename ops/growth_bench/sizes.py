"""What a database holds on disk, by table and index, and what it wrote to its log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

_TABLES = ("predictions", "entries", "answers", "balances")

_SIZES = """
SELECT
    coalesce(indrelid, pg_class.oid)::regclass::text AS table_name, relname AS name,
    pg_table_size(pg_class.oid) AS bytes,
    CASE
        WHEN amname NOT IN ('btree', 'heap') THEN NULL
        ELSE coalesce((
            SELECT option_value::integer FROM pg_options_to_table(reloptions)
            WHERE option_name = 'fillfactor'
        ), CASE amname WHEN 'btree' THEN 90 ELSE 100 END)
    END AS fill_percent
FROM pg_class
JOIN pg_am ON pg_am.oid = relam
LEFT JOIN pg_index ON indexrelid = pg_class.oid
WHERE coalesce(indrelid, pg_class.oid) = ANY($1::text[]::regclass[])
ORDER BY indexrelid IS NOT NULL, relname
"""

_ROWS = "SELECT count(*) FROM {table}"


@dataclass(frozen=True, slots=True)
class Relation:
    """A table without its indexes, or one index."""

    table_name: str
    name: str
    bytes: int
    fill_percent: int | None
    """How full a page may become where rows are appended; None where that says nothing."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Rows by table, and bytes by table and index."""

    rows: Mapping[str, int]
    relations: tuple[Relation, ...]

    def bytes_each(self, relation: Relation) -> float:
        """Of one row, free room included."""
        return relation.bytes / max(1, self.rows[relation.table_name])

    def total_bytes(self, table_name: str) -> int:
        """The table with its indexes."""
        return sum(each.bytes for each in self.relations if each.table_name == table_name)


async def fetch_sizes(connection: asyncpg.Connection) -> Sizes:
    """As they are now; rows are counted one by one."""
    rows = {
        table: await connection.fetchval(_ROWS.format(table=table), timeout=600)
        for table in _TABLES
    }
    found = await connection.fetch(_SIZES, list(_TABLES))
    return Sizes(rows, tuple(Relation(**row) for row in found))


async def fetch_log_bytes(connection: asyncpg.Connection) -> int:
    """Bytes written to the write-ahead log since the server was made."""
    written: int = await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
    return int(written)
