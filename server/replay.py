"""Rebuild the state from the log into an empty database, and hold the two against each other.

The log is the commands, each decided again by today's rules, and the entries, rows that came in from outside.
What can't follow from a log is left out by name: NOT_REBUILT.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Table, delete, false, insert, select, update
from sqlalchemy.orm import Session

from server import office
from server.access.models import DeviceRow
from server.books import Books
from server.db import entries
from server.db.base import Base, table_of
from server.db.engine import Database
from server.db.feed_models import CommandRow, EntryRow
from server.field.unit import CommandUnit
from server.settings import Settings
from server.stock import ledger
from server.stock.models import StockMoveRow, StockPlaceRow
from server.work_orders.models import EvidenceRow
from shared.commands import OFFICE_COMMANDS, JoblessCommand, OfficeCommand
from shared.decide import decide, decide_as_report
from shared.problems import Problem, ServerFault, every_problem
from shared.remarks import Remark
from shared.stock import StockMove
from sync.protocol import PushedCommand, decode_command
from sync.server.ports import Asked
from sync.server.push import answer

PAGE = 5_000

HELD_AS_RECORDED = frozenset(
    {"count-far-off", "id-reused", "others-work", "revoked-device", "server-fault", "unsealed-transfer"}
)
"""What was held for reasons that the command itself doesn't tell: a limit of its day, the database's key."""

CLOCK_REMARKS = frozenset({"clock-changed", "clock-skew"})

NOT_REBUILT: dict[str, frozenset[str]] = {
    "notice": frozenset({"state"}),  # whether the courier has brought it
    "journal_line": frozenset({"id"}),
    "stock_move": frozenset({"id"}),
    "follow_up": frozenset({"done_at", "done_by", "outcome", "note"}),  # what the office did about it
    "evidence": frozenset({"arrived_at"}),  # bytes come on their own road
    "command": frozenset(
        {
            "number",  # a failed transaction leaves a gap
            "digest",
            "resolved_at",
            "resolved_by",
            "resolution",
            "resolution_detail",
            "resolved_as",
        }
    ),
}
"""Table → columns that are not compared. Tables outside COMPARED are no state of the business."""

COMPARED = (*sorted(entries.LOGGED), "command", "evidence", "follow_up", "stock_balance")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReport:
    """One table of both databases. `differences`: the first few rows that only one of them has."""

    name: str
    rows: int
    live: str
    replayed: str
    differences: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return self.live == self.replayed


@dataclass(frozen=True, slots=True)
class _Logged:
    """One command or entry, by its number."""

    number: int
    row: CommandRow | EntryRow

    @property
    def batch(self) -> object:
        """What was written in one transaction is replayed in one."""
        if isinstance(self.row, EntryRow):
            return self.number
        return (self.row.origin, self.row.device_id, self.row.actor, self.row.decided_at)


def replay(live: Database, fresh: Database, settings: Settings) -> int:
    """Decide everything again in `fresh`, migrated and otherwise empty. Returns how many were replayed."""
    with fresh.write() as session, entries.by_rules(session):
        for kind in (EntryRow, StockPlaceRow):
            session.execute(delete(kind))
    count = 0
    with live.read() as source:
        for _, group in groupby(_log(source), key=lambda item: item.batch):
            batch = list(group)
            with fresh.write() as session, session.no_autoflush:
                _again(source, session, settings, batch)
            count += len(batch)
    return count


def is_in_use(database: Database) -> bool:
    """Whether a migrated database holds more than what all of them begin with."""
    others = select(StockPlaceRow.id).where(StockPlaceRow.id.not_in(ledger.FIXED_PLACES))
    with database.read() as session:
        return any(session.scalar(query.limit(1)) is not None for query in (select(CommandRow.id), others))


def _log(source: Session) -> Iterator[_Logged]:
    """From the newest opening on, in the order of the numbers."""
    opening = select(EntryRow.number).where(EntryRow.opening).order_by(EntryRow.number.desc()).limit(1)
    start = source.scalar(opening) or 0
    numbers = sorted(
        number
        for kind in (CommandRow, EntryRow)
        for number in source.scalars(select(kind.number).where(kind.number >= start))
    )
    for at in range(0, len(numbers), PAGE):
        page = (numbers[at], numbers[min(at + PAGE, len(numbers)) - 1])
        commands = source.scalars(select(CommandRow).where(CommandRow.number.between(*page)))
        found: dict[int, CommandRow | EntryRow] = {row.number: row for row in commands}
        came_in = source.scalars(select(EntryRow).where(EntryRow.number.between(*page)))
        found.update({row.number: row for row in came_in})
        yield from (_Logged(number, found[number]) for number in sorted(found))


def _again(source: Session, session: Session, settings: Settings, batch: Sequence[_Logged]) -> None:
    first = batch[0].row
    if isinstance(first, EntryRow):
        with entries.by_rules(session):
            _enter(session, first)
        return
    rows = [item.row for item in batch if isinstance(item.row, CommandRow)]
    books = Books(session, settings, first.decided_at)
    if first.device_id is None:
        commands = [(row.id, _office_command(row)) for row in rows]
        office.decide_all(books, commands, first.actor)
    else:
        _decide_again(source, session, books, first.device_id, rows)
    books.write()


def _office_command(row: CommandRow) -> OfficeCommand:
    return msgspec.json.decode(row.body, type=OFFICE_COMMANDS[row.type])


def _decide_again(
    source: Session, session: Session, books: Books, device_id: UUID, rows: Sequence[CommandRow]
) -> None:
    if session.get(DeviceRow, device_id) is None:
        held = source.get_one(DeviceRow, device_id)
        table = table_of(DeviceRow)
        session.execute(
            insert(table), [{column.name: getattr(held, column.name) for column in table.columns}]
        )
    asked = [_asked(row) for row in rows]
    # What the server could not digest is not looked up again either.
    opened = [
        replace(item, command=None, problem=_recorded(row)) if row.slug == ServerFault.slug else item
        for item, row in zip(asked, rows, strict=True)
    ]
    unit = CommandUnit.open(books, device_id, opened, {}, origin=rows[0].origin, again=True)
    for item, row in zip(asked, rows, strict=True):
        if row.outcome == "held" and row.slug in HELD_AS_RECORDED:
            unit.hold_whole(item, _recorded(row))
        elif row.origin == "report":
            command, before = unit.situation(item)
            unit.accept(item, command, before, decide_as_report(command, before, item.happened_at))
        elif row.origin == "office" and not isinstance(item.command, JoblessCommand):
            command, before = unit.situation(item)
            unit.accept(item, command, before, decide(command, before, item.happened_at))
        else:
            answer(item, unit)


def _recorded(row: CommandRow) -> Problem:
    kind = next((kind for kind in every_problem() if kind.slug == row.slug), ServerFault)
    return kind(row.detail or "")


_NO_UTF_8 = re.compile(rb"\\(?:x([89a-f][0-9a-f])|.)", re.DOTALL)


def _as_it_came(body: str) -> bytes:
    """A stored body with the bytes back that were no UTF-8: kept as `\\xNN`, which JSON does not know."""
    return _NO_UTF_8.sub(lambda found: bytes([int(found[1], 16)]) if found[1] else found[0], body.encode())


def _asked(row: CommandRow) -> Asked:
    pushed = PushedCommand(
        id=row.id,
        seq=row.seq,
        type=row.type,
        schema=row.schema_version,
        made_at=row.made_at,
        base_version=row.base_version,
        body=msgspec.Raw(_as_it_came(row.body)),
        made_mono_ms=row.made_mono_ms,
        boot=row.boot,
        hlc=row.hlc,
    )
    try:
        command, problem = decode_command(pushed), None
    except Problem as unreadable:
        command, problem = None, unreadable
    # The contact that brought it is gone; what its clocks made of the time is on record.
    clock = tuple(
        Remark(said["slug"], said["detail"]) for said in row.remarks if said["slug"] in CLOCK_REMARKS
    )
    return Asked(pushed=pushed, command=command, problem=problem, happened_at=row.happened_at, remarks=clock)


# --- entries ------------------------------------------------------------------------------------------------


def _enter(session: Session, entry: EntryRow) -> None:
    """Write the rows of an entry as they were written then. Moves go through the ledger, for its balances."""
    for act, name, told in msgspec.json.decode(entry.body):
        table = Base.metadata.tables[name]
        values = {key: _value(table, key, value) for key, value in told.items()}
        if act == "insert" and name == StockMoveRow.__tablename__:
            ledger.write(session, [_booking(values)])
        elif act == "insert":
            session.execute(insert(table), [values])
        else:
            key = [table.c[column.name] == values[column.name] for column in table.primary_key.columns]
            if act == "delete":
                session.execute(delete(table).where(*key))
            else:
                session.execute(update(table).where(*key).values(values))


def _booking(values: dict[str, Any]) -> ledger.Booking:
    move = StockMove(
        sku=values["sku"],
        quantity=values["quantity"],
        source_id=values["source_id"],
        target_id=values["target_id"],
        serial=values["serial"],
    )
    return ledger.Booking(
        moves=[move],
        cause=values["cause"],
        at=values["at"],
        work_order_id=values["work_order_id"],
        first_line=values["line"],
    )


def _value(table: Table, column: str, told: Any) -> Any:
    kind = table.c[column].type.python_type
    return msgspec.convert(told, kind, strict=False) if told is not None and kind in _SPELT else told


_SPELT = (UUID, datetime, date)
"""Types that JSON spells as text."""


# --- comparing ----------------------------------------------------------------------------------------------


def compare(live: Database, fresh: Database) -> list[TableReport]:
    """Every table of COMPARED, row by row, whatever their order."""
    with live.read() as one, fresh.read() as other:
        start = one.scalar(
            select(EntryRow.number).where(EntryRow.opening).order_by(EntryRow.number.desc()).limit(1)
        )
        tables = [Base.metadata.tables[name] for name in COMPARED if name in Base.metadata.tables]
        return [_compare(one, other, table, start or 0) for table in tables]


def _compare(one: Session, other: Session, table: Table, start: int) -> TableReport:
    live, replayed = _rows(one, table, start), _rows(other, table, 0)
    only = [f"live: {row}" for row in sorted(set(live) - set(replayed))[:3]]
    only += [f"replayed: {row}" for row in sorted(set(replayed) - set(live))[:3]]
    return TableReport(
        name=table.name,
        rows=len(live),
        live=_hash(live),
        replayed=_hash(replayed),
        differences=tuple(only),
    )


def _rows(session: Session, table: Table, start: int) -> list[str]:
    """Rows as canonical JSON, sorted. Commands before the opening are not in this log."""
    left_out = NOT_REBUILT.get(table.name, frozenset())
    columns = [column for column in table.columns if column.name not in left_out]
    query = select(*columns)
    if table.name == "command":
        query = query.where(table.c.number >= start)
    elif table.name == EvidenceRow.__tablename__ and start:
        query = query.where(false())  # what was named before the opening is not in this log
    return sorted(
        msgspec.json.encode(dict(row._mapping), order="sorted").decode() for row in session.execute(query)
    )


def _hash(rows: Sequence[str]) -> str:
    return sha256("\n".join(rows).encode()).hexdigest()
