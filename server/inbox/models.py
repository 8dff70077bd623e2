"""What somebody should look at although it was booked."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class FollowUpRow(Base):
    """A remark that asks the office for something; written with the command that was remarked on.

    `actor` did the work; `work_order_id` is None where it is about their van. `outcome`: the proposal of
    shared/conflicts.py that was chosen, or "edited" where somebody wrote the contact on the job itself; None
    while it is open.
    """

    __tablename__ = "follow_up"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    command_id: Mapped[UUID]
    work_order_id: Mapped[UUID | None] = mapped_column(index=True)
    actor: Mapped[str]
    slug: Mapped[str]
    detail: Mapped[str] = mapped_column(Text)
    raised_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None]
    outcome: Mapped[str | None]
    note: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (Index("ix_follow_up_done_at_raised_at", "done_at", "raised_at"),)
