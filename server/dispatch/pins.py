"""Visits that a person has pinned: every plan leaves them with the technician, at the start, or both.

A pin names neither: it holds what the visit has. Who moves a pinned visit by hand moves the pin with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.dispatch.models import PinRow
from server.work_orders.models import WorkOrderRow
from shared.problems import AlreadyClosed, BadValue, NotFound
from shared.work_orders import WorkOrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """What of a visit is pinned, since when and by whom."""

    technician: bool
    start: bool
    pinned_at: datetime
    pinned_by: str


def pins_of(session: Session, work_order_ids: Iterable[UUID]) -> dict[UUID, Pinned]:
    rows = session.scalars(select(PinRow).where(PinRow.work_order_id.in_(list(work_order_ids))))
    return {row.work_order_id: _pinned(row) for row in rows}


def pin(
    session: Session, work_order_id: UUID, *, technician: bool, start: bool, who: str, now: datetime
) -> Pinned | None:
    """Pin a planned visit anew, or with neither let go of it. Raises NotFound, BadValue, AlreadyClosed."""
    order = session.get(WorkOrderRow, work_order_id)
    if order is None:
        raise NotFound("There is no such work order", subject=str(work_order_id))
    before = session.get(PinRow, work_order_id)
    if before is not None:
        session.delete(before)
        session.flush()
    if not technician and not start:
        return None
    if order.state == WorkOrderState.UNASSIGNED:
        raise BadValue(f"{order.number} has no visit to pin; give it to somebody first", field="technician")
    if order.state != WorkOrderState.ASSIGNED:
        raise AlreadyClosed(f"{order.number} has begun or is over", subject=order.number)
    row = PinRow(
        work_order_id=work_order_id, technician=technician, start=start, pinned_at=now, pinned_by=who
    )
    session.add(row)
    session.flush()
    return _pinned(row)


def _pinned(row: PinRow) -> Pinned:
    return Pinned(
        technician=row.technician, start=row.start, pinned_at=row.pinned_at, pinned_by=row.pinned_by
    )
