"""Invoices, and the journal they are posted to."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base, Serial


class InvoiceRow(Base):
    """Charges of one customer. A draft has no number; numbers are given without gaps when it is sent."""

    __tablename__ = "invoice"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"), index=True)
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"), unique=True)
    state: Mapped[str]
    currency: Mapped[str]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    drafted_at: Mapped[datetime]


class InvoiceLineRow(Base):
    """One charge and its cause. Net and tax in minor units; a credit is negative."""

    __tablename__ = "invoice_line"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoice.id"), index=True)
    work_order_id: Mapped[UUID] = mapped_column(ForeignKey("work_order.id"))
    charge_code: Mapped[str]
    description: Mapped[str]
    quantity: Mapped[int]
    unit_minor: Mapped[int]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    __table_args__ = (UniqueConstraint("work_order_id", "charge_code"),)


class JournalLineRow(Base):
    """Double entry: the lines of one `entry_id` sum to zero. Debits are positive. Never changed."""

    __tablename__ = "journal_line"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    entry_id: Mapped[UUID] = mapped_column(index=True)
    line: Mapped[int]
    account: Mapped[str] = mapped_column(index=True)
    amount_minor: Mapped[int]
    currency: Mapped[str]
    work_order_id: Mapped[UUID | None] = mapped_column(ForeignKey("work_order.id"), index=True)
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("entry_id", "line"), {"sqlite_autoincrement": True})
