"""Customers, where they are served, what runs there, and what they are told."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class CustomerRow(Base):
    __tablename__ = "customer"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    phone: Mapped[str]
    email: Mapped[str]
    language: Mapped[str]


class ServiceLocationRow(Base):
    """TMF674. Its id is also the stock place of what is installed there. WGS 84 degrees."""

    __tablename__ = "service_location"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    street: Mapped[str]
    house_number: Mapped[str]
    postcode: Mapped[str]
    city: Mapped[str]
    lat: Mapped[float]
    lon: Mapped[float]
    access_notes: Mapped[str] = mapped_column(Text)
    cabinet: Mapped[str | None] = mapped_column(index=True)


class PlanRow(Base):
    """A tariff plan. Prices are net minor units; fees by kind of work order in `fees_minor`.

    `equipment`: role (ONT, router) → SKUs that may be fitted for it.
    """

    __tablename__ = "tariff_plan"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    down_mbps: Mapped[int]
    monthly_minor: Mapped[int]
    currency: Mapped[str]
    fees_minor: Mapped[dict[str, Any]]
    equipment: Mapped[dict[str, Any]]


class ServiceRow(Base):
    """TMF638. `active_from` is the time on site, never the time of the sync."""

    __tablename__ = "service"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"), index=True)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("service_location.id"), index=True)
    plan_code: Mapped[str] = mapped_column(ForeignKey("tariff_plan.code"))
    state: Mapped[str]
    active_from: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class NoticeRow(Base):
    """A message to a customer, queued in the transaction that caused it."""

    __tablename__ = "notice"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"), index=True)
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"), index=True)
    template: Mapped[str]
    channel: Mapped[str]
    recipient: Mapped[str]
    language: Mapped[str]
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str]
    queued_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("work_order_id", "template"),)
