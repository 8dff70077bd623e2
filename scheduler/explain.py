"""Why: what forbids a job to a technician, why a job stays undone, why this technician and not the next.

All of it comes from the same timing that makes plans, with the numbers that decided.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scheduler.baseline import route_cost, tries, undone_jobs
from scheduler.clock import hhmm
from scheduler.explain_links import (
    held,
    held_visit_text,
    link_in_the_way,
    lunch_text,
    money,
    shift_text,
    undone_for_links,
)
from scheduler.plan import Cost, Plan, Unassigned
from scheduler.policy import BrokenRule
from scheduler.remedy import Remedy, remedies
from scheduler.request import InvalidRequest, Pin, PlanRequest
from scheduler.standing import keep_linked, linked_day
from scheduler.timing import Day, Misfit

# Listed from what a person is least able to change today.
_WEIGHT: dict[str, int] = {
    "no_technician": 0,
    "pinned": 1,
    "skill": 2,
    "territory": 3,
    "certificate": 4,
    "parts": 5,
    "time": 6,
    "linked": 7,
    "day_full": 8,
    "too_costly": 9,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Could `technician_id` do `job_id`? Feasible means: now, in the plan given, without moving others'
    visits.

    position and start tell where it would stand; added_cost what it would add, in cents. When not feasible,
    `broken` holds every rule against it, `possible_alone` whether an otherwise empty day would allow it, and
    `remedies` the smallest changes that would make it work, the least first.
    """

    job_id: str
    technician_id: str
    feasible: bool
    possible_alone: bool
    broken: tuple[BrokenRule, ...] = ()
    position: int | None = None
    start: int | None = None
    added_cost: Cost | None = None
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Why a planned job is where it is: its cost there and with every other technician, cheapest first."""

    job_id: str
    technician_id: str
    cost: Cost
    runner_up: Fit | None
    text: str


def misfit_text(day: Day, technician: int, job: int, misfit: Misfit) -> str:
    """Say a misfit in words; `job` is the one being tried."""
    if misfit.kind == "shift":
        return shift_text(day.technicians[technician], misfit)
    if misfit.kind == "lunch":
        return lunch_text(day.technicians[technician], misfit)
    who = "" if misfit.job in (None, job) else f" at {day.jobs[misfit.job or 0].id}"
    if held_text := held_visit_text(day, misfit, who):
        return held_text
    pin = day.jobs[job if misfit.job is None else misfit.job].pinned
    what = "is pinned to begin" if pin and pin.start is not None else "window ends"
    return f"would arrive {hhmm(misfit.minute)}{who}, {what} {hhmm(misfit.limit)}"


def alone(day: Day, technician: int, job: int) -> list[BrokenRule]:
    """Every rule that forbids the job to the technician even on an otherwise empty day."""
    broken = day.broken(technician, job)
    times = day.times(technician, [job])
    if isinstance(times, Misfit):
        if link := link_in_the_way(day, technician, job, times):
            broken.append(BrokenRule(code="linked", text=link))
        else:
            broken.append(BrokenRule(code="time", text=misfit_text(day, technician, job, times)))
    return broken


def begins_with(day: Day, technician: int, order: Sequence[int], job: int) -> list[BrokenRule]:
    """Nobody can be at two visits that begin together."""
    if day.links is None:
        return []
    mates = [n for n in order if n != job and n in day.links.mates(job)]
    begun = [n for n in day.origins[technician].begun if n in day.links.joins.get(job, ())]
    return [
        *(BrokenRule(code="linked", text=f"has begun {day.jobs[n].id}, which it joins") for n in begun),
        *(
            BrokenRule(code="linked", text=f"does {day.jobs[n].id}, which begins at the same minute")
            for n in mates
        ),
    ]


def fit(request: PlanRequest, plan: Plan, job_id: str, technician_id: str) -> Fit:
    """Judge one job with one technician in `plan`. A job already planned is first taken out of it."""
    day, orders, job = _without(request, plan, job_id)
    if technician_id not in day.technician_number:
        raise InvalidRequest(f"technician {technician_id} is not in the request")
    technician = day.technician_number[technician_id]
    judged = _fit(day, orders, job, technician)
    if judged.feasible:
        return judged
    return replace(judged, remedies=remedies(day, orders, job, technician))


def fits(request: PlanRequest, plan: Plan, job_id: str) -> tuple[Fit, ...]:
    """Judge one job with every technician, in the request's order, as `fit` does; without remedies."""
    day, orders, job = _without(request, plan, job_id)
    return tuple(_fit(day, orders, job, technician) for technician in range(len(orders)))


def fit_at(request: PlanRequest, plan: Plan, job_id: str, technician_id: str, start: int) -> Fit:
    """Judge a hand's wish: this technician, and work begins at `start`. An earlier pin is set aside."""
    wished = replace(
        request,
        jobs=tuple(replace(j, pinned=Pin(start=start)) if j.id == job_id else j for j in request.jobs),
    )
    judged = fit(wished, plan, job_id, technician_id)
    job = next(job for job in request.jobs if job.id == job_id)
    as_decided = job.pinned is not None and job.pinned.start == start
    if not job.windows or as_decided or any(w.opens <= start <= w.closes for w in job.windows):
        return judged
    hours = " or ".join(f"{hhmm(w.opens)}–{hhmm(w.closes)}" for w in job.windows)
    broken = BrokenRule(code="time", text=f"would begin {hhmm(start)}, promised is {hours}")
    return replace(judged, feasible=False, broken=(*judged.broken, broken), remedies=())


def _without(request: PlanRequest, plan: Plan, job_id: str) -> tuple[Day, list[list[int]], int]:
    """The plan's visits that still fit, `job_id` taken out: the request may be later than the plan."""
    day, orders = linked_day(request, plan, job_id)
    if job_id not in day.job_number:
        raise InvalidRequest(f"job {job_id} is not in the request")
    job = day.job_number[job_id]
    return day, keep_linked(day, [[n for n in order if n != job] for order in orders], job), job


def _fit(day: Day, orders: Sequence[Sequence[int]], job: int, technician: int) -> Fit:
    job_id, technician_id, order = day.jobs[job].id, day.technicians[technician].id, orders[technician]
    broken = [*alone(day, technician, job), *begins_with(day, technician, order, job)]
    possible_alone = not broken
    # Also where it is impossible alone: by way of other visits the drive may be quicker than directly.
    tried = list(tries(day, technician, order, job, orders))
    if ways := [(position, *timed) for position, timed in tried if not isinstance(timed, Misfit)]:
        position, times, cost = min(ways, key=lambda way: (way[2].total, way[0]))
        return Fit(
            job_id=job_id,
            technician_id=technician_id,
            feasible=True,
            possible_alone=possible_alone,
            position=len(day.origins[technician].begun) + position,
            start=times.starts[position],
            added_cost=cost - route_cost(day, technician, order),
        )
    if possible_alone:
        misfits = [(position, timed) for position, timed in tried if isinstance(timed, Misfit)]
        broken.append(_no_room(day, technician, order, job, misfits, orders))
    return Fit(
        job_id=job_id,
        technician_id=technician_id,
        feasible=False,
        possible_alone=possible_alone,
        broken=tuple(broken),
    )


def _no_room(
    day: Day,
    technician: int,
    order: Sequence[int],
    job: int,
    misfits: Sequence[tuple[int, Misfit]],
    orders: Sequence[Sequence[int]],
) -> BrokenRule:
    """Why no position of `order` takes the job: the parts others use up, else the nearest of its misfits."""
    used = _used(day, day.on_the_van(technician, order, orders))
    for sku, quantity in sorted(day.jobs[job].parts.items()):
        has = day.origins[technician].parts.get(sku, 0)
        if used.get(sku, 0) + quantity > has:
            text = (
                f"{has} × {sku} on the van, {used.get(sku, 0)} for visits already planned, needs {quantity}"
            )
            return BrokenRule(code="day_full", text=text)
    if not misfits:
        return BrokenRule(code="day_full", text="the visits already planned leave no place for it")
    nearest = min(misfits, key=lambda miss: (miss[1].minute - miss[1].limit, miss[0]))[1]
    over = nearest.minute - nearest.limit
    text = f"{misfit_text(day, technician, job, nearest)} ({over} min too late, {len(order)} visits planned)"
    return BrokenRule(code="day_full", text=text)


def _used(day: Day, order: Sequence[int]) -> dict[str, int]:
    used: dict[str, int] = {}
    for number in order:
        for sku, quantity in day.jobs[number].parts.items():
            used[sku] = used.get(sku, 0) + quantity
    return used


def explain_unassigned(day: Day, orders: Sequence[Sequence[int]]) -> tuple[Unassigned, ...]:
    """List every job in none of `orders` with the reason that binds, in the request's order."""
    return tuple(unassigned(day, orders, number) for number in undone_jobs(day, orders))


def why_unassigned(request: PlanRequest, plan: Plan, job_id: str) -> Unassigned:
    """The binding reason for one job, were it not in `plan`."""
    day, orders, job = _without(request, plan, job_id)
    return unassigned(day, orders, job)


def unassigned(day: Day, orders: Sequence[Sequence[int]], job: int) -> Unassigned:
    """Who came nearest, and what stopped them: the fewest broken rules, then the rule easiest to change."""
    for_links = undone_for_links(day, orders, job, lambda n: _by_itself(held(day, n), orders, n))
    return for_links or _by_itself(held(day, job), orders, job)


def _by_itself(day: Day, orders: Sequence[Sequence[int]], job: int) -> Unassigned:
    able = [technician for technician in range(len(orders)) if day.may_go(technician, job)]
    fits = [_fit(day, orders, job, technician) for technician in able]
    if not any(f.feasible or f.possible_alone for f in fits):
        # Only then does it matter what the others lack: a full day is nearer than a missing skill.
        fits = [_fit(day, orders, job, technician) for technician in range(len(orders))]
    job_id = day.jobs[job].id
    open_to = [f for f in fits if f.added_cost is not None]
    if open_to:
        best = min(open_to, key=lambda f: f.added_cost.total if f.added_cost else 0)
        added = best.added_cost.total if best.added_cost else 0
        text = f"{best.technician_id} could, but it would add {money(added)}; left undone it costs "
        return Unassigned(job_id=job_id, code="too_costly", reason=text + money(day.undone[job]))
    tied = day.policy.only(day.jobs[job])
    if tied is not None:
        shifts = {p.id for p in day.technicians if tied in (p.id, p.whose)}
        fits = [f for f in fits if f.technician_id in shifts]
    nearest = min(fits, key=lambda f: (len(f.broken), -max(_WEIGHT[rule.code] for rule in f.broken)))
    rule = min(nearest.broken, key=lambda r: _WEIGHT[r.code])
    what = "; ".join(r.text for r in nearest.broken)
    codes = [frozenset(r.code for r in f.broken) for f in fits]
    suited = sum(1 for f in fits if f.possible_alone)
    if tied is not None:
        lead = f"is pinned to {tied}" if tied != day.jobs[job].technician else f"only {tied} may come"
        return Unassigned(job_id=job_id, code=rule.code, reason=f"{lead}: {what}")
    if suited:
        lead = f"{suited} of {len(orders)} technicians could on an empty day, none has room left"
        return Unassigned(
            job_id=job_id, code="day_full", reason=f"{lead}; nearest is {nearest.technician_id}: {what}"
        )
    if all("skill" in c for c in codes):
        return Unassigned(job_id=job_id, code="skill", reason=_skill_text(day, job))
    return Unassigned(job_id=job_id, code=rule.code, reason=f"nearest is {nearest.technician_id}: {what}")


def _skill_text(day: Day, job: int) -> str:
    best = {name: max(p.skills.get(name, 0) for p in day.technicians) for name in day.jobs[job].skills}
    for name, level in sorted(day.jobs[job].skills.items()):
        if best[name] < level:
            return f"nobody has {name} level {level}: the best has {best[name] or 'none'}"
    wanted = " and ".join(f"{name} level {level}" for name, level in sorted(day.jobs[job].skills.items()))
    return f"nobody has {wanted} together"


def why_assigned(request: PlanRequest, plan: Plan, job_id: str) -> Choice:
    """Why the job is with its technician, against the runner-up.

    Raises InvalidRequest when it is not planned, or with nobody of the request.
    """
    holder = next((person for person, visit in plan.visits() if visit.job_id == job_id), None)
    if holder is None:
        raise InvalidRequest(f"job {job_id} is not planned")
    day, orders, job = _without(request, plan, job_id)
    if holder not in day.technician_number:
        raise InvalidRequest(f"job {job_id} is planned for {holder}, who is not in the request")
    number = day.technician_number[holder]
    if day.jobs[job].fixed_start is not None:
        text = f"{holder} has begun it"
        return Choice(job_id=job_id, technician_id=holder, cost=Cost(), runner_up=None, text=text)
    order = [n for n in day.orders_of(plan)[number] if n == job or n in orders[number]]
    timed = day.timed(number, order)
    if isinstance(timed, Misfit):
        text = f"no longer fits: {misfit_text(day, number, job, timed)}"
        return Choice(job_id=job_id, technician_id=holder, cost=Cost(), runner_up=None, text=text)
    cost = timed[1] - route_cost(day, number, orders[number])
    if (pin := day.jobs[job].pinned) and pin.technician is not None:
        when = "" if pin.start is None else f" at {hhmm(pin.start)}"
        text = f"pinned to {holder}{when} by hand; adds {money(cost.total)}"
        return Choice(job_id=job_id, technician_id=holder, cost=cost, runner_up=None, text=text)
    others = [_fit(day, orders, job, t) for t in range(len(orders)) if t != number]
    able = [f for f in others if f.added_cost is not None]
    runner_up = min(able, key=lambda f: f.added_cost.total if f.added_cost else 0) if able else None
    if runner_up is None or runner_up.added_cost is None:
        suited = sum(f.possible_alone for f in others)
        text = f"adds {money(cost.total)}; nobody else has room" if suited else f"only {holder} can do it"
        return Choice(job_id=job_id, technician_id=holder, cost=cost, runner_up=None, text=text)
    dearer = runner_up.added_cost - cost
    parts = [
        f"{label} {money(amount)}"
        for label, amount in (
            ("driving", dearer.travel),
            ("SLA lateness", dearer.late),
            ("later than told", dearer.later),
            ("change of technician", dearer.moved),
            ("preference", dearer.bias),
            ("overtime", dearer.overtime),
            ("uneven work", dearer.uneven),
            ("another territory", dearer.territory),
            ("outside the hours preferred", dearer.preferred),
        )
        if amount
    ]
    text = (
        f"adds {money(cost.total)}; {runner_up.technician_id} would add {money(runner_up.added_cost.total)}"
    )
    if parts:
        text += f" (difference: {', '.join(parts)})"
    return Choice(job_id=job_id, technician_id=holder, cost=cost, runner_up=runner_up, text=text)
