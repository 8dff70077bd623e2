"""Work that waits for a dispatcher: settling it. The command and its receipt stay as they are, for ever."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from server.db import feed
from server.db.feed_models import CommandRow
from shared.problems import AlreadyClosed, NotFound


def settle(session: Session, command_id: UUID, by: str, now: datetime) -> None:
    """Note that `by` has dealt with a held command. Raises NotFound, or AlreadyClosed if it was settled."""
    command = session.get(CommandRow, command_id)
    if command is None or command.outcome != "held":
        raise NotFound("Nothing is held under that number", subject=str(command_id))
    settled = (
        update(CommandRow)
        .where(CommandRow.id == command_id, CommandRow.resolved_at.is_(None))
        .values(resolved_at=now, resolved_by=by)
        .returning(CommandRow.id)
    )
    if session.scalar(settled) is None:
        raise AlreadyClosed(f"{command.resolved_by} has dealt with it already", subject=str(command_id))
    feed.append(session, [feed.BOARD], "command", command_id, "HeldCommandSettled", at=now, actor=by)
