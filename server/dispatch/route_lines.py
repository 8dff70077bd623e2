"""The day's drives as lines on the map: GeoJSON, one feature a technician, along the roads."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.customers.models import ServiceLocationRow
from server.dispatch.board import day_bounds, of_day
from server.dispatch.models import TechnicianRow
from server.dispatch.roads import Point, TravelTimes, drawn
from server.settings import Settings
from server.work_orders.models import WorkOrderRow
from shared.work_orders import WorkOrderState

LATE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Round:
    """One technician's day: visits in their order, and every stop from home past them and back."""

    technician_id: UUID
    technician: str
    work_order_ids: tuple[str, ...]
    stops: tuple[Point, ...]


def rounds_of(session: Session, settings: Settings, day: date) -> list[Round]:
    """Who drives where on `day`; nobody without a visit."""
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
    return [_round(one, sorted(stops[one.id])) for one in people if stops.get(one.id)]


def route_lines(rounds: list[Round], travel: TravelTimes) -> dict[str, Any]:
    """A FeatureCollection. `roads`: who drew it; `estimated`: some of it is straight lines, no roads."""
    drives = [drawn(travel, one.stops) for one in rounds]
    return {
        "type": "FeatureCollection",
        "roads": "; ".join(dict.fromkeys(drive.engine for drive in drives)) or travel.name,
        "estimated": any(drive.estimated for drive in drives) if drives else travel.estimated,
        "features": [_feature(one, drive.line) for one, drive in zip(rounds, drives, strict=True)],
    }


def _order(row: WorkOrderRow) -> tuple[datetime, int]:
    """What has begun comes first, as it happened; then the plan."""
    moment = row.arrived_at or row.travel_started_at or row.finished_at or row.planned_start or LATE
    return moment, row.route_position or 0


def _round(technician: TechnicianRow, visits: list[tuple[tuple[datetime, int], str, Point]]) -> Round:
    stops = (
        (technician.start_lon, technician.start_lat),
        *(place for _, _, place in visits),
        (technician.end_lon, technician.end_lat),
    )
    return Round(technician.id, technician.name, tuple(number for _, number, _ in visits), stops)


def _feature(one: Round, line: list[Point]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[lon, lat] for lon, lat in line]},
        "properties": {
            "technician_id": str(one.technician_id),
            "technician": one.technician,
            "work_order_ids": list(one.work_order_ids),
        },
    }
