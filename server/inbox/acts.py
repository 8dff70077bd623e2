"""What a dispatcher does about held work. Each act is one transaction, done once, by a named person.

Raises Problem, and then nothing has moved: NotFound, AlreadyClosed when somebody was quicker, or what the
rules still forbid.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from server.clock import utc_now
from server.db import feed
from server.db.engine import Database
from server.db.feed_models import CommandRow
from server.inbox.booking import Done, Way, book_in_place_of, charge_call_out
from server.inbox.edits import canonical, changes_in_words
from server.inbox.reading import command_of, corrected, devices_of, named_order, sender_of
from server.inbox.waiting import as_done
from server.settings import Settings
from shared.commands import FieldCommand
from shared.problems import AlreadyClosed, BadValue, Conflict, NotFound, Problem, ServerFault
from shared.stock_commands import CountVan, StockCommand
from sync.server.ports import Clash

_log = logging.getLogger(__name__)

Resolution = Literal["accepted", "corrected", "dismissed"]
REASON_LENGTH_MAX = 500
TOPICS: dict[Resolution, str] = {
    "accepted": "HeldCommandAccepted",
    "corrected": "HeldCommandCorrected",
    "dismissed": "HeldCommandDismissed",
}
IN_WORDS: dict[str | None, str] = {
    "accepted": "booked it",
    "corrected": "corrected and booked it",
    "dismissed": "set it aside",
}
WAYS: dict[Way, str] = {
    "as_it_is": "",
    "reopen": "",
    "report": "beside the work that stands",
    "agreed": "",
}
"""What its technician reads besides that it was booked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """One decision. `booked_as`: the command that was booked in its place."""

    command_id: UUID
    resolution: Resolution
    detail: str
    by: str
    at: datetime
    booked_as: UUID | None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRuled:
    """What became of a visit's held commands: `booked` in order; `stopped_at` still does not fit, `why`."""

    booked: tuple[UUID, ...]
    left: int
    stopped_at: UUID | None = None
    why: str | None = None


def accept(
    database: Database, settings: Settings, command_id: UUID, by: str, *, way: Way = "as_it_is"
) -> Ruled:
    """Book it as it came. The rules must allow it by now, or the table of conflicts in this `way`."""
    with writing(database) as session:
        held = _claim(session, command_id, by)
        command = command_of(held)
        ways = ("as_it_is", "agreed") if isinstance(command, CountVan) else ("as_it_is",)
        if isinstance(command, StockCommand) and way not in ways:
            raise BadValue("That can't be booked so: correct it, or set it aside", field="way")
        return _book(session, settings, held, command, "accepted", "", way=way)


def correct(
    database: Database, settings: Settings, command_id: UUID, by: str, body: dict[str, Any], kind: str | None
) -> Ruled:
    """Book `body` in its place, made for its technician at its time; the original stays whole."""
    with writing(database) as session:
        held = _claim(session, command_id, by)
        command = canonical(corrected(held, kind or held.type, body))
        changes = changes_in_words(held, command)
        if not changes:
            raise BadValue("Nothing was changed. Book it as it is, or change what is wrong", field="body")
        # Whoever corrects a count has looked at how far off it is.
        way: Way = "agreed" if isinstance(command, StockCommand) else "as_it_is"
        return _book(session, settings, held, command, "corrected", changes, way=way)


def dismiss(database: Database, command_id: UUID, by: str, reason: str) -> Ruled:
    """Set it aside, on record and with a reason; nothing is booked."""
    said = one_line(reason)
    if not 1 <= len(said) <= REASON_LENGTH_MAX:
        raise BadValue(
            f"Say why in 1 to {REASON_LENGTH_MAX} letters: its technician reads it", field="reason"
        )
    with writing(database) as session:
        return _rule(session, _claim(session, command_id, by), "dismissed", said)


def call_out_fee(database: Database, settings: Settings, command_id: UUID, by: str) -> list[Ruled]:
    """Bill the drive of this command's visit; all that is held of the visit is set aside with that reason."""
    with writing(database) as session:
        held = [_claim(session, row.id, by) for row in same_visit(session, command_id)]
        if not held:
            _claim(session, command_id, by)  # raises: somebody was quicker
        assert held[0].resolved_at, "it was claimed before"
        done = charge_call_out(session, settings, held[0], by, held[0].resolved_at)
        reason = "the call-out was charged instead"
        return [_rule(session, row, "dismissed", reason, done) for row in held]


def accept_visit(
    database: Database, settings: Settings, command_id: UUID, by: str, *, way: Way = "as_it_is"
) -> VisitRuled:
    """Book all that is held of the same visit, in the device's order, until one still does not fit.

    `way` is taken where the rules forbid one plainly.
    """
    with database.read() as session:
        waiting = same_visit(session, command_id)
    if not waiting:
        accept(database, settings, command_id, by)  # raises: somebody was quicker
    booked: list[UUID] = []
    for row in waiting:
        try:
            accept(database, settings, row.id, by, way=way)
        except Problem as problem:
            left = len(waiting) - len(booked)
            return VisitRuled(booked=tuple(booked), left=left, stopped_at=row.id, why=problem.detail)
        booked.append(row.id)
    return VisitRuled(booked=tuple(booked), left=0)


def dismiss_visit(database: Database, command_id: UUID, by: str, reason: str) -> list[Ruled]:
    """Set aside all that is held of the same visit, with one reason."""
    with database.read() as session:
        waiting = [row.id for row in same_visit(session, command_id)]
    return [dismiss(database, one, by, reason) for one in waiting or [command_id]]


def same_visit(session: Session, command_id: UUID) -> list[CommandRow]:
    """What is still held of this command's visit, in the order in which it was done. Raises NotFound."""
    row = held_row(session, command_id)
    order = named_order(row)
    query = select(CommandRow).where(
        CommandRow.device_id.in_(devices_of(row)),
        CommandRow.outcome == "held",
        CommandRow.resolved_at.is_(None),
    )
    found = session.scalars(query.order_by(CommandRow.seq, CommandRow.decided_at))
    return as_done(
        one for one in found if one.id == row.id or (order is not None and named_order(one) == order)
    )


def one_line(text: str) -> str:
    """As it can be kept and read."""
    return " ".join(text.replace("\x00", " ").encode(errors="replace").decode().split())


@contextmanager
def writing(database: Database) -> Iterator[Session]:
    """A transaction whose failures are sentences: what was held for our own fault may fail again."""
    try:
        with database.write() as session:
            yield session
    except (Problem, OperationalError):
        raise
    except (IntegrityError, Clash) as error:
        raise Conflict(
            "Somebody changed the same thing in this moment. Nothing was booked: look again"
        ) from error
    except Exception as error:
        _log.exception("held work could not be booked")
        raise ServerFault(
            "Our server still can't book this. It stays here; tell who runs the server"
        ) from error


def held_row(session: Session, command_id: UUID) -> CommandRow:
    row = session.get(CommandRow, command_id, populate_existing=True)
    if row is None or row.outcome != "held":
        raise NotFound("Nothing is held under that number", subject=str(command_id))
    return row


def _claim(session: Session, command_id: UUID, by: str) -> CommandRow:
    """The condition in the statement lets one of two dispatchers win; the other is told who."""
    taken = session.scalar(
        update(CommandRow)
        .where(CommandRow.id == command_id, CommandRow.outcome == "held", CommandRow.resolved_at.is_(None))
        .values(resolved_at=utc_now(), resolved_by=by)
        .returning(CommandRow.id)
    )
    row = held_row(session, command_id)
    if taken is None:
        done = IN_WORDS.get(row.resolution, "decided it")
        raise AlreadyClosed(f"{row.resolved_by} has {done} already", subject=str(command_id))
    return row


def _book(
    session: Session,
    settings: Settings,
    held: CommandRow,
    command: FieldCommand,
    resolution: Resolution,
    detail: str,
    *,
    way: Way = "as_it_is",
) -> Ruled:
    assert held.resolved_by and held.resolved_at, "it was claimed before"
    done = book_in_place_of(
        session, settings, held, command, by=held.resolved_by, now=held.resolved_at, way=way
    )
    return _rule(session, held, resolution, detail or WAYS[done.way], done)


def _rule(
    session: Session, held: CommandRow, resolution: Resolution, detail: str, booked: Done | None = None
) -> Ruled:
    """Note the decision and tell the board and the phones of who did the work."""
    assert held.resolved_at and held.resolved_by, "it was claimed before"
    held.resolution, held.resolution_detail = resolution, detail
    held.resolved_as = booked.id if booked else None
    order = named_order(held)
    technician = sender_of(session, held)
    facts: dict[str, Any] = {
        "resolution": resolution,
        "detail": detail,
        "work_order_id": str(order) if order else None,
        "booked_as": str(booked.id) if booked else None,
    }
    told = [([feed.BOARD], "command", facts)]
    if technician:
        told.append(([feed.technician_scope(technician)], "ruling", {}))
    for scopes, kind, more in told:
        feed.append(
            session,
            scopes,
            kind,
            held.id,
            TOPICS[resolution],
            at=held.resolved_at,
            actor=held.resolved_by,
            facts=more,
        )
    return Ruled(
        command_id=held.id,
        resolution=resolution,
        detail=detail,
        by=held.resolved_by,
        at=held.resolved_at,
        booked_as=held.resolved_as,
        remarks=booked.remarks if booked else (),
    )
