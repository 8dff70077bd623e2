"""Faults of cabinets, and the reports that each is made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class NetworkFaultRow(Base):
    """One fault of one cabinet; a cabinet has at most one that is open. Its id is that of its first report.

    `acts`: what the office did, each with `act`, `at`, `by` and `reason`, the oldest first.
    """

    __tablename__ = "network_fault"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    cabinet: Mapped[str]
    state: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    acts: Mapped[list[Any]]
    __table_args__ = (
        Index(
            "uq_network_fault_open",
            "cabinet",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_network_fault_cabinet_closed_at", "cabinet", "closed_at"),
    )


class NetworkFaultReportRow(Base):
    """What one technician saw at `seen_at`: shared.network_faults.ReportNetworkFault. `photos`: digests."""

    __tablename__ = "network_fault_report"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    fault_id: Mapped[UUID] = mapped_column(ForeignKey("network_fault.id"), index=True)
    technician_id: Mapped[UUID] = mapped_column(ForeignKey("technician.id"))
    sign: Mapped[str]
    ports: Mapped[int | None]
    customers: Mapped[int | None]
    safe: Mapped[bool]
    note: Mapped[str] = mapped_column(Text)
    photos: Mapped[list[Any]]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    accuracy_m: Mapped[float | None]
    seen_at: Mapped[datetime]
    for_order_id: Mapped[UUID | None] = mapped_column(ForeignKey("work_order.id"))
