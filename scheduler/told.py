"""A plan of visits at times that somebody else has chosen: what people were told, what a hand has moved.

The solver sets its own times; here they are given, and are kept even where they can't be: the checker then
says what is wrong with them. Drives, setups, breaks and traffic take as long as in the solver's own plans.
Lunch and breaks are put where they disturb nobody, as far as there are such places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from scheduler.check import cost_of
from scheduler.plan import Cost, Plan, Route, Unassigned
from scheduler.request import PlanRequest
from scheduler.timing import Day, Times
from scheduler.walk import Rest, Walk, with_rests

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
    day = Day(request)
    rank = {job_id: number for number, job_id in enumerate(places)}
    stops: list[list[tuple[int, int, int]]] = [[] for _ in day.technicians]  # start, rank, job
    undone = []
    for number in day.open_jobs:
        id = day.jobs[number].id
        person, start = places.get(id, ("", 0))
        if person in day.technician_number:
            stops[day.technician_number[person]].append((start, rank[id], number))
        else:
            known = (left_out or {}).get(id)
            undone.append(
                known or Unassigned(job_id=id, code="day_full", reason="nobody was told to go there")
            )
    routes = []
    for technician, shift in enumerate(day.technicians):
        own = sorted(stops[technician])
        order, starts = [number for _, _, number in own], [start for start, _, _ in own]
        routes.append(_route(day, technician, order, starts, (lunches or {}).get(shift.id)))
    plan = Plan(
        routes=tuple(routes),
        unassigned=tuple(undone),
        cost=Cost(),
        engine=engine,
        roads=request.travel.engine,
        roads_estimated=request.travel.estimated,
        seed=0,
    )
    return replace(plan, cost=cost_of(request, plan))


def _route(
    day: Day, technician: int, order: Sequence[int], starts: Sequence[int], lunch: int | None
) -> Route:
    person, rests = day.technicians[technician], day.origins[technician].rests
    had, back = _between(day, technician, order, starts, rests)
    if person.lunch and lunch is not None:
        at = next(n for n, rest in enumerate(person.rests) if rest is person.lunch)
        soonest, latest, minutes = rests[at]
        if soonest <= lunch <= latest:
            wished = [*rests[:at], (lunch, latest, minutes), *rests[at + 1 :]]
            then, home = _between(day, technician, order, starts, wished)
            if len(then) == len(rests) and then[at][1] == lunch:
                had, back = then, home
    if person.breaks or day.pace:
        # A break without a place is written out as one at home, and then taken off again.
        every = tuple(had.get(n, (None, 0)) for n in range(len(rests)))
        times = Times(tuple(starts), back, None, None, every)
    else:
        times = Times(tuple(starts), back, *had.get(0, (None, None)))
    route = day.route(technician, order, times)
    placed = [id(person.rests[n]) for n in had]
    breaks = zip(person.breaks, route.break_starts, strict=False)
    return replace(
        route,
        # A time that can't be kept is shown as kept, and the checker says by how much it is not.
        visits=tuple(replace(visit, arrive=min(visit.arrive, visit.start)) for visit in route.visits),
        lunch_start=route.lunch_start if id(person.lunch) in placed else None,
        break_starts=tuple(start for _, start in takewhile(lambda one: id(one[0]) in placed, breaks)),
    )


Had = dict[int, tuple[int | None, int]]
"""Number of a break → the drive on which it is had (None: at home) and its start."""


def _between(
    day: Day, technician: int, order: Sequence[int], starts: Sequence[int], rests: Sequence[Rest]
) -> tuple[Had, int]:
    """The breaks that make nobody wait, each on the first drive with room for it, and when one is home. Those
    that can wait for home are had there; who has no place is missing."""
    origin, pace = day.origins[technician], day.pace
    freed, place, had, due = origin.minute, origin.place, Had(), list(range(len(rests)))
    for leg, (number, start) in enumerate(zip(order, starts, strict=True)):
        drive, place = day.minutes[place][day.jobs[number].place], day.jobs[number].place
        due = [n for n in due if freed <= rests[n][1]]
        for some in range(len(due), 0, -1):
            there = with_rests(Walk(freed), drive, leg, [rests[n] for n in due[:some]], pace)
            if there and there.minute <= start:
                had |= zip(due, there.rests, strict=False)
                due = due[some:]
                break
        freed = start + day.stay(technician, order, leg)
    drive = day.minutes[place][day.technicians[technician].end_place] if order or origin.begun else 0
    due = [n for n in due if freed <= rests[n][1]]
    for some in range(len(due) + 1):
        home = with_rests(Walk(freed), drive, len(order), [rests[n] for n in due[:some]], pace)
        if home is None:
            break  # of the breaks that are left none can begin any more
        had |= zip(due, home.rests, strict=False)
        back = home.minute
        if some < len(due) and back <= rests[due[some]][1]:
            had |= {n: (None, max(back, rests[n][0])) for n in due[some:]}
            break
    return had, back
