"""A dispatcher's hand moves a job: what was meant, as the command that does it."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.customers.models import ServiceLocationRow
from server.dispatch import traffic
from server.dispatch.day_clock import DayClock
from server.dispatch.models import TechnicianRow
from server.work_orders.models import WorkOrderRow
from shared.commands import AssignWorkOrder
from shared.problems import BadValue, NotFound
from shared.work_orders import WorkOrderState

DETOUR = 1.3
KM_PER_HOUR = 40.0
EARTH_KM = 6371.0
REACH = timedelta(hours=14)  # visits further apart belong to different days


def assignment(
    session: Session,
    work_order_id: UUID,
    technician_id: UUID,
    planned_start: datetime,
    zone: ZoneInfo | None = None,
) -> AssignWorkOrder:
    """Give the job to `technician_id` from `planned_start` on, as long as it was going to take.

    Travel is kept as planned when the visit before it is still the same, else estimated as the crow flies, in
    the traffic that is usual in `zone` at that hour.
    """
    if planned_start.tzinfo is None:
        raise BadValue("The start needs a time zone", field="planned_start")
    if not 1900 < planned_start.year < 9000:
        raise BadValue(f"Nobody works in the year {planned_start.year}", field="planned_start")
    order = session.get(WorkOrderRow, work_order_id)
    if order is None:
        raise NotFound("There is no such work order", subject=str(work_order_id))
    technician = session.get(TechnicianRow, technician_id)
    if technician is None or not technician.active:
        raise NotFound("There is no such technician", field="technician_id")
    before = _visit_before(session, order.id, technician_id, planned_start)
    travel = _kept_travel(session, order, technician_id, before)
    if travel is None:
        travel = _estimate(session, order, technician, before)
        if zone is not None:
            arrive = DayClock(planned_start.astimezone(zone).date(), zone).minute(planned_start)
            travel = traffic.on_the_road(traffic.in_force(session).pace, arrive, travel)
    return AssignWorkOrder(
        work_order_id=order.id,
        technician_id=technician_id,
        planned_start=planned_start,
        planned_end=planned_start + _duration(order),
        travel_minutes=travel,
        # The same as its predecessor's: what follows is sorted by time, and no other visit needs renumbering.
        route_position=before.route_position if before else 0,
    )


def _duration(order: WorkOrderRow) -> timedelta:
    if order.planned_start and order.planned_end:
        return order.planned_end - order.planned_start
    return timedelta(minutes=order.expected_minutes)


def _visit_before(
    session: Session, order_id: UUID, technician_id: UUID, start: datetime
) -> WorkOrderRow | None:
    row = WorkOrderRow
    query = (
        select(row)
        .where(row.technician_id == technician_id, row.id != order_id, row.state != WorkOrderState.CANCELLED)
        .where(row.planned_start < start, row.planned_start >= start - REACH)
        .order_by(row.planned_start.desc())
        .limit(1)
    )
    return session.scalar(query)


def _kept_travel(
    session: Session, order: WorkOrderRow, technician_id: UUID, before: WorkOrderRow | None
) -> int | None:
    if order.technician_id != technician_id or order.planned_start is None:
        return None
    was_before = _visit_before(session, order.id, technician_id, order.planned_start)
    return order.travel_minutes if was_before is before else None


def _estimate(
    session: Session, order: WorkOrderRow, technician: TechnicianRow, before: WorkOrderRow | None
) -> int:
    here = session.get_one(ServiceLocationRow, order.location_id)
    there = session.get_one(ServiceLocationRow, before.location_id) if before else None
    lat, lon = (there.lat, there.lon) if there else (technician.start_lat, technician.start_lon)
    return crow_minutes(lat, lon, here.lat, here.lon)


def crow_minutes(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> int:
    """Whole minutes by car between two WGS 84 points: great circle, a third longer, at 40 km/h."""
    a, b = math.radians(lat_a), math.radians(lat_b)
    half_lat, half_lon = (b - a) / 2, math.radians(lon_b - lon_a) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(a) * math.cos(b) * math.sin(half_lon) ** 2
    km = 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(chord)))
    return math.ceil(km * DETOUR / KM_PER_HOUR * 60)
