"""What the office decides about its technicians, and the booked visits that it hits.

Skills with their certificates, homes, overtime: columns of the technician's row, that plans read as they are.
Each change is kept with who made it. None moves a visit: what somebody can't do any more is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.dispatch import absences, technician_changes
from server.dispatch.models import TechnicianRow
from server.dispatch.policy import policy_in_force
from server.dispatch.rechecks import away_in_words, coming_of, is_gone, spot_now, unable
from server.dispatch.texts import tidy
from server.work_orders import repository
from server.work_orders.models import WorkOrderRow
from shared.problems import BadValue, NotFound
from shared.work_orders import WorkOrder, WorkOrderState

LEVELS: Mapping[int, str] = {1: "1, assists", 2: "2", 3: "3", 4: "4", 5: "5, teaches"}
SKILL_LENGTH_MAX = 40
OVERTIME_MAX = 12 * 60
SOON = timedelta(days=30)
"""A certificate that runs out within so long is warned of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A booked visit that its technician can't do. on: its local day."""

    work_order_id: UUID
    number: str
    start: datetime
    on: date
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A skill with its level. until: the last day of its certificate, None where it needs none.

    days: from today to that day; below zero when it has run out. soon: it is over or will be within 30 days.
    needing: booked visits that ask for the skill, which they would be without it.
    """

    skill: str
    level: int
    until: date | None
    days: int | None
    soon: bool
    needing: tuple[Hit, ...] = ()

    @property
    def over(self) -> bool:
        return self.days is not None and self.days < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A technician as the pages show one. hits: booked visits that they can't do as things are."""

    row: TechnicianRow
    certificates: tuple[Certificate, ...]
    hits: tuple[Hit, ...]
    away: tuple[absences.AbsenceRow, ...]

    @property
    def warnings(self) -> tuple[Certificate, ...]:
        return tuple(one for one in self.certificates if one.soon)


# --- reading ------------------------------------------------------------------------------------------------


def crew(session: Session, zone: ZoneInfo, now: datetime) -> list[Member]:
    """Everybody who works here, by name."""
    query = select(TechnicianRow).where(TechnicianRow.active).order_by(TechnicianRow.name, TechnicianRow.id)
    return _members(session, session.scalars(query).all(), zone, now)


def member(session: Session, technician_id: UUID, zone: ZoneInfo, now: datetime) -> Member:
    """Raises NotFound."""
    [found] = _members(session, [_person(session, technician_id)], zone, now)
    return found


def _members(
    session: Session, people: Sequence[TechnicianRow], zone: ZoneInfo, now: datetime
) -> list[Member]:
    booked = _booked(session, [row.id for row in people], now)
    away = _away(session, [row.id for row in people], now)
    policy, today = policy_in_force(session), now.astimezone(zone).date()

    def against(row: TechnicianRow, order: WorkOrder) -> str:
        spot = spot_now(order)
        assert spot is not None
        for one in away.get(row.id, []):
            if is_gone(one, spot):
                return away_in_words(row.name, one, zone)
        return unable(row, coming_of(order, spot), policy, zone)

    return [
        Member(
            row=row,
            certificates=tuple(_certificates(row, booked.get(row.id, []), zone, today)),
            hits=tuple(_hits(booked.get(row.id, []), zone, partial(against, row))),
            away=tuple(away.get(row.id, ())),
        )
        for row in people
    ]


def _booked(session: Session, ids: Sequence[UUID], now: datetime) -> dict[UUID, list[WorkOrder]]:
    """Technician → visits to come, in the order of time."""
    row = WorkOrderRow
    orders = repository.find(
        session,
        row.technician_id.in_(ids),
        row.state == WorkOrderState.ASSIGNED,
        row.planned_start >= now,
    )
    found: dict[UUID, list[WorkOrder]] = {}
    for order in sorted(orders, key=lambda one: (one.planned_start or now, one.number)):
        if order.technician_id is not None and spot_now(order) is not None:
            found.setdefault(order.technician_id, []).append(order)
    return found


def _away(session: Session, ids: Sequence[UUID], now: datetime) -> dict[UUID, list[absences.AbsenceRow]]:
    """Technician → absences that last or are still to come."""
    row = absences.AbsenceRow
    query = (
        select(row)
        .where(row.technician_id.in_(ids), row.ends_at > now, row.ends_at > row.starts_at)
        .order_by(row.starts_at, row.id)
    )
    found: dict[UUID, list[absences.AbsenceRow]] = {}
    for one in session.scalars(query):
        found.setdefault(one.technician_id, []).append(one)
    return found


def _hits(orders: Iterable[WorkOrder], zone: ZoneInfo, against: Callable[[WorkOrder], str]) -> Iterable[Hit]:
    for order in orders:
        start = order.planned_start
        if start is not None and (why := against(order)):
            day = start.astimezone(zone).date()
            yield Hit(work_order_id=order.id, number=order.number, start=start, on=day, why=why)


def _certificates(
    row: TechnicianRow, booked: Sequence[WorkOrder], zone: ZoneInfo, today: date
) -> Iterable[Certificate]:
    for skill, level in sorted(row.skills.items()):
        if int(level) <= 0:
            continue
        until = date.fromisoformat(text) if (text := row.valid_until.get(skill)) else None
        days = (until - today).days if until else None

        def needs(order: WorkOrder, skill: str = skill) -> str:
            asked = [need.level for need in order.required_skills if need.name == skill]
            return f"needs {skill} level {max(asked)}" if asked else ""

        yield Certificate(
            skill=skill,
            level=int(level),
            until=until,
            days=days,
            soon=days is not None and days <= SOON.days,
            needing=tuple(_hits(booked, zone, needs)),
        )


def known_skills(session: Session) -> list[str]:
    """Every skill that somebody has, by name."""
    return sorted({skill for row in session.scalars(select(TechnicianRow)) for skill in row.skills})


# --- deciding -----------------------------------------------------------------------------------------------


def set_skill(
    session: Session, technician_id: UUID, skill: str, level: int, *, by: str, now: datetime
) -> str:
    """Give a skill at `level`, or another level of it. Answers what was done, in words."""
    if level not in LEVELS:
        raise BadValue("Level: choose 1 (assists) to 5 (teaches)", field="level")
    row = _person(session, technician_id, lock=True)
    name = _spelt(session, skill)
    before = int(row.skills.get(name, 0))
    if before == level:
        raise BadValue(f"{row.name} has {name} at level {level} already", field="level")
    row.skills = {**row.skills, name: level}
    was = f"level {before} → {level}" if before else f"level {level}"
    return _kept(session, row, f"{name}: {was}", by, now)


def take_skill(session: Session, technician_id: UUID, skill: str, *, by: str, now: datetime) -> str:
    """The skill and its certificate are no longer theirs."""
    row = _person(session, technician_id, lock=True)
    level = _level(row, skill)
    row.skills = {name: one for name, one in row.skills.items() if name != skill}
    row.valid_until = {name: one for name, one in row.valid_until.items() if name != skill}
    return _kept(session, row, f"{skill}: level {level} → none", by, now)


def certify(
    session: Session,
    technician_id: UUID,
    skill: str,
    until: date | None,
    today: date,
    *,
    by: str,
    now: datetime,
) -> str:
    """The certificate counts until the end of `until`; None: the skill needs none."""
    row = _person(session, technician_id, lock=True)
    _level(row, skill)
    if until is not None and until < today:
        raise BadValue(
            f"Last day: choose today or a day to come, not {until:%d.%m.%Y}. To end it, withdraw it",
            field="until",
        )
    before = row.valid_until.get(skill)
    if before == (until.isoformat() if until else None):
        raise BadValue(f"The certificate for {skill} says so already", field="until")
    others = {name: one for name, one in row.valid_until.items() if name != skill}
    row.valid_until = others | ({skill: until.isoformat()} if until else {})
    return _kept(session, row, f"{skill} certificate: {_day(before)} → {_day(until)}", by, now)


def withdraw(
    session: Session, technician_id: UUID, skill: str, today: date, *, by: str, now: datetime
) -> str:
    """The certificate does not count any more, from today on. The level is kept for when it is renewed."""
    row = _person(session, technician_id, lock=True)
    _level(row, skill)
    yesterday = (today - timedelta(days=1)).isoformat()
    before = row.valid_until.get(skill)
    if before is not None and before <= yesterday:
        raise BadValue(f"The certificate for {skill} is over already", field="skill")
    row.valid_until = {**row.valid_until, skill: yesterday}
    return _kept(session, row, f"{skill} certificate: {_day(before)} → withdrawn", by, now)


def settle(
    session: Session, technician_id: UUID, territories: Sequence[str], stays: bool, *, by: str, now: datetime
) -> str:
    """Whose home is where: plans pay for each visit elsewhere, and with `stays` plan none."""
    row = _person(session, technician_id, lock=True)
    wanted = sorted(set(territories))
    there = {*policy_in_force(session).territories, *row.territories}
    if strange := [name for name in wanted if name not in there]:
        raise BadValue(f"There is no territory {strange[0]} in the policy in force", field="territories")
    if stays and not wanted:
        raise BadValue("Choose the territories to stay in, or let them go anywhere", field="territories")
    if (wanted, stays) == (sorted(row.territories), row.stays):
        raise BadValue("That is how it is already", field="territories")
    before = _home(row.territories, row.stays)
    row.territories, row.stays = wanted, stays
    return _kept(session, row, f"Territories: {before} → {_home(wanted, stays)}", by, now)


def allow_overtime(session: Session, technician_id: UUID, minutes: int, *, by: str, now: datetime) -> str:
    """So many minutes after the shift's end may be planned, at the policy's price."""
    if not 0 <= minutes <= OVERTIME_MAX:
        raise BadValue(f"Overtime: 0 to {OVERTIME_MAX} minutes", field="minutes")
    row = _person(session, technician_id, lock=True)
    if row.overtime_minutes == minutes:
        raise BadValue(f"{minutes} minutes are allowed already", field="minutes")
    before, row.overtime_minutes = row.overtime_minutes, minutes
    return _kept(session, row, f"Overtime: at most {before} → {minutes} min", by, now)


def _person(session: Session, technician_id: UUID, *, lock: bool = False) -> TechnicianRow:
    row = session.get(TechnicianRow, technician_id, with_for_update=lock or None, populate_existing=lock)
    if row is None or not row.active:
        raise NotFound("There is no such technician", field="technician_id")
    return row


def _level(row: TechnicianRow, skill: str) -> int:
    level = int(row.skills.get(skill, 0))
    if level <= 0:
        raise BadValue(f"{row.name} has no skill {skill}", field="skill")
    return level


def _spelt(session: Session, skill: str) -> str:
    """As it is spelt already, if anybody has it: the rules compare letter by letter."""
    name = tidy(skill, SKILL_LENGTH_MAX)
    if not name:
        raise BadValue("Skill: choose one or write a name", field="skill")
    same = {one.casefold(): one for one in known_skills(session)}
    return same.get(name.casefold(), name)


def _kept(session: Session, row: TechnicianRow, words: str, by: str, now: datetime) -> str:
    technician_changes.keep(session, row.id, words, by=by, now=now)
    session.flush()
    return words


def _day(day: date | str | None) -> str:
    if day is None:
        return "none needed"
    return f"until {date.fromisoformat(str(day)):%d.%m.%Y}"


def _home(territories: Sequence[str], stays: bool) -> str:
    names = ", ".join(sorted(territories)) or "anywhere"
    return f"{names}, never outside" if stays else names
