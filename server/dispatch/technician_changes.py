"""Who changed what of a technician, and when: one sentence a change, never changed itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.clock import mint
from server.db.base import Base

SHOWN_MAX = 100


class TechnicianChangeRow(Base):
    """`words` says what was and what is, as its page shows it."""

    __tablename__ = "technician_change"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    technician_id: Mapped[UUID] = mapped_column(ForeignKey("technician.id"), index=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    words: Mapped[str] = mapped_column(Text)


def keep(session: Session, technician_id: UUID, words: str, *, by: str, now: datetime) -> None:
    session.add(
        TechnicianChangeRow(id=mint(), technician_id=technician_id, made_at=now, made_by=by, words=words)
    )


def of(session: Session, technician_id: UUID) -> list[TechnicianChangeRow]:
    """The newest first."""
    row = TechnicianChangeRow
    query = select(row).where(row.technician_id == technician_id)
    return list(session.scalars(query.order_by(row.made_at.desc(), row.id.desc()).limit(SHOWN_MAX)))
