"""Work orders and the evidence of visits."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class WorkOrderRow(Base):
    """One work order. What the office searches by is a column; what a visit asks for (`requirements`)
    and recorded (`record`) is only ever read and written whole, by one writer, so it is kept whole.
    """

    __tablename__ = "work_order"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    state: Mapped[str]
    priority: Mapped[int]
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"), index=True)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("service_location.id"), index=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"))
    plan_code: Mapped[str] = mapped_column(ForeignKey("tariff_plan.code"))
    summary: Mapped[str] = mapped_column(Text)
    expected_minutes: Mapped[int]
    window_start: Mapped[datetime | None]
    window_end: Mapped[datetime | None]
    sla_due_at: Mapped[datetime | None]
    sla_stopped_at: Mapped[datetime | None]
    technician_id: Mapped[UUID | None] = mapped_column(ForeignKey("technician.id"))
    former_technician_ids: Mapped[list[Any]]
    planned_start: Mapped[datetime | None]
    planned_end: Mapped[datetime | None]
    travel_minutes: Mapped[int]
    route_position: Mapped[int | None]
    travel_started_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    unfinished_reason: Mapped[str | None]
    freed_minutes: Mapped[int] = mapped_column(default=0)  # planned end minus real end, for the scheduler
    requirements: Mapped[dict[str, Any]]
    record: Mapped[dict[str, Any]]
    why: Mapped[dict[str, Any]]  # why this technician, as the scheduler explained it
    version: Mapped[int]
    ordered_at: Mapped[datetime]
    __table_args__ = (
        Index("ix_work_order_technician_id_planned_start", "technician_id", "planned_start"),
        Index("ix_work_order_state_window_start", "state", "window_start"),
    )


class AttachmentRow(Base):
    """A photo or signature whose bytes have arrived; the name is their SHA-256."""

    __tablename__ = "attachment"
    digest: Mapped[str] = mapped_column(primary_key=True)
    size_bytes: Mapped[int]
    media_type: Mapped[str]
    stored_at: Mapped[datetime]
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"))


class EvidenceRow(Base):
    """A photo or signature that a technician's command has named; the bytes come on their own road.

    Kept apart from the work order so that "what has not arrived" is one look at an index.
    """

    __tablename__ = "evidence"
    technician_id: Mapped[UUID] = mapped_column(ForeignKey("technician.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    work_order_id: Mapped[UUID | None]
    size_bytes: Mapped[int]
    named_at: Mapped[datetime]
    arrived_at: Mapped[datetime | None]
    __table_args__ = (Index("ix_evidence_technician_id_arrived_at", "technician_id", "arrived_at"),)
