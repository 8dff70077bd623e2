"""A plan of visits at times that somebody else has chosen: what people were told, what a hand has moved.

The solver sets its own times; here they are given, and are kept even where they can't be: the checker then
says what is wrong with them. Lunch is put where it disturbs nobody, if there is such a place. Where more
tells the time, scheduler/told_times.py does it.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

from scheduler.check import cost_of
from scheduler.plan import Cost, Plan, Route, Unassigned, Visit
from scheduler.request import Job, PlanRequest, Technician
from scheduler.told_times import is_varied, timed

Places = Mapping[str, tuple[str, int]]
"""Job → (technician, minute at which work begins)."""


def told(
    request: PlanRequest,
    places: Places,
    *,
    engine: str = "told",
    left_out: Mapping[str, Unassigned] | None = None,
    lunches: Mapping[str, int] | None = None,
) -> Plan:
    """The plan in which each job of `places` is visited as said there; begun jobs are where they began.

    Of visits at one minute the one that `places` names first comes first. Jobs of neither are left undone,
    for the reason in `left_out` where there is one. lunches: technician → minute, taken where it fits. What
    is said of unknown jobs or technicians is passed over.
    """
    people = {person.id for person in request.technicians}
    rank = {job_id: number for number, job_id in enumerate(places)}
    routes: dict[str, list[tuple[int, Job]]] = {person.id: [] for person in request.technicians}
    undone = []
    for job in request.jobs:
        if job.fixed_start is not None and job.technician is not None:
            routes[job.technician].append((job.fixed_start, job))
            continue
        person, start = places.get(job.id, ("", 0))
        if person in people:
            routes[person].append((start, job))
        else:
            known = (left_out or {}).get(job.id)
            undone.append(
                known or Unassigned(job_id=job.id, code="day_full", reason="nobody was told to go there")
            )
    plan = Plan(
        routes=tuple(
            _route(
                request,
                person,
                sorted(routes[person.id], key=lambda stop: (stop[0], rank.get(stop[1].id, -1))),
                (lunches or {}).get(person.id),
            )
            for person in request.technicians
        ),
        unassigned=tuple(undone),
        cost=Cost(),
        engine=engine,
        roads=request.travel.engine,
        roads_estimated=request.travel.estimated,
        seed=0,
    )
    return replace(plan, cost=cost_of(request, plan))


@dataclass(frozen=True, slots=True)
class _Leg:
    """From being free at `freed` a drive of `drive` minutes; the next work begins at `until` (None: home)."""

    freed: int
    drive: int
    until: int | None


def _route(
    request: PlanRequest, person: Technician, stops: list[tuple[int, Job]], lunch: int | None
) -> Route:
    if not stops:
        return Route(technician_id=person.id, leave=person.shift_start, back=person.shift_start)
    travel = request.travel
    begun = sorted((s for s in stops if s[1].fixed_start is not None), key=lambda s: (s[0], s[1].minutes))
    ahead = [s for s in stops if s[1].fixed_start is None]
    free_from = max(person.shift_start, request.now, *(start + job.minutes for start, job in begun), 0)
    place = begun[-1][1].place if begun else person.start_place
    if is_varied(request, person, stops):
        return _varied(request, person, begun, ahead, free_from)
    freed, legs = free_from, []
    for start, job in ahead:
        legs.append(_Leg(freed, travel.minutes(place, job.place), start))
        freed, place = start + job.minutes, job.place
    legs.append(_Leg(freed, travel.minutes(place, person.end_place), None))
    lunch_leg, lunch_start = _lunch(person, legs, free_from, lunch)
    pause = person.lunch.minutes if person.lunch else 0

    def arrival(number: int) -> int:
        """When the drive of a leg ends, lunch on the way included."""
        there = legs[number].freed + legs[number].drive
        return there + pause if number == lunch_leg and (lunch_start or 0) < there else there

    visits = []
    before = person.start_place
    for number, (start, job) in enumerate([*begun, *ahead], start=-len(begun)):
        visits.append(
            Visit(
                job_id=job.id,
                # A time that can't be kept is shown as kept, and the checker says by how much it is not.
                arrive=start if number < 0 else min(start, arrival(number)),
                start=start,
                end=start + job.minutes,
                travel_minutes=travel.minutes(before, job.place),
                travel_metres=travel.metres[before][job.place],
                fixed=number < 0,
            )
        )
        before = job.place
    home = len(ahead)
    if begun:
        leave = max(0, visits[0].arrive - visits[0].travel_minutes)
    else:
        on_the_way = pause if lunch_leg == 0 and (lunch_start or 0) < legs[0].freed + legs[0].drive else 0
        leave = max(free_from, visits[0].start - legs[0].drive - on_the_way)
    places = [person.start_place, *(job.place for _, job in [*begun, *ahead]), person.end_place]
    drives = list(itertools.pairwise(places))
    return Route(
        technician_id=person.id,
        visits=tuple(visits),
        leave=leave,
        back=arrival(home),
        lunch_start=lunch_start,
        travel_minutes=sum(travel.minutes(i, j) for i, j in drives),
        travel_seconds=sum(travel.seconds[i][j] for i, j in drives),
        travel_metres=sum(travel.metres[i][j] for i, j in drives),
    )


def _varied(
    request: PlanRequest,
    person: Technician,
    begun: list[tuple[int, Job]],
    ahead: list[tuple[int, Job]],
    free_from: int,
) -> Route:
    """The same with breaks, setups and traffic."""
    travel, found = request.travel, timed(request, person, begun, ahead, free_from)
    visits, before = [], person.start_place
    for number, (start, job) in enumerate([*begun, *ahead], start=-len(begun)):
        end = start + job.minutes if number < 0 else found.ends[number]
        visits.append(
            Visit(
                job_id=job.id,
                arrive=start if number < 0 else found.arrives[number],
                start=start,
                end=end,
                travel_minutes=travel.minutes(before, job.place),
                travel_metres=travel.metres[before][job.place],
                fixed=number < 0,
                setup_minutes=end - start - job.minutes,
            )
        )
        before = job.place
    places = [person.start_place, *(job.place for _, job in [*begun, *ahead]), person.end_place]
    drives = list(itertools.pairwise(places))
    had = [begins for rest, begins in found.rests if rest is person.lunch]
    left = [(rest, begins) for rest, begins in found.rests if rest is not person.lunch]
    order = {id(rest): number for number, rest in enumerate(person.breaks)}
    return Route(
        technician_id=person.id,
        visits=tuple(visits),
        leave=max(0, visits[0].arrive - visits[0].travel_minutes) if begun else found.leave,
        back=found.back,
        lunch_start=had[0] if had else None,
        break_starts=tuple(begins for rest, begins in sorted(left, key=lambda one: order[id(one[0])])),
        travel_minutes=sum(travel.minutes(i, j) for i, j in drives),
        travel_seconds=sum(travel.seconds[i][j] for i, j in drives),
        travel_metres=sum(travel.metres[i][j] for i, j in drives),
    )


def _lunch(
    person: Technician, legs: list[_Leg], free_from: int, wished: int | None
) -> tuple[int | None, int | None]:
    """(leg, minute) of a lunch that makes nobody wait; (None, None) when none is due or there is no room."""
    rule = person.lunch
    if rule is None:
        return None, None
    latest = max(rule.latest, free_from)
    if wished is not None:
        for number, leg in enumerate(legs):
            within = max(leg.freed, rule.earliest) <= wished <= latest
            if (
                within
                and leg.until is not None
                and max(leg.freed + leg.drive, wished) + rule.minutes <= leg.until
            ):
                return number, wished
    for number, leg in enumerate(legs):
        there = leg.freed + leg.drive
        if leg.until is None:
            if there <= latest:
                return None, max(there, rule.earliest)  # at home, the day being done
            start = max(leg.freed, rule.earliest)
            return (number, start) if start <= latest else (None, None)
        start = max(leg.freed, rule.earliest)
        if start <= latest and max(there, start) + rule.minutes <= leg.until:
            return number, start
    return None, None
