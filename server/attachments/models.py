"""Who has shown that they hold which bytes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class AttachmentSenderRow(Base):
    """A technician who sent all bytes of an attachment. To others its digest opens nothing.

    The bytes themselves are kept once: server.work_orders.models.AttachmentRow.
    """

    __tablename__ = "attachment_sender"
    technician_id: Mapped[UUID] = mapped_column(ForeignKey("technician.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(ForeignKey("attachment.digest"), primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"))
    sent_at: Mapped[datetime]
