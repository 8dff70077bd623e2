"""Many plain rows with one statement, past the session's bookkeeping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import JSON, ColumnElement, bindparam, column, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.db.base import Base, Instant, check_aware, columns_of, table_of

Conflict = Callable[[Any], Any]
"""Says of an INSERT what becomes of a row that is there already: its on_conflict_…"""


def add(
    session: Session,
    kind: type[Base],
    rows: Sequence[dict[str, Any]],
    conflict: Conflict | None = None,
    **computed: ColumnElement[Any],
) -> None:
    """Add `rows`, which all name the same columns, in their order. `computed`: columns in SQL."""
    if not rows:
        return
    names, dialect = tuple(rows[0]), session.get_bind().dialect.name
    statement = _adding(kind, names, dialect, conflict, tuple(computed.items()))
    if dialect == "postgresql":
        for name in _instants(kind, names):
            for row in rows:
                check_aware(row[name])  # in JSON nothing else would notice
        session.execute(statement, {"rows": rows})
    else:
        session.execute(statement, rows)


@cache
def _adding(
    kind: type[Base],
    names: tuple[str, ...],
    dialect: str,
    conflict: Conflict | None,
    computed: tuple[tuple[str, ColumnElement[Any]], ...],
) -> Any:
    table = table_of(kind)
    adding: Any
    if dialect == "postgresql":
        # All rows as one JSON document: a statement with its values a row takes three times as long, most of
        # it here.
        shape = [column(name, table.c[name].type) for name in names]
        document = bindparam("rows", type_=JSON())
        rows = func.json_to_recordset(document).table_valued(*shape).render_derived(with_types=True)
        shown = [*rows.c, *(value for _, value in computed)]
        adding = postgresql.insert(table).from_select([*names, *dict(computed)], select(*shown))
    else:
        adding = sqlite.insert(table).values(dict(computed)) if computed else sqlite.insert(table)
    return conflict(adding) if conflict else adding


@cache
def _instants(kind: type[Base], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if isinstance(columns_of(kind)[name].type, Instant))
