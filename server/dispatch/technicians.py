"""Small questions about technicians."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.dispatch.models import TechnicianRow


def names(session: Session) -> dict[UUID, str]:
    """Technician → name, active ones only."""
    query = select(TechnicianRow.id, TechnicianRow.name).where(TechnicianRow.active)
    return {technician_id: name for technician_id, name in session.execute(query)}
