"""What became of held commands, as rows for the phones that sent them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.access.models import DeviceRow
from server.db.feed_models import CommandRow
from sync.protocol import Ruling

SHOWN = timedelta(days=14)
"""As long as a phone keeps the commands themselves."""


def rulings(
    session: Session, technician_id: UUID, now: datetime, ids: Collection[str] | None = None
) -> list[Ruling]:
    """Decisions on what this technician's devices sent, of the last days; `ids` asks about some only."""
    query = (
        select(CommandRow)
        .join(DeviceRow, DeviceRow.id == CommandRow.device_id)
        .where(
            DeviceRow.technician_id == technician_id,
            CommandRow.outcome == "held",
            CommandRow.resolved_at > now - SHOWN,
        )
        .order_by(CommandRow.resolved_at, CommandRow.id)
    )
    if ids is not None:
        query = query.where(CommandRow.id.in_([UUID(item) for item in ids]))
    return [
        Ruling(
            command_id=row.id,
            outcome=row.resolution or "dismissed",  # type: ignore[arg-type]  # one of the three literals
            ruled_at=row.resolved_at,
            by=row.resolved_by or "",
            detail=row.resolution_detail or "",
        )
        for row in session.scalars(query)
        if row.resolved_at
    ]
