"""Requests for parts: rows ↔ shared.part_requests.PartRequest, and who is shown them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from server.dispatch.models import TechnicianRow
from server.stock.models import PartRequestRow, StockPlaceRow
from server.work_orders.models import WorkOrderRow
from shared.assets import HolderKind
from shared.part_requests import PartRequest, PartRequestState

KIND = "part_request"
"""Of rows and feed entries; the key is the request's id."""

SHOWN = timedelta(days=3)
"""So long after it was closed a request is still on the phones of both."""

Pair = tuple[UUID, UUID]
"""(asker, holder)."""


def lock(
    session: Session, ids: Collection[UUID], pairs: Collection[Pair]
) -> dict[UUID, tuple[PartRequestRow, PartRequest]]:
    """Those of `ids`, and the open ones of each of `pairs`, locked in one order."""
    if not (ids or pairs):
        return {}
    query = select(PartRequestRow).where(_wanted(ids, pairs)).order_by(PartRequestRow.id)
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return {row.id: (row, value_of(row)) for row in session.scalars(query)}


def find(session: Session, ids: Collection[UUID], pairs: Collection[Pair]) -> dict[UUID, PartRequest]:
    """The same without a lock."""
    if not (ids or pairs):
        return {}
    found = session.scalars(select(PartRequestRow).where(_wanted(ids, pairs)).order_by(PartRequestRow.id))
    return {row.id: value_of(row) for row in found}


def _wanted(ids: Collection[UUID], pairs: Collection[Pair]) -> ColumnElement[bool]:
    row = PartRequestRow
    between = (
        and_(row.asker_id == asker, row.holder_id == holder, row.closed_at.is_(None))
        for asker, holder in sorted(pairs)
    )
    return or_(row.id.in_(sorted(ids)), *between)


def value_of(
    row: PartRequestRow,
    asker: str = "",
    holder: str = "",
    kind: str | None = None,
    number: str | None = "",
) -> PartRequest:
    return PartRequest(
        id=row.id,
        sku=row.sku,
        quantity=row.quantity,
        asker_id=row.asker_id,
        holder_id=row.holder_id,
        asked_at=row.asked_at,
        for_order_id=row.for_order_id,
        note=row.note,
        state=PartRequestState(row.state),
        answered_at=row.answered_at,
        answer=row.answer,
        supplied=row.supplied,
        closed_at=row.closed_at,
        asker=asker,
        holder=holder,
        order_number=number or "",
        holder_kind=HolderKind(kind) if kind else None,
    )


def values(request: PartRequest) -> dict[str, Any]:
    """The columns. Names are other tables' business."""
    return {
        "id": request.id,
        "sku": request.sku,
        "quantity": request.quantity,
        "asker_id": request.asker_id,
        "holder_id": request.holder_id,
        "for_order_id": request.for_order_id,
        "note": request.note,
        "state": request.state.value,
        "asked_at": request.asked_at,
        "answered_at": request.answered_at,
        "answer": request.answer,
        "supplied": request.supplied,
        "closed_at": request.closed_at,
    }


def store(row: PartRequestRow, request: PartRequest) -> None:
    """What may change of it."""
    row.state, row.supplied, row.closed_at = request.state.value, request.supplied, request.closed_at
    row.answered_at, row.answer = request.answered_at, request.answer


def _named() -> Select[PartRequestRow, str, str, str, str | None]:
    row = PartRequestRow
    return (
        select(row, TechnicianRow.name, StockPlaceRow.name, StockPlaceRow.kind, WorkOrderRow.number)
        .join(TechnicianRow, TechnicianRow.id == row.asker_id)
        .join(StockPlaceRow, StockPlaceRow.id == row.holder_id)
        .outerjoin(WorkOrderRow, WorkOrderRow.id == row.for_order_id)
        .order_by(row.asked_at, row.id)
    )


def shown_to(
    session: Session, technician_id: UUID, van_id: UUID, now: datetime, ids: Iterable[str] | None = None
) -> list[PartRequest]:
    """What this technician asked for, or was asked for, as long as it is open and for a while after."""
    row = PartRequestRow
    query = _named().where(
        or_(row.asker_id == technician_id, row.holder_id == van_id),
        or_(row.closed_at.is_(None), row.closed_at > now - SHOWN),
    )
    if ids is not None:
        query = query.where(row.id.in_([UUID(item) for item in ids]))
    return [value_of(*found) for found in session.execute(query)]


def waiting(session: Session, limit: int = 200) -> list[PartRequest]:
    """All that are open, the oldest first: the office sees who waits for what, and for how long."""
    query = _named().where(PartRequestRow.closed_at.is_(None)).limit(limit)
    return [value_of(*found) for found in session.execute(query)]
