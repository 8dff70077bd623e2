"""The one place where the inbox meets the road that phones' commands take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server import office
from server.books import Books
from server.clock import mint
from server.db.feed_models import CommandRow
from server.dispatch.models import TechnicianRow
from server.field.unit import CommandUnit
from server.inbox.reading import envelope, named_order, sender_of
from server.settings import Settings
from server.stock.models import StockPlaceRow
from shared.commands import ChargeCallOut, FieldCommand, OfficeCommand, ReopenWorkOrder, VisitCommand
from shared.conflicts import Proposal, conflict_of
from shared.decide import decide, decide_as_report, decide_stock
from shared.network_faults import NetworkCommand, decide_network
from shared.problems import NotFound, Problem
from shared.situation import Situation
from shared.stock_commands import StockCommand
from sync.server.ports import Asked

Way = Literal["as_it_is", "reopen", "report", "agreed"]
"""How held work is booked: by the rules; after giving the job back; beside the work that stands; or although
a count is far off.
"""
OVERRULES: dict[Way, frozenset[Proposal]] = {
    "as_it_is": frozenset(),
    "reopen": frozenset({Proposal.BILL, Proposal.ACCEPT_ANYWAY}),
    "report": frozenset({Proposal.ACCEPT_AS_REPORT}),
    "agreed": frozenset({Proposal.BOOK_COUNT}),
}
"""What the table of conflicts must offer for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was booked. `id`: the command's, in the log. `way`: as it came wherever the rules allow that."""

    id: UUID
    way: Way = "as_it_is"
    remarks: tuple[str, ...] = ()


def book_in_place_of(
    session: Session,
    settings: Settings,
    held: CommandRow,
    command: FieldCommand,
    *,
    by: str,
    now: datetime,
    way: Way = "as_it_is",
) -> Done:
    """Decide `command` now, by the rules and as if its technician had sent it, and book all it causes.

    It happened when `held` happened; `held` stays as it came. A report is marked so in the log, for a replay
    must decide it by the same rule. Raises Problem, and then the caller's transaction must be rolled back.
    """
    technician, van_name = _sender(session, held)
    assert held.device_id is not None, "who sent it has a device"
    books, device_id = Books(session, settings, now), held.device_id
    pushed = envelope(held, mint(), command)
    asked = Asked(pushed=pushed, command=command, problem=None, happened_at=held.happened_at)

    def unit(origin: str) -> CommandUnit:
        return CommandUnit(books, device_id, technician, van_name, {}, {}, origin=origin)

    if isinstance(command, StockCommand):
        counted = unit("agreed" if way == "agreed" else "office")
        van = counted.van(asked, command)
        receipt = counted.accept_stock(asked, van, decide_stock(command, van, held.happened_at))
        books.write()
        return Done(id=pushed.id, way=way, remarks=tuple(remark.detail for remark in receipt.remarks))
    if isinstance(command, NetworkCommand):
        reported = unit("office")
        cabinet = reported.cabinet(asked, command)
        receipt = reported.accept_network(asked, decide_network(command, cabinet, held.happened_at))
        books.write()
        return Done(id=pushed.id, way=way, remarks=tuple(remark.detail for remark in receipt.remarks))
    taken = _needed(way, *unit("office").situation(asked), held.happened_at)
    if taken == "reopen":
        back = ReopenWorkOrder(work_order_id=command.work_order_id, technician_id=technician.id)
        office.decide_all(books, [(mint(), back)], by)
    rule = decide_as_report if taken == "report" else decide
    final = unit("report" if taken == "report" else "office")
    command, before = final.situation(asked)
    receipt = final.accept(asked, command, before, rule(command, before, held.happened_at))
    books.write()
    return Done(id=pushed.id, way=taken, remarks=tuple(remark.detail for remark in receipt.remarks))


def _needed(way: Way, command: VisitCommand, now: Situation, at: datetime) -> Way:
    """`way` where the rules forbid it plainly and the table offers that. Raises what forbids it."""
    if way == "as_it_is":
        return way
    try:
        decide(command, now, at)
    except Problem as problem:
        row = conflict_of(problem.slug)
        if row is None or not OVERRULES[way].intersection(row.proposals):
            raise
        return way
    return "as_it_is"


def charge_call_out(session: Session, settings: Settings, held: CommandRow, by: str, now: datetime) -> Done:
    """Bill the drive of the visit that `held` is of, and no more. Raises Problem."""
    order_id = named_order(held)
    if order_id is None:
        raise NotFound("It names no job that could be billed", subject=str(held.id))
    command: OfficeCommand = ChargeCallOut(work_order_id=order_id)
    books, command_id = Books(session, settings, now), mint()
    office.decide_all(books, [(command_id, command)], by)
    books.write()
    return Done(id=command_id)


def _sender(session: Session, held: CommandRow) -> tuple[TechnicianRow, str]:
    found = session.execute(
        select(TechnicianRow, StockPlaceRow.name)
        .join(StockPlaceRow, StockPlaceRow.id == TechnicianRow.van_id)
        .where(TechnicianRow.id == sender_of(session, held))
    ).one_or_none()
    if found is None:
        raise NotFound("Nobody's device sent this, so nobody can have done it", subject=str(held.id))
    return found[0], found[1]
