"""The day's drives as lines on the map: GeoJSON, one feature a technician, along the roads."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.customers.models import ServiceLocationRow
from server.dispatch.board import day_bounds, of_day
from server.dispatch.models import TechnicianRow
from server.dispatch.roads import Point, TravelTimes, line
from server.settings import Settings
from server.work_orders.models import WorkOrderRow
from shared.work_orders import WorkOrderState

LATE = datetime.max.replace(tzinfo=UTC)


def route_lines(session: Session, settings: Settings, day: date, travel: TravelTimes) -> dict[str, Any]:
    """A FeatureCollection. A technician without visits has no line; `estimated` means straight lines."""
    start, end = day_bounds(day, settings.zone)
    query = (
        select(WorkOrderRow, ServiceLocationRow.lon, ServiceLocationRow.lat)
        .join(ServiceLocationRow, ServiceLocationRow.id == WorkOrderRow.location_id)
        .where(
            of_day(start, end),
            WorkOrderRow.technician_id.is_not(None),
            WorkOrderRow.state != WorkOrderState.CANCELLED,
        )
    )
    stops: dict[UUID | None, list[tuple[tuple[datetime, int], str, Point]]] = defaultdict(list)
    for row, lon, lat in session.execute(query):
        stops[row.technician_id].append((_order(row), str(row.id), (lon, lat)))
    people = session.scalars(select(TechnicianRow).where(TechnicianRow.active).order_by(TechnicianRow.name))
    return {
        "type": "FeatureCollection",
        "roads": travel.name,
        "estimated": travel.estimated,
        "features": [_feature(one, sorted(stops[one.id]), travel) for one in people if stops.get(one.id)],
    }


def _order(row: WorkOrderRow) -> tuple[datetime, int]:
    """What has begun comes first, as it happened; then the plan."""
    moment = row.arrived_at or row.travel_started_at or row.finished_at or row.planned_start or LATE
    return moment, row.route_position or 0


def _feature(
    technician: TechnicianRow,
    stops: list[tuple[tuple[datetime, int], str, Point]],
    travel: TravelTimes,
) -> dict[str, Any]:
    places: list[Point] = [
        (technician.start_lon, technician.start_lat),
        *(place for _, _, place in stops),
        (technician.end_lon, technician.end_lat),
    ]
    drawn: list[Point] = [places[0]]
    for here, there in itertools.pairwise(places):
        drawn += line(travel, here, there)[1:]
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[lon, lat] for lon, lat in drawn]},
        "properties": {
            "technician_id": str(technician.id),
            "technician": technician.name,
            "work_order_ids": [work_order_id for _, work_order_id, _ in stops],
        },
    }
