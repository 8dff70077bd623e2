"""Helpers for tests that plan a Monday of Ana's and Ben's: times on its clocks, orders, changed rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from world import Job, World

from server.dispatch.models import TechnicianRow
from server.work_orders.models import WorkOrderRow
from shared.work_orders import WorkOrderKind, WorkOrderState

DAY = date(2026, 11, 16)
DAWN = datetime(2026, 11, 16, 4, 0, tzinfo=UTC)  # 06:00 in Helsinki


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    """A time on the clocks of Helsinki, in winter."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - timedelta(hours=2)


def an_order(world: World, **columns: Any) -> Job:
    """An unassigned repair of 90 minutes that needs no equipment; `columns` of its row override."""
    wishes = {"required_equipment": (), "required_parts": ()} | columns.pop("requirements", {})
    job = world.order(WorkOrderKind.REPAIR, reserve=False, **wishes)
    fresh = {
        "state": WorkOrderState.UNASSIGNED, "technician_id": None, "planned_start": None, "planned_end": None,
        "travel_minutes": 0, "route_position": None, "window_start": None, "window_end": None,
        "sla_due_at": None,
    }  # fmt: skip
    change(world, job, **fresh | columns)
    return job


def change(world: World, job: Job, **columns: Any) -> None:
    with world.database.write() as session:
        session.execute(update(WorkOrderRow).where(WorkOrderRow.id == job.id).values(**columns))


def change_technician(world: World, technician_id: UUID, **columns: Any) -> None:
    with world.database.write() as session:
        session.execute(update(TechnicianRow).where(TechnicianRow.id == technician_id).values(**columns))


def only_ana(world: World, **columns: Any) -> None:
    change_technician(world, world.ben.technician_id, active=False)
    if columns:
        change_technician(world, world.ana.technician_id, **columns)
