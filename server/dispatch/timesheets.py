"""Who travelled, worked and paused when, day by day, with both values of what was corrected."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.access.models import DeviceRow
from server.db.feed_models import CommandRow
from server.dispatch.board import day_bounds
from server.dispatch.models import TechnicianRow
from server.work_orders import repository
from server.work_orders.models import WorkOrderRow
from shared.commands import (
    Arrive,
    CannotComplete,
    CloseWorkOrder,
    CorrectTime,
    PauseWork,
    ResumeWork,
    StartTravel,
    tag_of,
)
from shared.time_rules import FARTHEST
from shared.timesheet import Activity, Stretch, day_sheet, recorded, visits_of
from shared.work_orders import TimePoint, WorkOrder, WorkOrderState

TIMED = tuple(
    tag_of(kind)
    for kind in (StartTravel, Arrive, PauseWork, ResumeWork, CloseWorkOrder, CannotComplete, CorrectTime)
)
UNDER_WAY = [state.value for state in WorkOrderState if state.is_under_way]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedTime:
    """`recorded` stays; the newest `value` of a point is the one that counts in the sheet."""

    work_order_id: UUID
    number: str
    point: TimePoint
    recorded: datetime
    value: datetime
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Timesheet:
    """One technician's day, in whole minutes. `corrections`: of all visits that it shows."""

    technician_id: UUID
    technician: str
    day: date
    stretches: tuple[Stretch, ...]
    travel_minutes: int
    work_minutes: int
    pause_minutes: int
    corrections: tuple[CorrectedTime, ...]


def timesheets(
    session: Session, day: date, zone: ZoneInfo, now: datetime, technician_id: UUID | None = None
) -> list[Timesheet]:
    """Of everybody who was out on `day`, by name, or of one technician. Raises BadValue."""
    people = {id: name for id, name in session.execute(select(TechnicianRow.id, TechnicianRow.name))}
    visited = _visited(session, day, zone, technician_id)
    orders = {order.id: order for order in repository.load(session, set().union(*visited.values()))}
    sheets = [
        _sheet(who, people[who], [orders[id] for id in ids if id in orders], day, zone, now)
        for who, ids in visited.items()
    ]
    return sorted(
        (one for one in sheets if one.stretches), key=lambda one: (one.technician, one.technician_id)
    )


def _visited(
    session: Session, day: date, zone: ZoneInfo, technician_id: UUID | None
) -> dict[UUID, set[UUID]]:
    """Technician → jobs that may have time of theirs on `day`: by what they tapped, and what goes on."""
    begin, end = day_bounds(day, zone)
    tapped = (
        select(DeviceRow.technician_id, CommandRow.work_order_id)
        .join(DeviceRow, DeviceRow.id == CommandRow.device_id)
        .where(
            CommandRow.type.in_(TIMED),
            CommandRow.outcome == "accepted",
            CommandRow.happened_at >= begin - FARTHEST,  # a correction reaches so far
            CommandRow.happened_at < end + FARTHEST + timedelta(minutes=1),
            CommandRow.work_order_id.is_not(None),
        )
        .distinct()
    )
    going = select(WorkOrderRow.technician_id, WorkOrderRow.id).where(
        WorkOrderRow.state.in_(UNDER_WAY),
        or_(WorkOrderRow.arrived_at < end, WorkOrderRow.travel_started_at < end),
    )
    if technician_id is not None:
        tapped = tapped.where(DeviceRow.technician_id == technician_id)
        going = going.where(WorkOrderRow.technician_id == technician_id)
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for query in (tapped, going):
        for who, order_id in session.execute(query):
            found[who].add(order_id)
    return found


def _sheet(
    technician_id: UUID, name: str, orders: list[WorkOrder], day: date, zone: ZoneInfo, now: datetime
) -> Timesheet:
    sheet = day_sheet(orders, technician_id, day, zone, now)
    shown = {one.work_order_id for one in sheet.stretches}
    said = [
        CorrectedTime(
            work_order_id=order.id,
            number=order.number,
            point=one.point,
            recorded=first,
            value=one.value,
            reason=one.reason,
            at=one.at,
        )
        for order in orders
        if order.id in shown
        for times in visits_of(order, technician_id)
        for one in times.corrections
        if (first := recorded(times, one.point, one.pause)) is not None
    ]
    return Timesheet(
        technician_id=technician_id,
        technician=name,
        day=day,
        stretches=sheet.stretches,
        travel_minutes=sheet.minutes(Activity.TRAVEL),
        work_minutes=sheet.minutes(Activity.WORK),
        pause_minutes=sheet.minutes(Activity.PAUSE),
        corrections=tuple(sorted(said, key=lambda one: one.at)),
    )
