"""Time slots that somebody holds, and those that were confirmed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class SlotHoldRow(Base):
    """A time slot that is kept free for somebody until `expires_at`, and its place in the day.

    `key` makes asking twice one hold; `wish` is what was asked, a customer's order or an order that is there
    already (`work_order_id`). After `confirmed_at` the order has its window, and the place is remembered for
    the day's later bookings until a plan gives the order a technician. Nothing needs to end it: time does.
    """

    __tablename__ = "slot_hold"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    day: Mapped[date]
    window_start: Mapped[datetime]
    window_end: Mapped[datetime]
    work_order_id: Mapped[UUID | None] = mapped_column(ForeignKey("work_order.id"), index=True)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("service_location.id"))
    wish: Mapped[dict[str, Any]]
    needs: Mapped[dict[str, Any]]  # skills, equipment, parts and minutes of the visit
    technician_id: Mapped[UUID] = mapped_column(ForeignKey("technician.id"))
    starts_at: Mapped[datetime]
    travel_minutes: Mapped[int]
    added_minor: Mapped[int]
    delays: Mapped[list[Any]]  # visits that move for it: work order, from, to
    held_by: Mapped[str]
    held_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    given_back_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    __table_args__ = (Index("ix_slot_hold_day_expires_at", "day", "expires_at"),)
