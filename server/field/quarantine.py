"""What a device that may no longer read may still bring: the bytes of evidence that was named before."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.work_orders.models import AttachmentRow, EvidenceRow


def missing_evidence(session: Session, technician_id: UUID) -> tuple[str, ...]:
    """Digests that this technician's commands named, decided or held, and whose bytes have not come."""
    query = (
        select(EvidenceRow.digest)
        .where(EvidenceRow.technician_id == technician_id, EvidenceRow.arrived_at.is_(None))
        .where(~select(AttachmentRow.digest).where(AttachmentRow.digest == EvidenceRow.digest).exists())
        .order_by(EvidenceRow.digest)
    )
    return tuple(session.scalars(query))
