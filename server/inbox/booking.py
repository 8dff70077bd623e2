"""The one place where the inbox meets the road that phones' commands take."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.clock import mint
from server.db.feed_models import CommandRow
from server.dispatch.models import TechnicianRow
from server.field.unit import CommandUnit
from server.inbox.reading import envelope, sender_of
from server.settings import Settings
from server.stock.models import StockPlaceRow
from shared.commands import FieldCommand
from shared.decide import decide
from shared.problems import NotFound


def book_in_place_of(
    session: Session, settings: Settings, held: CommandRow, command: FieldCommand
) -> CommandRow:
    """Decide `command` now, by the rules and as if its technician had sent it, and book all it causes.

    It happened when `held` happened. Returns the new row of the command log; `held` stays as it came.
    Raises Problem, and then the caller's transaction must be rolled back.
    """
    found = session.execute(
        select(TechnicianRow, StockPlaceRow.name)
        .join(StockPlaceRow, StockPlaceRow.id == TechnicianRow.van_id)
        .where(TechnicianRow.id == sender_of(session, held))
    ).one_or_none()
    if found is None or held.device_id is None:
        raise NotFound("Nobody's device sent this, so nobody can have done it", subject=str(held.id))
    technician, van = found
    unit = CommandUnit(session, settings, held.device_id, technician, van, {})
    pushed = envelope(held, mint(), command)
    command, before = unit.situation(command)
    decision = decide(command, before, held.happened_at)
    unit.accept(pushed, command, before, decision, held.happened_at, decision.remarks)
    session.flush()
    booked = session.get_one(CommandRow, pushed.id)
    booked.origin = "office"
    return booked
