"""Who is not there: sick, or with a van that stands still. The planner has them no longer, or not yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.clock import mint
from server.db import feed
from server.db.base import Base
from server.dispatch.day_clock import DayClock
from server.dispatch.models import TechnicianRow
from shared.problems import BadValue, NotFound


class Reason(StrEnum):
    SICK = "sick"
    VAN = "van"
    OTHER = "other"


WORDS = {Reason.SICK: "sick", Reason.VAN: "the van stands still", Reason.OTHER: "can't come"}


class AbsenceRow(Base):
    """A technician is away in [starts_at, ends_at). One that ended early ends at that moment.

    ended_by, ended_at: who ended it when; was_until: its end as it was noted. None where nobody did.
    """

    __tablename__ = "absence"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    technician_id: Mapped[UUID] = mapped_column(ForeignKey("technician.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str]
    noted_by: Mapped[str]
    noted_at: Mapped[datetime]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    was_until: Mapped[datetime | None]


def note(
    session: Session,
    technician_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    reason: Reason,
    *,
    by: str,
    now: datetime,
) -> UUID:
    """Raises NotFound, and BadValue for a time that is none."""
    person = session.get(TechnicianRow, technician_id)
    if person is None or not person.active:
        raise NotFound("There is no such technician", field="technician_id")
    if ends_at <= starts_at:
        raise BadValue("The end must be after the start", field="ends_at")
    if not (1900 < starts_at.year < 9000 and 1900 < ends_at.year < 9000):
        raise BadValue("There is no such year", field="ends_at")
    row = AbsenceRow(
        id=mint(), technician_id=technician_id, starts_at=starts_at, ends_at=ends_at, reason=reason,
        noted_by=by, noted_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    feed.append(session, [feed.BOARD], "absence", row.id, "TechnicianAway", at=now, actor=by)
    return row.id


def end(session: Session, technician_id: UUID, *, by: str, now: datetime, only: UUID | None = None) -> int:
    """They are back: what is still to come of their absences ends now. How many there were.

    only: that absence and no other.
    """
    row = AbsenceRow
    theirs = select(row).where(row.technician_id == technician_id)
    query = theirs.where(row.ends_at > now, row.ends_at > row.starts_at)
    if only is not None:
        query = query.where(row.id == only)
    rows = session.scalars(query).all()
    for one in rows:
        one.was_until, one.ended_by, one.ended_at = one.ends_at, by, now
        one.ends_at = max(one.starts_at, now)
        feed.append(session, [feed.BOARD], "absence", one.id, "TechnicianBack", at=now, actor=by)
    return len(rows)


def of(session: Session, technician_id: UUID, count: int = 50) -> list[AbsenceRow]:
    """The newest first, those to come and those that were called off among them."""
    row = AbsenceRow
    query = select(row).where(row.technician_id == technician_id)
    return list(session.scalars(query.order_by(row.starts_at.desc(), row.id.desc()).limit(count)))


def of_day(session: Session, start: datetime, until: datetime) -> list[AbsenceRow]:
    query = (
        select(AbsenceRow)
        .where(AbsenceRow.starts_at < until, AbsenceRow.ends_at > start)
        .where(AbsenceRow.ends_at > AbsenceRow.starts_at)
        .order_by(AbsenceRow.starts_at, AbsenceRow.id)
    )
    return list(session.scalars(query))


Shift = tuple[int, int]
"""Minutes of the day."""


def shifts_left(
    people: Sequence[TechnicianRow], absences: Sequence[AbsenceRow], clock: DayClock, now: int
) -> Mapping[UUID, Shift | None]:
    """Technician → what is left of the shift, for those who are away at some time of it; None: nothing.

    Who is away in the middle has the part of the shift that comes first from `now` on, for a route can't stop
    and go on.
    """
    left: dict[UUID, Shift | None] = {}
    for person in people:
        start, end = clock.of_wall(person.shift_start_minute), clock.of_wall(person.shift_end_minute)
        first = start
        for absence in absences:
            if absence.technician_id != person.id:
                continue
            away, back = clock.minute(absence.starts_at), clock.minute_after(absence.ends_at)
            if back <= first or away >= end:
                continue
            if away <= max(first, now):
                first = max(first, back)
            else:
                end = min(end, away)
            left[person.id] = (first, end) if first < end else None
    return left
