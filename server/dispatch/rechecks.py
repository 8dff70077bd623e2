"""What speaks by now against visits that were worked out a while ago: looked at again where they are booked.

Thinking takes a minute; a proposal and a held time slot lie open for some. Whoever fell ill meanwhile, or
lost a certificate, must not be sent. Which orders have changed themselves is not asked here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.policy import Pair, certified, skilled, stays
from scheduler.request import Job, Technician
from server.dispatch import absences
from server.dispatch.absences import AbsenceRow, Reason
from server.dispatch.models import TechnicianRow
from server.dispatch.policy import PlanningPolicy, policy_in_force
from shared.skills import SkillNeed
from shared.work_orders import WorkOrder

RULES = (stays, skilled, certified)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Somebody's time at a visit and on the way to it, [starts, ends)."""

    technician_id: UUID
    starts: datetime
    ends: datetime

    def meets(self, other: Spot) -> bool:
        same = self.technician_id == other.technician_id
        return same and self.starts < other.ends and other.starts < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A visit about to be booked. by_hand: a person chose who goes and knew what they can do."""

    spot: Spot
    skills: Sequence[SkillNeed] = field(default=())
    postcode: str = ""
    by_hand: bool = False


def spot_of(technician_id: UUID, start: datetime, end: datetime, travel_minutes: int) -> Spot:
    return Spot(technician_id=technician_id, starts=start - timedelta(minutes=travel_minutes), ends=end)


def spot_now(order: WorkOrder) -> Spot | None:
    """Where the order is planned, if anywhere."""
    if order.technician_id is None or order.planned_start is None or order.planned_end is None:
        return None
    return spot_of(order.technician_id, order.planned_start, order.planned_end, order.travel_minutes)


def coming_of(order: WorkOrder, spot: Spot, *, by_hand: bool = False) -> Coming:
    return Coming(spot=spot, skills=order.required_skills, postcode=order.place.postcode, by_hand=by_hand)


def objections(
    session: Session, zone: ZoneInfo, visits: Mapping[str, Coming], *, known: Collection[UUID] = ()
) -> dict[str, str]:
    """Name → why that visit can't be any more, in a sentence that names who and since when.

    known: absences that were known when the visits were worked out, which therefore keep clear of them.
    """
    if not visits:
        return {}
    ids = {visit.spot.technician_id for visit in visits.values()}
    rows = session.scalars(
        select(TechnicianRow).where(TechnicianRow.id.in_(ids)).execution_options(populate_existing=True)
    )
    people = {row.id: row for row in rows}
    first = min(visit.spot.starts for visit in visits.values())
    last = max(visit.spot.ends for visit in visits.values())
    away = [one for one in absences.of_day(session, first, last) if one.id not in known]
    policy = policy_in_force(session)
    found: dict[str, str] = {}
    for name, visit in visits.items():
        person = people.get(visit.spot.technician_id)
        if person is None or not person.active:
            found[name] = f"{person.name if person else 'The technician'} does not work here any more"
        elif gone := [one for one in away if is_gone(one, visit.spot)]:
            found[name] = away_in_words(person.name, gone[0], zone)
        elif not visit.by_hand and (broken := unable(person, visit, policy, zone)):
            found[name] = f"{person.name} can't do it any more: {broken}"
    return found


def is_gone(absence: AbsenceRow, spot: Spot) -> bool:
    there = absence.technician_id == spot.technician_id
    return there and absence.starts_at < spot.ends and spot.starts < absence.ends_at


def away_in_words(name: str, absence: AbsenceRow, zone: ZoneInfo) -> str:
    """Who is away since when, for how long and why, and who noted it when."""
    starts, ends, noted = (
        at.astimezone(zone) for at in (absence.starts_at, absence.ends_at, absence.noted_at)
    )
    until = f"{ends:%H:%M}" if ends.date() == starts.date() else f"{ends:%d.%m. %H:%M}"
    why = absences.WORDS[Reason(absence.reason)]
    return (
        f"{name} is away from {starts:%d.%m. %H:%M} to {until} ({why}), "
        f"noted at {noted:%H:%M} by {absence.noted_by}"
    )


def unable(person: TechnicianRow, visit: Coming, policy: PlanningPolicy, zone: ZoneInfo) -> str:
    """The rules on person and place that are broken by now, in the scheduler's own words."""
    skills: dict[str, int] = {}
    for need in visit.skills:
        skills[need.name] = max(need.level, skills.get(need.name, 1))
    able = {skill: int(level) for skill, level in person.skills.items() if int(level) > 0}
    pair = Pair(
        Technician(
            id=person.name.strip() or "Nameless",
            start_place=0,
            end_place=0,
            shift_start=0,
            shift_end=1,
            skills=able,
            valid_until={skill: until for skill, until in person.valid_until.items() if skill in able},
            territories=tuple(person.territories),
            stays=person.stays and bool(person.territories),
        ),
        Job(
            id="visit",
            place=0,
            minutes=0,
            skills=skills,
            territory=policy.territory_of(visit.postcode),
        ),
        {},
        visit.spot.starts.astimezone(zone).date(),
    )
    return ", ".join(broken.text for rule in RULES for broken in rule(pair))


def in_the_way(
    refused: Mapping[str, str], visits: Mapping[str, Coming], now: Mapping[str, Spot]
) -> dict[str, str]:
    """`refused`, and what can't be for it: a visit that isn't moved keeps the time where it is `now`.

    Whoever was to come into that time stays, too, and so on.
    """
    found = dict(refused)
    fresh = list(refused)
    while fresh:
        stays_at = now.get(name := fresh.pop())
        if stays_at is None:
            continue
        for other, visit in visits.items():
            if other not in found and visit.spot.meets(stays_at):
                found[other] = f"{name} stays where it is, in the time that this one was to have"
                fresh.append(other)
    return found
