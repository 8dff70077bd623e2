"""Vendors, purchase orders, and what goes back to vendors."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class VendorRow(Base):
    __tablename__ = "vendor"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str]


class PurchaseOrderRow(Base):
    """An order to one vendor. A vendor has at most one draft, which grows until somebody sends it."""

    __tablename__ = "purchase_order"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendor.id"))
    state: Mapped[str]
    raised_at: Mapped[datetime]
    raised_for: Mapped[UUID | None]  # the work order whose close crossed the reorder point; none for a count
    __table_args__ = (
        Index(
            "uq_purchase_order_draft",
            "vendor_id",
            unique=True,
            sqlite_where=text("state = 'draft'"),
            postgresql_where=text("state = 'draft'"),
        ),
    )


class PurchaseOrderLineRow(Base):
    __tablename__ = "purchase_order_line"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    purchase_order_id: Mapped[UUID] = mapped_column(ForeignKey("purchase_order.id"))
    sku: Mapped[str] = mapped_column(ForeignKey("product.sku"), index=True)
    quantity: Mapped[int]
    received: Mapped[int] = mapped_column(default=0)
    unit_cost_minor: Mapped[int]
    __table_args__ = (UniqueConstraint("purchase_order_id", "sku"),)


class RmaLineRow(Base):
    """A faulty device that is to go back to its vendor, or did (server/purchasing/returns.py has the states).

    `cause` and `note` are the technician's, `reference` is the vendor's RMA number. `command_id` booked the
    visit that brought the device; `sent_by` and `settled_by` are names.
    """

    __tablename__ = "rma_line"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(ForeignKey("asset.serial"))
    sku: Mapped[str] = mapped_column(ForeignKey("product.sku"))
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendor.id"))
    cause: Mapped[str]
    note: Mapped[str] = mapped_column(Text)
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"))
    command_id: Mapped[UUID]
    opened_at: Mapped[datetime]
    state: Mapped[str]
    reference: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    sent_by: Mapped[str | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    settlement: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (
        UniqueConstraint("command_id", "serial"),  # the second wall: a booking can't open a line twice
        Index("ix_rma_line_state_opened_at", "state", "opened_at"),
        Index("ix_rma_line_work_order_id_serial", "work_order_id", "serial"),
    )
