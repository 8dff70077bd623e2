"""A PostgreSQL database brought back to how it was made: much quicker than to make another.

made = remember(connection)
…
if not restore(connection, made): drop it
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

SHAPE = """
SELECT md5(string_agg(concat_ws(' ', c.relname, c.relkind, a.attname, a.atttypid, a.attnotnull), ','
                      ORDER BY c.relname, a.attnum)),
       (SELECT count(*) FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
       (SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'D'),
       (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
       (SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
         WHERE d.datname = current_database())
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0
"""
OTHERS = """
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsMade:
    """shape: what of the schema a test might have changed. rows: what each table that has any holds, as COPY
    writes it. sequences: value, and whether it was used.
    """

    shape: tuple[Any, ...]
    tables: tuple[str, ...]
    rows: dict[str, bytes]
    sequences: dict[str, tuple[int, bool]]


def remember(connection: psycopg.Connection) -> AsMade:
    tables = _names(connection, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    sequences = _names(connection, "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")
    return AsMade(
        shape=_shape(connection),
        tables=tables,
        rows={table: _rows(connection, table) for table in _filled(connection, tables)},
        sequences={name: _position(connection, name) for name in sequences},
    )


def restore(connection: psycopg.Connection, made: AsMade) -> bool:
    """Take back all that was written. False where that can't be: the schema was changed, or one is not let.

    Connections that were left open are closed first, so `connection` waits for nobody's transaction.
    """
    try:
        connection.execute(OTHERS)
        if _shape(connection) != made.shape:
            return False
        with connection.transaction():
            connection.execute(
                "SET LOCAL session_replication_role = replica"
            )  # no key and no trigger objects
            for table in _filled(connection, made.tables):
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            for table, rows in made.rows.items():
                into = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
                with connection.cursor().copy(into) as copy:
                    copy.write(rows)
            for name, position in made.sequences.items():
                connection.execute("SELECT setval(%s::regclass, %s, %s)", (f'"{name}"', *position))
    except psycopg.Error:
        return False
    return True


def _names(connection: psycopg.Connection, query: str) -> tuple[str, ...]:
    return tuple(sorted(name for (name,) in connection.execute(query)))


def _shape(connection: psycopg.Connection) -> tuple[Any, ...]:
    return tuple(connection.execute(SHAPE).fetchone() or ())


def _filled(connection: psycopg.Connection, tables: tuple[str, ...]) -> tuple[str, ...]:
    one = sql.SQL("SELECT {} WHERE EXISTS (SELECT 1 FROM {})")
    asked = (one.format(sql.Literal(table), sql.Identifier(table)) for table in tables)
    return tuple(name for (name,) in connection.execute(sql.SQL(" UNION ALL ").join(asked)))


def _rows(connection: psycopg.Connection, table: str) -> bytes:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
        return b"".join(copy)


def _position(connection: psycopg.Connection, sequence: str) -> tuple[int, bool]:
    found = connection.execute(
        sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(sequence))
    )
    value, is_called = found.fetchone() or (1, False)
    return value, is_called
