"""When a customer would like the visit, beside what is promised: kept to where that costs less than not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.db import feed
from server.db.base import Base
from server.work_orders.models import WorkOrderRow
from shared.problems import AlreadyClosed, BadValue, NotFound
from shared.windows import TimeWindow
from shared.work_orders import WorkOrderState


class PreferredRow(Base):
    """The visit would best begin in [starts_at, ends_at): a wish, no promise. One an order."""

    __tablename__ = "preferred_window"
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"), primary_key=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    said_by: Mapped[str]
    said_at: Mapped[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferred:
    """`by`: who wrote it down."""

    start: datetime
    end: datetime
    by: str


def of_orders(session: Session, ids: Collection[UUID]) -> dict[UUID, Preferred]:
    if not ids:
        return {}
    rows = session.scalars(select(PreferredRow).where(PreferredRow.work_order_id.in_(ids)))
    return {
        row.work_order_id: Preferred(start=row.starts_at, end=row.ends_at, by=row.said_by) for row in rows
    }


def prefer(
    session: Session,
    work_order_id: UUID,
    start: datetime | None,
    end: datetime | None,
    *,
    by: str,
    now: datetime,
) -> None:
    """Write a wish down in the place of the former; without both ends there is none any more.

    Raises NotFound, AlreadyClosed for a visit that has begun, and BadValue for a time that is none or over.
    """
    order = session.get(WorkOrderRow, work_order_id, with_for_update=True)
    if order is None:
        raise NotFound("There is no such work order", subject=str(work_order_id))
    if WorkOrderState(order.state) not in (WorkOrderState.UNASSIGNED, WorkOrderState.ASSIGNED):
        raise AlreadyClosed(f"{order.number} has begun or is over", subject=order.number)
    row = session.get(PreferredRow, work_order_id)
    if start is None and end is None:
        if row is not None:
            session.delete(row)
    else:
        window = _window(start, end, now)
        if row is None:
            row = PreferredRow(work_order_id=work_order_id)
            session.add(row)
        row.starts_at, row.ends_at, row.said_by, row.said_at = window.start, window.end, by, now
    session.flush()
    feed.append(session, [feed.BOARD], "work_order", work_order_id, "TimePreferred", at=now, actor=by)


def _window(start: datetime | None, end: datetime | None, now: datetime) -> TimeWindow:
    if start is None or end is None:
        raise BadValue("A preferred time needs both its ends, or neither", field="end")
    try:
        window = TimeWindow(start, end)
    except ValueError as error:
        raise BadValue(f"The preferred time is wrong: {error}", field="end") from error
    if window.end <= now:
        raise BadValue("The preferred time is over already", field="end")
    return window
