"""What is held: one line for each command, those of one visit together, the oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from typing import Any, Literal, TypedDict, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from server.access.models import DeviceRow
from server.customers.models import CustomerRow
from server.db.feed_models import CommandRow
from server.dispatch.meaning import in_words
from server.dispatch.models import TechnicianRow
from server.inbox.models import FollowUpRow
from server.inbox.reading import named_order, readable
from server.work_orders.models import WorkOrderRow
from shared.problems import every_problem

OVERDUE = timedelta(hours=4)
"""Held for longer than this, somebody should be told."""

State = Literal["open", "decided"]
Show = Literal["all", "held", "asks"]


class Narrowed(TypedDict):
    """Which of them, and which page of those."""

    state: State
    technician_id: UUID | None
    reason: str | None
    work_order_id: UUID | None
    overdue: bool
    limit: int
    offset: int


TITLES = {problem.slug: (problem.__doc__ or problem.slug).splitlines()[0] for problem in every_problem()}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """One held command. `wanted`: what its sender meant, to go after "wanted to".

    `happened_at` is corrected for the phone's clock, `made_at` is not; `held_at` is by ours. `reason` says in
    general what `detail` says of this case. From `resolution` on: None while it is open.
    """

    id: UUID
    technician_id: UUID | None
    technician: str
    device_id: UUID | None
    seq: int
    work_order_id: UUID | None
    number: str | None
    customer: str | None
    type: str
    wanted: str
    readable: bool
    slug: str
    reason: str
    detail: str
    happened_at: datetime
    made_at: datetime
    held_at: datetime
    overdue: bool
    resolution: str | None
    resolution_detail: str | None
    resolved_by: str | None
    resolved_at: datetime | None
    resolved_as: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCounts:
    """`overdue` of the `open` ones have waited for more than four hours; the first came at `oldest_at`.

    `open` is `held` commands and `asks`: questions that booked work has raised.
    """

    open: int
    overdue: int
    oldest_at: datetime | None
    held: int
    asks: int


def held_counts(session: Session, now: datetime) -> OpenCounts:
    """About held commands alone."""
    late = func.count().filter(CommandRow.decided_at <= now - OVERDUE)
    found = session.execute(select(func.count(), late, func.min(CommandRow.decided_at)).where(*_open())).one()
    return OpenCounts(open=found[0], overdue=found[1], oldest_at=found[2], held=found[0], asks=0)


def _open() -> tuple[ColumnElement[bool], ...]:
    return CommandRow.outcome == "held", CommandRow.resolved_at.is_(None)


def lines(
    session: Session,
    now: datetime,
    *,
    state: State = "open",
    technician_id: UUID | None = None,
    reason: str | None = None,
    work_order_id: UUID | None = None,
    overdue: bool = False,
    limit: int = 200,
    offset: int = 0,
) -> list[HeldLine]:
    """Open ones by when they came, the oldest first; decided ones by when they were, the newest first."""
    conditions: list[ColumnElement[bool]] = [CommandRow.outcome == "held"]
    order: tuple[Any, ...]
    if state == "open":
        conditions.append(CommandRow.resolved_at.is_(None))
        order = (CommandRow.decided_at, CommandRow.device_id, CommandRow.seq, CommandRow.id)
    else:
        conditions.append(CommandRow.resolved_at.is_not(None))
        order = (CommandRow.resolved_at.desc(), CommandRow.device_id, CommandRow.seq.desc(), CommandRow.id)
    if technician_id is not None:
        conditions.append(DeviceRow.technician_id == technician_id)
    if reason is not None:
        conditions.append(CommandRow.slug == reason)
    if overdue:
        conditions.append(CommandRow.decided_at <= now - OVERDUE)
    if work_order_id is not None:
        named = CommandRow.body.contains(str(work_order_id), autoescape=True)
        conditions.append(or_(CommandRow.work_order_id == work_order_id, named))
    query = select(CommandRow).outerjoin(DeviceRow, DeviceRow.id == CommandRow.device_id)
    rows = session.scalars(query.where(*conditions).order_by(*order).limit(limit).offset(offset)).all()
    return lines_of(session, rows, now)


def lines_of(session: Session, rows: Sequence[CommandRow], now: datetime) -> list[HeldLine]:
    orders = _orders(session, {order for row in rows if (order := named_order(row))})
    senders = _senders(session, {row.device_id for row in rows if row.device_id})
    return [_line(row, orders, senders, now) for row in rows]


def _orders(session: Session, ids: set[UUID]) -> dict[UUID, tuple[str, str]]:
    query = (
        select(WorkOrderRow.id, WorkOrderRow.number, CustomerRow.name)
        .join(CustomerRow, CustomerRow.id == WorkOrderRow.customer_id)
        .where(WorkOrderRow.id.in_(ids))
    )
    return {id: (number, customer) for id, number, customer in session.execute(query)} if ids else {}


def _senders(session: Session, devices: set[UUID]) -> dict[UUID, tuple[UUID, str]]:
    query = (
        select(DeviceRow.id, TechnicianRow.id, TechnicianRow.name)
        .join(TechnicianRow, TechnicianRow.id == DeviceRow.technician_id)
        .where(DeviceRow.id.in_(devices))
    )
    return {device: (id, name) for device, id, name in session.execute(query)} if devices else {}


def _line(
    row: CommandRow,
    orders: dict[UUID, tuple[str, str]],
    senders: dict[UUID, tuple[UUID, str]],
    now: datetime,
) -> HeldLine:
    order = named_order(row)
    number, customer = orders.get(order, (None, None)) if order else (None, None)
    technician_id, technician = senders.get(row.device_id, (None, row.actor)) if row.device_id else (None, "")
    return HeldLine(
        id=row.id,
        technician_id=technician_id,
        technician=technician or row.actor,
        device_id=row.device_id,
        seq=row.seq,
        work_order_id=order if number else None,
        number=number,
        customer=customer,
        type=row.type,
        wanted=in_words(row.type, row.body),
        readable=readable(row) is not None,
        slug=row.slug or "problem",
        reason=TITLES.get(row.slug or "", "It could not be booked."),
        detail=row.detail or "",
        happened_at=row.happened_at,
        made_at=row.made_at,
        held_at=row.decided_at,
        overdue=row.resolved_at is None and row.decided_at <= now - OVERDUE,
        resolution=row.resolution if row.resolved_at else None,
        resolution_detail=row.resolution_detail,
        resolved_by=row.resolved_by,
        resolved_at=row.resolved_at,
        resolved_as=row.resolved_as,
    )


def reasons(session: Session) -> list[tuple[str, str, int]]:
    """(slug, in general words, how many are open), the most frequent first."""
    many = func.count()
    query = select(CommandRow.slug, many).where(*_open()).group_by(CommandRow.slug)
    found = session.execute(query.order_by(many.desc(), CommandRow.slug))
    return [(slug or "problem", TITLES.get(slug or "", ""), count) for slug, count in found]


def senders(session: Session) -> list[tuple[UUID, str]]:
    """Technicians with something open, by name."""
    asking = select(FollowUpRow.command_id).where(FollowUpRow.done_at.is_(None))
    query = (
        select(TechnicianRow.id, TechnicianRow.name)
        .join(DeviceRow, DeviceRow.technician_id == TechnicianRow.id)
        .join(CommandRow, CommandRow.device_id == DeviceRow.id)
        .where(or_(and_(*_open()), CommandRow.id.in_(asking)))
        .distinct()
        .order_by(TechnicianRow.name, TechnicianRow.id)
    )
    return [(id, name) for id, name in session.execute(query)]


One = TypeVar("One", HeldLine, CommandRow)


def by_visit(found: Sequence[HeldLine]) -> list[list[HeldLine]]:
    """Lines of one technician about one job together, on however many devices; the rest alone."""
    visits: dict[tuple[UUID | None, UUID] | UUID, list[HeldLine]] = {}
    for line in found:
        key = (line.technician_id or line.device_id, line.work_order_id) if line.work_order_id else line.id
        visits.setdefault(key, []).append(line)
    return [as_done(visit) for visit in visits.values()]


def as_done(found: Iterable[One]) -> list[One]:
    """In the order in which it was done: each device's own, and between devices by corrected time."""
    devices: dict[UUID | None, list[One]] = {}
    for one in found:
        devices.setdefault(one.device_id, []).append(one)
    own = [sorted(device, key=lambda one: one.seq) for device in devices.values()]
    return list(merge(*own, key=lambda one: one.happened_at))
