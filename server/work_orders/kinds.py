"""How long a visit of each kind usually takes, and how much of that is setting up: kept by the office."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.db.base import Base
from shared.problems import BadValue
from shared.work_orders import WorkOrderKind

USUAL_MINUTES: Mapping[WorkOrderKind, int] = {
    WorkOrderKind.INSTALL: 55,
    WorkOrderKind.UPGRADE: 25,
    WorkOrderKind.REPAIR: 45,
    WorkOrderKind.SWAP: 25,
    WorkOrderKind.DISCONNECT: 15,
}
MINUTES_MAX = 24 * 60


class KindTimesRow(Base):
    """What the office says of one kind; a kind without a row has what the program comes with."""

    __tablename__ = "kind_times"
    kind: Mapped[str] = mapped_column(primary_key=True)
    minutes: Mapped[int]
    setup_minutes: Mapped[int]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTimes:
    """`minutes`: all of the time on site; an order may say otherwise. `setup_minutes`: how much of it is for
    ladders, cones and testing the line: visits right after each other at one address do that once.
    """

    kind: WorkOrderKind
    minutes: int
    setup_minutes: int = 0


def times(session: Session) -> dict[WorkOrderKind, KindTimes]:
    """Of every kind."""
    kept = {row.kind: row for row in session.scalars(select(KindTimesRow))}
    found = {}
    for kind, usual in USUAL_MINUTES.items():
        row = kept.get(kind.value)
        found[kind] = KindTimes(
            kind=kind,
            minutes=row.minutes if row else usual,
            setup_minutes=row.setup_minutes if row else 0,
        )
    return found


def setups(session: Session) -> dict[WorkOrderKind, int]:
    """Kind → minutes, of those kinds that have any."""
    return {one.kind: one.setup_minutes for one in times(session).values() if one.setup_minutes}


def change(session: Session, wanted: KindTimes, *, by: str, now: datetime) -> KindTimes:
    """Orders that are there keep their minutes; the setup counts in the next plan. Raises BadValue."""
    if not 1 <= wanted.minutes <= MINUTES_MAX:
        raise BadValue(f"A visit takes 1 to {MINUTES_MAX} minutes", field="minutes")
    if not 0 <= wanted.setup_minutes < wanted.minutes:
        said = f"Setting up is part of the {wanted.minutes} minutes on site, and less than all of them"
        raise BadValue(said, field="setup_minutes")
    row = session.get(KindTimesRow, wanted.kind.value, with_for_update=True)
    if row is None:
        row = KindTimesRow(kind=wanted.kind.value)
        session.add(row)
    row.minutes, row.setup_minutes = wanted.minutes, wanted.setup_minutes
    row.changed_by, row.changed_at = by, now
    session.flush()
    return wanted
