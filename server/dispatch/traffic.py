"""Traffic by the hour: how many times as long a drive takes in each hour of the day, said by the office.

Versions in the database, the newest in force, none ever changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from scheduler.pace import HOURS as HOURS_A_DAY
from scheduler.pace import STEADY, Pace
from scheduler.travel.hours import EMPTY_ROADS, HourFactors
from server.db.base import Base
from shared.problems import BadValue, Conflict

HOURS = HOURS_A_DAY
PRECISION = 3


class TrafficRow(Base):
    """factors: 24 numbers, one an hour of the local day; 1.5 is half as long again as on empty roads."""

    __tablename__ = "traffic_hours"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    factors: Mapped[list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """`version` 0: nobody has said anything, and every hour is like the other."""

    version: int = 0
    made_at: datetime | None = None
    made_by: str = ""
    factors: tuple[float, ...] = EMPTY_ROADS.factors

    @property
    def pace(self) -> tuple[int, ...]:
        """As a plan request has it; () where no hour differs from empty roads."""
        return () if self.factors == EMPTY_ROADS.factors else HourFactors(self.factors).paces()


def in_force(session: Session) -> Traffic:
    row = session.scalar(select(TrafficRow).order_by(TrafficRow.version.desc()).limit(1))
    if row is None:
        return Traffic()
    return Traffic(
        version=row.version,
        made_at=row.made_at,
        made_by=row.made_by,
        factors=tuple(float(one) for one in row.factors),
    )


def change(session: Session, *, after: int, factors: Sequence[float], by: str, now: datetime) -> Traffic:
    """Put other hours in force. Raises BadValue naming the hour; Conflict when `after` is not in force."""
    before = in_force(session)
    if before.version != after:
        raise Conflict("Somebody else has changed the traffic since. Look at it first")
    rounded = tuple(round(float(one), PRECISION) for one in factors)
    try:
        HourFactors(rounded)
    except ValueError as error:
        raise BadValue(str(error)[:1].upper() + str(error)[1:], field="factors") from error
    row = TrafficRow(version=after + 1, made_at=now, made_by=by, factors=list(rounded))
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("Somebody else has changed the traffic at the same time. Look at it first") from error
    return in_force(session)


def on_the_road(pace: tuple[int, ...], arrive: int, drive: int) -> int:
    """Minutes on the road of a drive of `drive` minutes by the matrix that is over at minute `arrive`."""
    if not pace or drive <= 0:
        return drive
    return arrive - Pace(pace).departure(arrive, drive * STEADY)
