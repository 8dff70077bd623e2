"""What a device that may no longer read may still bring: the bytes of evidence that was named before."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.access.callers import Caller
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


def refuse_unnamed(session: Session, caller: Caller, digest: str) -> None:
    """A device that was signed out brings bytes that its technician named, and nothing else.

    Raises Caller.refusal.
    """
    if (refusal := caller.refusal) and session.get(EvidenceRow, (caller.technician.id, digest)) is None:
        raise refusal
