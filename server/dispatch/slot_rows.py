"""Held time slots as rows: which of them live, and as jobs that take their place in the day's request."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from server.customers.models import ServiceLocationRow
from server.dispatch.day_clock import DayClock
from server.dispatch.slot_models import SlotHoldRow
from server.work_orders.models import WorkOrderRow
from shared.skills import SkillNeed
from shared.windows import TimeWindow
from shared.work_orders import (
    Contact,
    EquipmentNeed,
    PartLine,
    Place,
    ServiceCard,
    ServiceState,
    WorkOrder,
    WorkOrderKind,
    WorkOrderState,
)

PLANNING_LOCK = 0x7472  # first key of PostgreSQL's advisory lock; the second is the day


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a visit asks of who goes there, as far as the scheduler weighs it."""

    minutes: int
    required_skills: tuple[SkillNeed, ...] = ()
    required_equipment: tuple[EquipmentNeed, ...] = ()
    required_parts: tuple[PartLine, ...] = ()
    kind: WorkOrderKind = WorkOrderKind.REPAIR

    @classmethod
    def of(cls, order: WorkOrder) -> Needs:
        return cls(
            minutes=order.expected_minutes,
            required_skills=order.required_skills,
            required_equipment=order.required_equipment,
            required_parts=order.required_parts,
            kind=order.kind,
        )


def lock_day(session: Session, day: date) -> None:
    """Whoever gives the day's time away waits here: plans and bookings. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(PLANNING_LOCK, day.toordinal())))


def living(now: datetime) -> ColumnElement[bool]:
    row = SlotHoldRow
    return and_(row.confirmed_at.is_(None), row.given_back_at.is_(None), row.expires_at > now)


def holds(session: Session, day: date, now: datetime, *, but_for: UUID | None = None) -> list[SlotHoldRow]:
    """What is held of `day`, oldest first, but for what is held for one order."""
    row = SlotHoldRow
    others = or_(row.work_order_id.is_(None), row.work_order_id != but_for) if but_for else None
    query = select(row).where(row.day == day, living(now)).order_by(row.held_at, row.id)
    return list(session.scalars(query if others is None else query.where(others)))


def as_orders(session: Session, rows: Sequence[SlotHoldRow]) -> list[WorkOrder]:
    """Held slots as planned visits: so whoever looks for a place sees them taken."""
    ids = {row.location_id for row in rows}
    query = select(ServiceLocationRow).where(ServiceLocationRow.id.in_(ids))
    places = {place.id: place for place in session.scalars(query)} if ids else {}
    return [_held(row, places[row.location_id]) for row in rows]


def _held(row: SlotHoldRow, place: ServiceLocationRow) -> WorkOrder:
    needs = msgspec.convert(row.needs, Needs)
    return a_visit(
        needs,
        place,
        id=row.id,
        number=name_of(row.id),
        priority=1,  # nobody is offered to push it out
        state=WorkOrderState.ASSIGNED,
        window=TimeWindow(row.window_start, row.window_end),
        technician_id=row.technician_id,
        planned_start=row.starts_at,
        planned_end=row.starts_at + timedelta(minutes=needs.minutes),
        travel_minutes=row.travel_minutes,
    )


def name_of(hold_id: UUID) -> str:
    return f"a slot held ({hold_id.hex})"


def a_visit(needs: Needs, place: ServiceLocationRow | Place, **values: Any) -> WorkOrder:
    """A visit that is no work order yet, as the planner reads one."""
    return WorkOrder(
        **{
            "kind": needs.kind,
            "state": WorkOrderState.UNASSIGNED,
            "priority": 3,
            "contact": Contact(customer_id=place.id, name="", phone=""),
            "place": Place(
                id=place.id,
                street=place.street,
                house_number=place.house_number,
                postcode=place.postcode,
                city=place.city,
                lat=place.lat,
                lon=place.lon,
            ),
            "service": ServiceCard(
                id=place.id, state=ServiceState.ACTIVE, plan_code="", plan_name="", down_mbps=0
            ),
            "summary": "",
            "expected_minutes": needs.minutes,
            "required_skills": needs.required_skills,
            "required_equipment": needs.required_equipment,
            "required_parts": needs.required_parts,
            **values,
        }
    )


def confirmed_places(session: Session, day: date) -> Mapping[UUID, tuple[UUID, datetime]]:
    """Work order → (technician, start) of bookings for which no plan has found another place yet."""
    row, order = SlotHoldRow, WorkOrderRow
    query = (
        select(order.id, row.technician_id, row.starts_at)
        .join(order, order.id == row.work_order_id)
        .where(row.day == day, row.confirmed_at.is_not(None), order.state == WorkOrderState.UNASSIGNED)
        .where(order.window_start == row.window_start, order.window_end == row.window_end)
        .order_by(row.confirmed_at)
    )
    return {id: (technician, start) for id, technician, start in session.execute(query)}


def held_meanwhile(session: Session, day: date, seen: Collection[UUID], now: datetime) -> bool:
    """Whether somebody holds a slot of `day` that is not among `seen`, or one of these was confirmed."""
    row = SlotHoldRow
    confirmed = select(row.id).where(row.id.in_(seen), row.confirmed_at.is_not(None)).limit(1)
    if seen and session.scalar(confirmed) is not None:
        return True
    return any(row.id not in seen for row in holds(session, day, now))


def follow(session: Session, clock: DayClock, placed: Mapping[UUID, tuple[UUID, int, int]]) -> None:
    """A plan has found other places for held slots: hold → (technician, minute, minutes of travel)."""
    if not placed:
        return
    for row in session.scalars(select(SlotHoldRow).where(SlotHoldRow.id.in_(placed))):
        row.technician_id, minute, row.travel_minutes = placed[row.id]
        row.starts_at, row.delays = clock.instant(minute), []
