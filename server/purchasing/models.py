"""Vendors and purchase orders."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
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
