"""What is stocked, where, and every move of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base, Serial


class ProductRow(Base):
    """A stocked kind (SKU). Prices are net minor units a unit; `lead_days` is the vendor's."""

    __tablename__ = "product"
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    tracking: Mapped[str]
    unit: Mapped[str]
    maker: Mapped[str]
    model: Mapped[str]
    gtin: Mapped[str | None]
    cost_minor: Mapped[int]
    price_minor: Mapped[int]
    currency: Mapped[str]
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendor.id"))
    reorder_point: Mapped[int]
    reorder_quantity: Mapped[int]
    van_par: Mapped[int]
    lead_days: Mapped[int]


class StockPlaceRow(Base):
    """A van, a depot, a vendor, a customer's address (same id as its service location) or a correction.

    Of a depot: where it is (WGS 84), and when it is open, in the office's words.
    """

    __tablename__ = "stock_place"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    address: Mapped[str | None]
    hours: Mapped[str | None]
    lat: Mapped[float | None]
    lon: Mapped[float | None]


class StockBalanceRow(Base):
    """What the moves of one SKU at one place sum up to, so that a close need not add up years.

    Written only together with moves (server/stock/ledger.py); `replay --verify` holds it against them.
    """

    __tablename__ = "stock_balance"
    place_id: Mapped[UUID] = mapped_column(ForeignKey("stock_place.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("product.sku"), primary_key=True)
    quantity: Mapped[int]
    __table_args__ = (Index("ix_stock_balance_sku", "sku"),)


class StockMoveRow(Base):
    """One movement, never changed. A balance is a sum of these."""

    __tablename__ = "stock_move"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    sku: Mapped[str] = mapped_column(ForeignKey("product.sku"))
    quantity: Mapped[int]
    source_id: Mapped[UUID] = mapped_column(ForeignKey("stock_place.id"))
    target_id: Mapped[UUID] = mapped_column(ForeignKey("stock_place.id"))
    serial: Mapped[str | None] = mapped_column(index=True)
    work_order_id: Mapped[UUID | None] = mapped_column(ForeignKey("work_order.id"), index=True)
    cause: Mapped[UUID]  # the command (or the receipt of goods) that made it
    line: Mapped[int]
    at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("source_id <> target_id", name="changes_place"),
        UniqueConstraint("cause", "line"),  # the second wall: one command can't book a line twice
        Index("ix_stock_move_source_id_sku", "source_id", "sku"),
        Index("ix_stock_move_target_id_sku", "target_id", "sku"),
        {"sqlite_autoincrement": True},
    )


class ReservationRow(Base):
    """Stock on a van promised to a work order (TMF687). Released when the job is over."""

    __tablename__ = "reservation"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"), index=True)
    place_id: Mapped[UUID] = mapped_column(ForeignKey("stock_place.id"))
    sku: Mapped[str] = mapped_column(ForeignKey("product.sku"))
    quantity: Mapped[int]
    released_at: Mapped[datetime | None]
    __table_args__ = (Index("ix_reservation_place_id_released_at", "place_id", "released_at"),)


class VanTransferRow(Base):
    """What went from one van to another: `terms` are shared.transfers.Transfer, agreed on both phones.

    `given`, `taken`: whose half has come. The first one booked it, as the command `booked_as`.
    """

    __tablename__ = "van_transfer"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    giver_id: Mapped[UUID] = mapped_column(index=True)
    taker_id: Mapped[UUID] = mapped_column(index=True)
    terms: Mapped[dict[str, Any]]
    given: Mapped[bool]
    taken: Mapped[bool]
    booked_as: Mapped[UUID]
    booked_at: Mapped[datetime]


class PartRequestRow(Base):
    """What a technician asks of a van or a depot: shared.part_requests.PartRequest. It moves nothing."""

    __tablename__ = "part_request"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("product.sku"))
    quantity: Mapped[int]
    asker_id: Mapped[UUID] = mapped_column(ForeignKey("technician.id"))
    holder_id: Mapped[UUID] = mapped_column(ForeignKey("stock_place.id"))
    for_order_id: Mapped[UUID | None] = mapped_column(ForeignKey("work_order.id"))
    note: Mapped[str] = mapped_column(Text)
    state: Mapped[str]
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(Text)
    supplied: Mapped[int]
    closed_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_part_request_asker_id_closed_at", "asker_id", "closed_at"),
        Index("ix_part_request_holder_id_closed_at", "holder_id", "closed_at"),
    )
