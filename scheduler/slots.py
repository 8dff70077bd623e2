"""Time slots that can be kept: where one more job has a place in a day, slot by slot, and what it costs.

A slot is on offer when the job can be put between the visits that everybody knows of, and all of them, and
all that is promised for the day and has no technician yet, keep what they were promised. So a day without a
plan is first given a sketch of one: a place for everything promised.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from scheduler.baseline import Orders, greedy, keep_feasible, undone_jobs
from scheduler.emergency import Delay
from scheduler.live import standing
from scheduler.plan import Plan
from scheduler.repair import make_room
from scheduler.request import COST_MAX, PlanRequest, Window
from scheduler.timing import Day, Misfit

Place = tuple[str, int]
"""A technician and a minute."""
Sketch = Mapping[str, tuple[str, ...]]
"""Technician → jobs in the order of their visits, begun visits left out."""

NEAR_MINUTES = 10
"""A detour of at most so much driving: somebody is near then anyway."""
GREEDY_PLACES = 4_000  # technicians × jobs up to which insertion in plain Python is no matter of seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The cheapest place in one slot.

    added_cost in cents. detour_minutes: drives more than without. delays: visits that move for it, within
    their promises. position: among the technician's visits, begun ones included.
    """

    slot: Window
    technician_id: str
    position: int
    start: int
    travel_minutes: int
    detour_minutes: int
    near: bool
    added_cost: int
    delays: tuple[Delay, ...]


def sketch(
    request: PlanRequest,
    plan: Plan,
    placed: Mapping[str, Place],
    *,
    without: Collection[str] = (),
    before: Sketch | None = None,
    seconds: float = 1.0,
) -> tuple[PlanRequest, Sketch]:
    """A place for every visit of `plan` and everything promised for the day, and the request it holds in.

    placed: where else jobs are known to fit, taken over as far as they still do. before: an earlier sketch,
    to begin from. without: jobs that are only asked about. Jobs without a window can wait for another day and
    are no part of it. What finds no place is missing. The request returned has every job; windows that the
    clock has broken are open as late as it will be. seconds: for a day too large to fill by insertion alone.
    """
    now = standing(request, plan)
    planned = {visit.job_id for _, visit in plan.visits()}
    wanted = {
        job.id
        for job in now.request.jobs
        if job.fixed_start is not None
        or (job.id not in without and (job.windows or job.id in planned or job.id in placed))
    }
    day = Day(_only(now.request, wanted))
    orders: Orders = [[day.job_number[id] for id in now.orders[person.id]] for person in day.technicians]
    minutes = {visit.job_id: visit.start for _, visit in plan.visits()}
    known = [(id, place) for id, place in placed.items() if id in day.job_number]
    for id, (person, minute) in sorted(known, key=lambda one: (one[1][1], one[0])):
        number, minutes[id] = day.job_number[id], minute
        if person in day.technician_number and not any(number in order for order in orders):
            _add(day, orders, day.technician_number[person], number, minutes)
    for person, ids in (before or {}).items():
        for id in ids:
            again = day.job_number.get(id)
            if again is not None and again in undone_jobs(day, orders) and person in day.technician_number:
                _add_cheapest(day, orders, day.technician_number[person], again)
    waiting = undone_jobs(day, orders)
    if len(waiting) * len(day.technicians) <= GREEDY_PLACES:
        orders = make_room(day, greedy(day, orders), deadline=time.monotonic() + seconds)
    else:
        from scheduler.engine.search import Budget, improve  # compiled code takes half a second to load

        budget = Budget(seconds=seconds, began=time.monotonic())
        orders = keep_feasible(day, improve(day, orders, budget, warm=True))
    found = {
        person.id: tuple(day.jobs[n].id for n in order)
        for person, order in zip(day.technicians, orders, strict=True)
    }
    return now.request, found


def _only(request: PlanRequest, wanted: Collection[str]) -> PlanRequest:
    """Nothing is left out to save a drive: a promise is worth more than any."""
    jobs = tuple(replace(job, drop_cost=COST_MAX) for job in request.jobs if job.id in wanted)
    people = tuple(
        replace(person, bias={id: cost for id, cost in person.bias.items() if id in wanted})
        for person in request.technicians
    )
    return replace(request, technicians=people, jobs=jobs)


def _add(day: Day, orders: Orders, person: int, number: int, minutes: Mapping[str, int]) -> None:
    """At its known minute where that fits, else where it costs least with the same technician."""
    minute = minutes[day.jobs[number].id]
    at = sum(minutes.get(day.jobs[n].id, 0) <= minute for n in orders[person])
    longer = [*orders[person][:at], number, *orders[person][at:]]
    fits = day.may_go(person, number) and day.parts_suffice(person, longer, orders)
    if fits and not isinstance(day.times(person, longer), Misfit):
        orders[person] = longer
    else:
        _add_cheapest(day, orders, person, number)


def _add_cheapest(day: Day, orders: Orders, person: int, number: int) -> None:
    best = min(_places(day, person, orders, number), default=None)
    if best:
        orders[person].insert(best[1], number)


def openings(
    request: PlanRequest, found: Sketch, job_id: str, slots: Sequence[Window]
) -> tuple[Opening | None, ...]:
    """The cheapest place for `job_id` in each of `slots`, or None: whatever the job's own windows say.

    request, found: what `sketch` returned; the job is in the request and in no route. slots: in order of
    time, none overlapping another.
    """
    day = Day(request)
    job = day.job_number[job_id]
    orders = [[day.job_number[id] for id in found.get(person.id, ())] for person in day.technicians]
    # Where it can't be even as early as any slot allows, it can't be later: most places are looked at once.
    day.windows[job] = tuple((slot.opens, slot.closes) for slot in slots)
    able = {person: [at for _, at in _places(day, person, orders, job)] for person in range(len(orders))}
    chosen: list[Opening | None] = []
    for slot in slots:
        day.windows[job] = ((slot.opens, slot.closes),)
        best = min(
            (
                (cost, person, position)
                for person, positions in able.items()
                for cost, position in _places(day, person, orders, job, positions)
            ),
            default=None,
        )
        chosen.append(_opening(day, orders[best[1]], job, slot, *best) if best else None)
    return tuple(chosen)


def _places(
    day: Day,
    person: int,
    orders: Sequence[Sequence[int]],
    job: int,
    positions: Sequence[int] | None = None,
) -> list[tuple[int, int]]:
    """(added cost in cents, position) wherever the job fits with the technician, of `positions` or of all."""
    order = orders[person]
    if not day.may_go(person, job) or not day.parts_suffice(person, [*order, job], orders):
        return []
    base = day.timed(person, order)
    if isinstance(base, Misfit):
        return []
    found = []
    for at in range(len(order) + 1) if positions is None else positions:
        timed = day.timed(person, [*order[:at], job, *order[at:]])
        if not isinstance(timed, Misfit):
            found.append((timed[1].total - base[1].total, at))
    return found


def _opening(
    day: Day, order: Sequence[int], job: int, slot: Window, cost: int, person: int, position: int
) -> Opening:
    longer = [*order[:position], job, *order[position:]]
    before, after = day.timed(person, order), day.timed(person, longer)
    assert not isinstance(before, Misfit) and not isinstance(after, Misfit)
    told = dict(zip(order, before[0].starts, strict=True))
    technician = day.technicians[person]
    stops = [day.origins[person].place, *(day.jobs[n].place for n in order), technician.end_place]
    came, goes, here = stops[position], stops[position + 1], day.jobs[job].place
    # Of a day off, the whole round is the detour: nobody would have set out.
    direct = day.minutes[came][goes] if order or day.origins[person].begun else 0
    detour = max(0, day.minutes[came][here] + day.minutes[here][goes] - direct)
    return Opening(
        slot=slot,
        technician_id=technician.id,
        position=len(day.origins[person].begun) + position,
        start=after[0].starts[position],
        travel_minutes=day.minutes[came][here],
        detour_minutes=detour,
        near=bool(order) and detour <= NEAR_MINUTES,
        added_cost=cost,
        delays=tuple(
            Delay(job_id=day.jobs[n].id, technician_id=technician.id, start_before=told[n], start_after=start)
            for n, start in zip(longer, after[0].starts, strict=True)
            if n != job and start != told[n]
        ),
    )
