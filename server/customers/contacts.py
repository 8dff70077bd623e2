"""Whom to meet and how to get in, written where the office keeps it. Each field by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from server.customers.models import CustomerRow, ServiceLocationRow
from server.work_orders.models import WorkOrderRow
from shared.events import ContactCorrected
from shared.work_orders import ContactField, WorkOrder
from sync.server.ports import Clash

KEY_SHARE = {"key_share": True}
"""An invoice or an order that names the row meanwhile need not wait for us, nor we for it."""


def correct(session: Session, order: WorkOrder, event: ContactCorrected) -> None:
    """Write one field. Raises Clash where another transaction has changed it since `order` was read."""
    row: CustomerRow | ServiceLocationRow
    if event.field is ContactField.ACCESS_NOTES:
        row = session.get_one(
            ServiceLocationRow, order.place.id, with_for_update=KEY_SHARE, populate_existing=True
        )
    else:
        customer_id = order.contact.customer_id
        row = session.get_one(CustomerRow, customer_id, with_for_update=KEY_SHARE, populate_existing=True)
    if getattr(row, event.field.value) != event.before:
        raise Clash
    setattr(row, event.field.value, event.value)
    session.flush()


def others_who_see_it(
    session: Session, order: WorkOrder, field: ContactField, since: datetime
) -> Sequence[tuple[UUID, UUID]]:
    """(order, technician) of the other visits to this customer, or to this address.

    Those that are open, and those planned after `since`: a phone keeps a finished visit for a week.
    """
    same: ColumnElement[bool] = (
        WorkOrderRow.location_id == order.place.id
        if field is ContactField.ACCESS_NOTES
        else WorkOrderRow.customer_id == order.contact.customer_id
    )
    query = select(WorkOrderRow.id, WorkOrderRow.technician_id).where(
        same,
        WorkOrderRow.id != order.id,
        WorkOrderRow.technician_id.is_not(None),
        or_(WorkOrderRow.finished_at.is_(None), WorkOrderRow.planned_start >= since),
    )
    return [(found, who) for found, who in session.execute(query) if who is not None]
