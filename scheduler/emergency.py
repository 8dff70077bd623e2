"""An emergency comes in: the cheapest ways to take it into a plan, and whom each delays.

`best_insertions` tries every place and needs no search. Where a full day has none, `least_disruption` looks
for half a second how few others must move.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from scheduler.baseline import Orders, keep_feasible, places, undone_jobs
from scheduler.explain import explain_unassigned, unassigned
from scheduler.explain_links import is_needed, missing
from scheduler.linked import with_least_change
from scheduler.links import Links
from scheduler.plan import Cost, Plan, Unassigned
from scheduler.request import COST_MAX, InvalidRequest, Job, PlanRequest
from scheduler.standing import keep_linked, linked_day, places_left, settled
from scheduler.timing import Day, Misfit

KEEP_TECHNICIAN_SECONDS = 2 * 3600  # so much driving is better than to send somebody else than was told
KEEP_TIME_SECONDS = 60  # and so much, for each minute that a customer would wait longer than was told


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """A visit that would begin later (or, below zero, earlier) than in the plan at hand."""

    job_id: str
    technician_id: str
    start_before: int
    start_after: int

    @property
    def minutes(self) -> int:
        return self.start_after - self.start_before


@dataclass(frozen=True, slots=True, kw_only=True)
class Insertion:
    """One way to take a job into a plan. `position` counts the technician's visits, begun ones included.

    added_cost is in cents and counts the visits in `displaced` as undone; `affected` are visits that move.
    """

    job_id: str
    technician_id: str
    position: int
    start: int
    added_cost: Cost
    affected: tuple[Delay, ...]
    displaced: tuple[str, ...] = ()


def best_insertions(
    request: PlanRequest, plan: Plan, job_id: str, *, count: int = 3
) -> tuple[Insertion, ...]:
    """The cheapest ways to take one more job into `plan`, best first, one a technician; no solver, some ms.

    `request` holds the job and every job of `plan`. No way breaks a link: a visit that others begin with or
    wait for moves as far as they let it, and is not pushed out. When fewer than `count` technicians have
    room, ways that push one cheaper visit out are offered too: the dispatcher decides. Empty when even that
    does not help, or when the job needs visits that are not planned.
    """
    day, orders = linked_day(request, plan, job_id)
    if job_id not in day.job_number:
        raise InvalidRequest(f"job {job_id} is not in the request")
    job = day.job_number[job_id]
    if any(visit.job_id == job_id for _, visit in plan.visits()):
        raise InvalidRequest(f"job {job_id} is planned already")
    orders = places_left(day, orders, job)
    if missing(day, orders, job):
        return ()  # one visit alone would be half of what belongs together
    ways = [way for person in range(len(orders)) if (way := _cheapest(day, person, orders, job, None))]
    ways.sort(key=lambda way: way.added_cost.total)
    if len(ways) < count:
        open_to = {way.technician_id for way in ways}
        full = [
            person
            for person in range(len(orders))
            if day.technicians[person].id not in open_to and day.may_go(person, job)
        ]
        ways += _displacing(day, full, orders, job, count - len(ways))
    return tuple(ways[:count])


def _displacing(
    day: Day, full: Sequence[int], orders: Sequence[Sequence[int]], job: int, count: int
) -> list[Insertion]:
    """The cheapest ways that push one cheaper visit out, one a technician, at most `count`."""
    bounds = sorted(
        (_least_cost_of_pushing(day, person, orders[person], number), person, number)
        for person in full
        for number in orders[person]
        if day.undone[number] < day.undone[job]
        and day.jobs[number].pinned is None
        and not is_needed(day, job, number)
    )
    best: dict[int, Insertion] = {}
    for bound, person, number in bounds:
        found = sorted(way.added_cost.total for way in best.values())
        if len(found) >= count and bound > found[count - 1]:
            break
        way = _cheapest(day, person, orders, job, number)
        if way and (person not in best or way.added_cost.total < best[person].added_cost.total):
            best[person] = way
    return sorted(best.values(), key=lambda way: way.added_cost.total)[:count]


def _least_cost_of_pushing(day: Day, technician: int, order: Sequence[int], number: int) -> int:
    """No way of pushing the visit out for another costs less, for the other one's drive is not counted."""
    timed = day.timed(technician, order)
    if isinstance(timed, Misfit):
        return 0  # such a route is no place to add to; `_cheapest` says so
    at = order.index(number)
    stops = [
        day.origins[technician].place,
        *(day.jobs[n].place for n in order),
        day.technicians[technician].end_place,
    ]
    before, here, after = stops[at : at + 3]
    drive = day.drive_cost
    detour = drive[before][here] + drive[here][after] - drive[before][after]
    return day.undone[number] - max(0, detour) - (timed[1].total - timed[1].travel)


def _cheapest(
    day: Day, technician: int, orders: Sequence[Sequence[int]], job: int, push_out: int | None
) -> Insertion | None:
    order = orders[technician]
    if not day.may_go(technician, job):
        return None
    timed = day.timed(technician, order)
    if isinstance(timed, Misfit):
        return None  # the day has moved on and this route no longer holds: not a place to add to
    before, base = timed
    rest = [n for n in order if n != push_out]
    ways = [
        (cost.total, position, cost, times)
        for position, cost, times in places(day, technician, rest, job, orders)
    ]
    if not ways:
        return None
    _, position, cost, times = min(ways, key=lambda way: way[:2])
    starts_before = dict(zip(order, before.starts, strict=True))
    longer = [*rest[:position], job, *rest[position:]]
    person = day.technicians[technician].id
    affected = tuple(
        Delay(job_id=day.jobs[n].id, technician_id=person, start_before=starts_before[n], start_after=start)
        for n, start in zip(longer, times.starts, strict=True)
        if n != job and start != starts_before[n]
    )
    lost = Cost(unserved=day.undone[push_out]) if push_out is not None else Cost()
    return Insertion(
        job_id=day.jobs[job].id,
        technician_id=person,
        position=len(day.origins[technician].begun) + position,
        start=times.starts[position],
        added_cost=cost - base + lost,
        affected=affected,
        displaced=(day.jobs[push_out].id,) if push_out is not None else (),
    )


def apply_insertion(request: PlanRequest, plan: Plan, insertion: Insertion) -> Plan:
    """Return `plan` with the insertion made; displaced visits join those left undone."""
    day, told = linked_day(request, plan, insertion.job_id)
    orders = keep_linked(day, told, day.job_number[insertion.job_id])
    technician = day.technician_number[insertion.technician_id]
    job = day.job_number[insertion.job_id]
    order = [n for n in orders[technician] if day.jobs[n].id not in insertion.displaced]
    position = insertion.position - len(day.origins[technician].begun)
    orders[technician] = [*order[:position], job, *order[position:]]
    if day.links and job in day.links.jobs:
        day.starts[job] = insertion.start
    return day.plan(orders, explain_unassigned(day, orders), engine=plan.engine, seed=plan.seed)


def least_disruption(
    request: PlanRequest,
    plan: Plan,
    job_id: str,
    *,
    seconds: float = 0.4,
    rounds: int | None = None,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> Plan:
    """`plan` with one more job in it, where that can be, and as few others moved as can be found.

    `request` holds the job and every job of `plan`. Each visit keeps its technician and its time where that
    costs no more than KEEP_… says, and no planned job is left out for the new one. seconds: time to search.
    """
    from scheduler.engine.search import Budget, improve  # compiled code takes half a second to load

    if all(job.id != job_id for job in request.jobs):
        raise InvalidRequest(f"job {job_id} is not in the request")
    began = clock()
    quiet = Day(_keeping(request, plan, job_id))
    start = keep_feasible(quiet, quiet.orders_of(plan))
    budget = Budget(seconds=seconds + clock() - began, rounds=rounds, clock=clock, began=began)
    around = quiet.job_number[job_id]

    def search(held: Day, orders: Orders, part: Budget, near: bool) -> Orders:
        return improve(held, orders, part, warm=near, seed=seed, around=around)

    if links := Links(quiet):
        standing = with_least_change(quiet, links, start, budget, search, seed)
        found, starts = standing.orders, standing.starts
    else:
        found, starts = keep_feasible(quiet, search(quiet, start, budget, True)), {}
    day = Day(request)
    number = [day.job_number[job.id] for job in quiet.jobs]
    orders = [[number[n] for n in order] for order in found]
    if links:
        held = settled(day, Links(day), orders, {number[n]: start for n, start in starts.items()})
        day, orders = held.held_day(), held.orders
    return day.plan(orders, left_out(day, orders, plan), engine="least-disruption", seed=seed)


def _keeping(request: PlanRequest, plan: Plan, job_id: str) -> PlanRequest:
    """The request in which every customer of `plan` has been told who comes and when.

    What was left out stays out, so that nothing but the new job is looked for a place.
    """
    told = {visit.job_id: (person, visit.start) for person, visit in plan.visits()}
    # More than anything that could be won by it: to come when one has promised to.
    promise = sum(request.weights.leave_undone(job) for job in request.jobs if job.id not in told) + 1

    def kept(job: Job) -> Job:
        if job.id not in told:
            return job
        worth = min(COST_MAX, request.weights.leave_undone(job) + promise)
        person, start = told[job.id]
        return replace(job, previous_technician=person, previous_start=start, drop_cost=worth)

    weights = replace(
        request.weights,
        other_technician=max(
            request.weights.other_technician, request.weights.drive(KEEP_TECHNICIAN_SECONDS, 0)
        ),
        later_minute=max(request.weights.later_minute, request.weights.drive(KEEP_TIME_SECONDS, 0)),
    )
    needed = _needed(request, {*told, job_id})
    jobs = tuple(kept(job) for job in request.jobs if job.id in needed)
    people = tuple(
        replace(person, bias={id: cost for id, cost in person.bias.items() if id in needed})
        for person in request.technicians
    )
    return replace(request, technicians=people, jobs=jobs, weights=weights)


def _needed(request: PlanRequest, wanted: set[str]) -> set[str]:
    """`wanted`, what these jobs begin with and what they wait for, and so on."""
    jobs = {job.id: job for job in request.jobs}
    groups: dict[str, list[str]] = {}
    for job in request.jobs:
        if job.together is not None:
            groups.setdefault(job.together, []).append(job.id)
    found: set[str] = set()
    stack = [id for id in wanted if id in jobs]
    while stack:
        if (id := stack.pop()) not in found:
            found.add(id)
            stack += [link.job for link in jobs[id].after]
            stack += groups.get(jobs[id].together or "", [])
    return found


def left_out(day: Day, orders: Sequence[Sequence[int]], plan: Plan) -> tuple[Unassigned, ...]:
    """What stays undone. Who was left out before is so for the reason given then: routes only got fuller."""
    before = {left.job_id: left for left in plan.unassigned}
    return tuple(
        before.get(day.jobs[number].id) or unassigned(day, orders, number)
        for number in undone_jobs(day, orders)
    )
