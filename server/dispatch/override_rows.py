"""What people have decided against plans, as it lies in the database, and what of it holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.dispatch.models import PlanOverrideRow
from server.dispatch.pins import Pin

REASONS = {
    "customer_asked": "customer asked",
    "knows_place": "knows the place",
    "technician_asked": "technician asked",
    "tools_or_parts": "has the tools or parts",
    "urgent": "urgent",
    "other": "another reason",
}


def pins(session: Session, ids: Iterable[UUID]) -> dict[UUID, Pin]:
    """Work order → what holds of it."""
    return {
        row.work_order_id: Pin(technician_id=row.technician_id, start=row.start, words=words_of(row))
        for row in active(session, list(ids))
    }


def active(session: Session, ids: Collection[UUID]) -> list[PlanOverrideRow]:
    """What has not been released of the decisions about these orders."""
    row = PlanOverrideRow
    query = select(row).where(row.work_order_id.in_(ids), row.released_at.is_(None)).order_by(row.made_at)
    return list(session.scalars(query))


def let_go(session: Session, ids: Collection[UUID], *, by: str, now: datetime, why: str) -> None:
    """Something newer was agreed on for these orders: plans keep to what was decided before no more."""
    for row in active(session, ids):
        row.released_at, row.released_by, row.released_why = now, by, why


def words_of(row: PlanOverrideRow) -> str:
    """Who and why, for whoever sees the plan."""
    what = "Pinned" if row.technician_id else "Kept out of the plan"
    said = ", ".join(one for one in (REASONS.get(row.reason, ""), row.note) if one)
    return f"{what} by {row.made_by}{f': {said}' if said else ''}"
