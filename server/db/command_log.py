"""The order of the command log."""

from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from server.db.base import columns_of
from server.db.feed_models import CommandRow, EntryRow

_DRAWN = text("SELECT nextval('command_number') FROM generate_series(1, :count)")
_command, _entry = columns_of(CommandRow), columns_of(EntryRow)
_NUMBERS = select(_command.number).union_all(select(_entry.number)).subquery()
_NEWEST = select(func.max(_NUMBERS.c.number))


def next_numbers(session: Session, count: int) -> list[int]:
    """`count` log numbers in a row. Draw them last, while every lock is still held.

    Who waits for one of our locks then draws a higher number, so the log can be replayed in its order.
    """
    if session.get_bind().dialect.name == "postgresql":
        return sorted(session.scalars(_DRAWN, {"count": count}))
    newest = session.scalar(_NEWEST) or 0
    return list(range(newest + 1, newest + 1 + count))
