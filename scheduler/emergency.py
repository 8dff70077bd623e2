"""An emergency comes in: the cheapest ways to take it into a plan, and whom each delays. No solver."""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.baseline import keep_feasible, places
from scheduler.explain import explain_unassigned
from scheduler.plan import Cost, Plan
from scheduler.request import InvalidRequest, PlanRequest
from scheduler.timing import Day, Misfit


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

    `request` holds the job and every job of `plan`. When fewer than `count` technicians have room, ways that
    push one cheaper visit out are offered too: the dispatcher decides. Empty when even that does not help.
    """
    day = Day(request)
    if job_id not in day.job_number:
        raise InvalidRequest(f"job {job_id} is not in the request")
    job = day.job_number[job_id]
    if any(visit.job_id == job_id for _, visit in plan.visits()):
        raise InvalidRequest(f"job {job_id} is planned already")
    orders = day.orders_of(plan)
    direct, displacing = [], []
    for technician, order in enumerate(orders):
        if option := _cheapest(day, technician, order, job, None):
            direct.append(option)
        elif day.may_go(technician, job):
            pushed = [n for n in order if day.undone[n] < day.undone[job]]
            ways = [way for n in pushed if (way := _cheapest(day, technician, order, job, n))]
            displacing += sorted(ways, key=lambda way: way.added_cost.total)[:1]
    direct.sort(key=lambda option: option.added_cost.total)
    displacing.sort(key=lambda option: option.added_cost.total)
    return tuple([*direct, *displacing][:count])


def _cheapest(
    day: Day, technician: int, order: Sequence[int], job: int, push_out: int | None
) -> Insertion | None:
    timed = day.timed(technician, order)
    if isinstance(timed, Misfit):
        return None  # the day has moved on and this route no longer holds: not a place to add to
    before, base = timed
    rest = [n for n in order if n != push_out]
    ways = [
        (cost.total, position, cost, times) for position, cost, times in places(day, technician, rest, job)
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
    day = Day(request)
    orders = keep_feasible(day, day.orders_of(plan))
    technician = day.technician_number[insertion.technician_id]
    job = day.job_number[insertion.job_id]
    order = [n for n in orders[technician] if day.jobs[n].id not in insertion.displaced]
    position = insertion.position - len(day.origins[technician].begun)
    orders[technician] = [*order[:position], job, *order[position:]]
    return day.plan(orders, explain_unassigned(day, orders), engine=plan.engine, seed=plan.seed)
