"""Held work as a dispatcher looks at it: a visit at a time, with both values and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.db.feed_models import CommandRow
from server.dispatch.models import TechnicianRow
from server.inbox.acts import held_row
from server.inbox.edits import Field, form_of
from server.inbox.facing import Facing, Reader, facing, facing_network, facing_van, the_job
from server.inbox.forecast import Outlook, outlook
from server.inbox.proposals import Offer, offers
from server.inbox.reading import devices_of, fields_of, named_order, readable
from server.inbox.waiting import HeldLine, as_done, by_visit, lines_of
from server.stock.models import ProductRow
from server.work_orders import repository
from shared.commands import CancelWorkOrder, DeleteWorkOrder, tag_of
from shared.network_faults import NetworkCommand
from shared.problems import Problem
from shared.stock_commands import StockCommand
from shared.work_orders import EvidenceRef, WorkOrder

VISIT_ENDS = frozenset({"close_work_order", "cannot_complete"})
"""Commands that move stock and money."""
CALLS_OFF = (tag_of(CancelWorkOrder), tag_of(DeleteWorkOrder))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One held command. `forbids`: what stands in its way now, None where nothing does any more."""

    line: HeldLine
    both: tuple[Facing, ...]
    forbids: str | None
    offers: tuple[Offer, ...]
    form: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What one technician sent about one job and is held. `first`: the one that holds up the rest.

    `stands`: where the job stands now. `fitting`: how many fit before `first`. `closes`: one ends the visit.
    """

    key: UUID
    technician: str
    number: str | None
    customer: str | None
    work_order_id: UUID | None
    stands: str
    parts: tuple[Item, ...]
    first: Item
    fits: bool
    fitting: int
    closes: bool
    overdue: bool
    held_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One command of the same visit: what was wanted, how it was answered, what should be noticed."""

    id: UUID
    at: datetime
    who: str
    wanted: str
    outcome: str
    detail: str | None
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """Everything about one held command. `raw`: the content as it came; `order`: the job as it stands."""

    visit: Visit
    item: Item
    raw: str
    order: WorkOrder | None
    said: tuple[Said, ...]
    evidence: tuple[EvidenceRef, ...]
    held_evidence: tuple[str, ...]


def visits(session: Session, found: Sequence[HeldLine], zone: tzinfo, now: datetime) -> list[Visit]:
    """`found` grouped by visit and judged by the rules as of this snapshot."""
    groups = by_visit(found)
    ids = [line.id for group in groups for line in group]
    rows = {row.id: row for row in session.scalars(select(CommandRow).where(CommandRow.id.in_(ids)))}
    orders = {line.work_order_id for line in found if line.work_order_id}
    reader, models = reader_of(session, orders, zone, now), _models(session)
    return [_visit(session, group, rows, reader, models) for group in groups]


def reader_of(session: Session, orders: Iterable[UUID], zone: tzinfo, now: datetime) -> Reader:
    people = {id: name for id, name in session.execute(select(TechnicianRow.id, TechnicianRow.name))}
    query = (
        select(CommandRow.work_order_id, CommandRow.actor, CommandRow.body)
        .where(
            CommandRow.work_order_id.in_(list(orders)),
            CommandRow.type.in_(CALLS_OFF),
            CommandRow.outcome == "accepted",
        )
        .order_by(CommandRow.number)
    )
    called_off = {
        order: f" by {actor}: {fields_of(body).get('reason', '')}".removesuffix(": ")
        for order, actor, body in session.execute(query)
        if order
    }
    return Reader(people=people, called_off=called_off, zone=zone, now=now)


def _models(session: Session) -> list[tuple[str, str]]:
    query = select(ProductRow.sku, ProductRow.name).order_by(ProductRow.name, ProductRow.sku)
    return [(sku, f"{name} ({sku})") for sku, name in session.execute(query)]


def _visit(
    session: Session,
    group: Sequence[HeldLine],
    rows: dict[UUID, CommandRow],
    reader: Reader,
    models: list[tuple[str, str]],
) -> Visit:
    held = [rows[line.id] for line in group]
    seen = outlook(session, held)
    items = tuple(_item(line, rows[line.id], seen, reader, models) for line in group)
    first = next((item for item in items if item.forbids), items[0])
    return Visit(
        key=group[0].id,
        technician=group[0].technician,
        number=group[0].number,
        customer=group[0].customer,
        work_order_id=group[0].work_order_id,
        stands=_stands(seen, reader),
        parts=items,
        first=first,
        fits=seen.fits,
        fitting=items.index(first) if first.forbids else len(items),
        closes=any(line.type in VISIT_ENDS for line in group),
        overdue=any(line.overdue for line in group),
        held_at=min(line.held_at for line in group),
    )


def _stands(seen: Outlook, reader: Reader) -> str:
    if seen.van:
        return f"It is about {seen.van.van_name}."
    if seen.cabinet:
        return f"It is about cabinet {seen.cabinet.name}."
    return the_job(seen.now.order, reader) if seen.now else "There is no such job."


def _item(
    line: HeldLine, row: CommandRow, seen: Outlook, reader: Reader, models: list[tuple[str, str]]
) -> Item:
    command, problem = readable(row), seen.forbids[line.id]
    both: tuple[Facing, ...] = ()
    if isinstance(command, StockCommand):
        both = facing_van(command, row.happened_at, seen.van, reader) if seen.van else ()
    elif isinstance(command, NetworkCommand):
        both = facing_network(command, row.happened_at, seen.cabinet, reader) if seen.cabinet else ()
    elif command is not None and seen.now is not None:
        both = facing(command, row.happened_at, seen.now, reader)
    open_ = line.resolution is None
    return Item(
        line=line,
        both=both,
        forbids=_sentence(problem),
        offers=offers(problem.slug if problem else "", fits=problem is None, readable=command is not None)
        if open_
        else (),
        form=form_of(row, command is not None, seen.now.order if seen.now else None, models),
    )


def _sentence(problem: Problem | None) -> str | None:
    return problem.detail if problem else None


def detail(session: Session, command_id: UUID, zone: tzinfo, now: datetime) -> Detail:
    """Raises NotFound."""
    row = held_row(session, command_id)
    order_id = named_order(row)
    orders = repository.load(session, [order_id]) if order_id else []
    of_visit = _of_visit(session, row, order_id)
    waiting = [one for one in of_visit if one.outcome == "held" and (not one.resolved_at or one.id == row.id)]
    found = visits(session, lines_of(session, waiting, now), zone, now)
    visit, item = next((visit, item) for visit in found for item in visit.parts if item.line.id == command_id)
    named = [fields_of(one.body).get("digest") for one in of_visit if one.outcome == "held"]
    return Detail(
        visit=visit,
        item=item,
        raw=row.body,
        order=orders[0] if orders else None,
        said=tuple(
            _said(one, line) for one, line in zip(of_visit, lines_of(session, of_visit, now), strict=True)
        ),
        evidence=orders[0].evidence if orders else (),
        held_evidence=tuple(digest for digest in named if isinstance(digest, str)),
    )


def _of_visit(session: Session, row: CommandRow, order_id: UUID | None) -> list[CommandRow]:
    """Everything that this technician sent about this job, in the order in which it was done."""
    if order_id is None:
        return [row]
    query = select(CommandRow).where(
        CommandRow.device_id.in_(devices_of(row)),
        CommandRow.work_order_id == order_id,
        CommandRow.origin == "field",
    )
    found = as_done(session.scalars(query.order_by(CommandRow.seq, CommandRow.decided_at)))
    return found if any(one.id == row.id for one in found) else [row, *found]


def _said(row: CommandRow, line: HeldLine) -> Said:
    ruled: dict[str | None, str] = {"accepted": "booked", "corrected": "corrected", "dismissed": "set aside"}
    return Said(
        id=row.id,
        at=row.happened_at,
        who=line.technician,
        wanted=line.wanted,
        outcome=ruled.get(row.resolution, row.outcome) if row.resolved_at else row.outcome,
        detail=row.resolution_detail if row.resolved_at else row.detail,
        remarks=tuple(_text(remark) for remark in row.remarks),
    )


def _text(remark: Any) -> str:
    return str(remark.get("detail", "")) if isinstance(remark, dict) else ""
