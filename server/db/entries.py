"""What is written past the rules goes into the log too, so that the log alone can rebuild the state.

A new customer, goods received, an order taken, a plan's reasons: nobody decides those, they come in from
outside. Whatever a session writes to a LOGGED table is kept in its transaction as one entry, in one order of
numbers with the commands. Booked commands say so (`by_rules`), for they are in the log themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import msgspec
from sqlalchemy import Table, event, insert, inspect, select
from sqlalchemy.orm import Session, sessionmaker

from server.clock import utc_now
from server.db.base import Base, table_of
from server.db.command_log import next_numbers
from server.db.feed_models import EntryRow

LOGGED = frozenset(
    {
        "absence",
        "asset",
        "customer",
        "invoice",
        "invoice_line",
        "journal_line",
        "kind_times",
        "network_fault",
        "network_fault_report",
        "notice",
        "part_request",
        "planning_policy",
        "preferred_window",
        "product",
        "purchase_order",
        "purchase_order_line",
        "reservation",
        "rma_line",
        "service",
        "service_location",
        "stock_move",
        "stock_place",
        "tariff_plan",
        "technician",
        "traffic_hours",
        "technician_change",
        "van_transfer",
        "vendor",
        "work_order",
        "work_order_link",
    }
)
"""Tables that are the state of the business. Who may come in, what is on its way out, photos, plans that were
proposed and the feed are not: they are kept, but not rebuilt."""

_NOTED, _BY_RULES = "truckroll_noted", "truckroll_by_rules"

Act = Literal["insert", "update", "delete"]


def attach(sessions: sessionmaker[Session]) -> None:
    """Watch every session that `sessions` makes."""
    event.listen(sessions, "after_flush", _collect)
    event.listen(sessions, "before_commit", _write)


@contextmanager
def by_rules(session: Session) -> Iterator[None]:
    """What is written within is caused by commands, which are in the log themselves."""
    before = session.info.get(_BY_RULES, False)
    session.flush()
    session.info[_BY_RULES] = True
    try:
        yield
        session.flush()
    finally:
        session.info[_BY_RULES] = before


def note(session: Session, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows that a plain statement has added, past the session's bookkeeping."""
    if not session.info.get(_BY_RULES):
        noted = session.info.setdefault(_NOTED, [])
        noted += [("insert", str(table.name), dict(row)) for row in rows]


def _collect(session: Session, _context: object) -> None:
    if session.info.get(_BY_RULES):
        return
    noted = session.info.setdefault(_NOTED, [])
    for thing in session.new:
        if (table := _logged(thing)) is not None:
            noted.append(("insert", str(table.name), _values(thing, table)))
    for thing in session.dirty:
        if (table := _logged(thing)) is not None and (changed := _changed(thing)):
            noted.append(("update", str(table.name), {**_key(thing, table), **changed}))
    for thing in session.deleted:
        if (table := _logged(thing)) is not None:
            noted.append(("delete", str(table.name), _key(thing, table)))


def _logged(thing: object) -> Table | None:
    table = table_of(type(thing)) if isinstance(thing, Base) else None
    return table if table is not None and table.name in LOGGED else None


def _values(thing: object, table: Table) -> dict[str, Any]:
    held = inspect(thing).dict
    return {column.name: held.get(column.name) for column in table.columns}


def _key(thing: object, table: Table) -> dict[str, Any]:
    return {column.name: getattr(thing, column.name) for column in table.primary_key.columns}


def _changed(thing: object) -> dict[str, Any]:
    attributes = inspect(thing).attrs
    return {item.key: item.value for item in attributes if item.history.has_changes()}


def _write(session: Session) -> None:
    session.flush()  # the commit would do it only after us
    if noted := session.info.pop(_NOTED, None):
        add(session, noted)


def add(session: Session, noted: list[tuple[Act, str, dict[str, Any]]], *, opening: bool = False) -> None:
    """One entry. `opening`: it holds all there is, and a replay begins with it."""
    row = {
        "number": next_numbers(session, 1)[0],
        "at": utc_now(),
        "opening": opening,
        "body": msgspec.json.encode(noted).decode(),
    }
    session.execute(insert(table_of(EntryRow)), [row])


def open_books(session: Session) -> None:
    """Begin the log with all there is, where a database is older than its log."""
    noted: list[tuple[Act, str, dict[str, Any]]] = [
        ("insert", str(table.name), dict(row._mapping))
        for table in Base.metadata.sorted_tables
        if table.name in LOGGED
        for row in session.execute(select(table).order_by(*table.primary_key.columns))
    ]
    if noted:
        add(session, noted, opening=True)
