"""Days of every rule hours later: visits begun early and late, overdue pins, somebody gone, one job more."""

import random
from contextlib import suppress
from dataclasses import replace

from every_rule import a_day_of_everything

from scheduler.plan import Plan
from scheduler.request import InvalidRequest, Job, Pin, PlanRequest, Technician
from scheduler.solve import solve


def a_live_day(seed: int, *, linked: bool = False) -> tuple[PlanRequest, Plan]:
    """The request as it is by now, and the plan that everybody knows; the same for a seed."""
    r = random.Random(seed * 17 + 3)
    day = a_day_of_everything(seed)
    if not linked:
        day = replace(day, jobs=tuple(replace(job, together=None, after=()) for job in day.jobs))
    day = _in_halves(r, replace(day, now=0))
    plan = solve(day, seconds=0)
    starts = [visit.start for _, visit in plan.visits()]
    now = min(starts, default=480) + r.choice([0, 5, 20, 60, 120])
    jobs = {job.id: job for job in day.jobs}
    for route in plan.routes:
        clock = 0
        for visit in route.visits:
            job = jobs[visit.job_id]
            start = job.fixed_start
            if start is None:
                start = max(clock, visit.start + r.choice([-10, 0, 0, 15, 45]))
            if start > now or clock > now:
                break
            spent = max(1, job.minutes + job.setup_minutes + r.choice([-10, 0, 60, 120, 240]))
            jobs[job.id] = replace(
                job,
                technician=route.technician_id,
                fixed_start=start,
                minutes=spent,
                setup_minutes=0,
                pinned=None,
            )
            clock = start + spent
    for _, visit in plan.visits():
        job = jobs[visit.job_id]
        if job.fixed_start is None and r.random() < 0.5:  # as it was told, however late it is by now
            who = job.pinned and job.pinned.technician
            jobs[job.id] = replace(job, pinned=Pin(technician=who, start=visit.start))
    people = list(day.technicians)
    if len({person.whose for person in people}) > 1 and r.random() < 0.3:
        people = _gone(r.choice(people).whose, people, jobs)
    sos = Job(
        id="sos", place=r.randrange(len(day.travel)), minutes=30, priority=1, parts=r.choice([{}, {"ONT": 1}])
    )
    try:
        request = replace(day, technicians=tuple(people), jobs=(*jobs.values(), sos), now=now)
    except InvalidRequest:  # too few are left for a group
        return a_live_day(seed + 10_000, linked=linked)
    return request, plan


def _in_halves(r: random.Random, day: PlanRequest) -> PlanRequest:
    """Some work two shifts that adjoin."""
    people: list[Technician] = []
    for person in day.technicians:
        middle = (person.shift_start + person.shift_end) // 2
        first = replace(
            person, id=f"{person.id} early", person=person.whose, shift_end=middle, lunch=None, breaks=(),
            overtime_max=0,
        )  # fmt: skip
        halves = [
            first,
            replace(first, id=f"{person.id} late", shift_start=middle, shift_end=person.shift_end),
        ]
        with suppress(InvalidRequest):  # a break of the morning
            halves[1] = replace(halves[1], breaks=person.breaks, overtime_max=person.overtime_max)
        named = any(job.technician == person.id and job.fixed_start is not None for job in day.jobs)
        people += halves if r.random() < 0.4 and not named and person.whose == person.id else [person]
    return replace(day, technicians=tuple(people))


def _gone(who: str, people: list[Technician], jobs: dict[str, Job]) -> list[Technician]:
    shifts = {who, *(person.id for person in people if person.whose == who)}
    for job in list(jobs.values()):
        if job.technician in shifts and job.fixed_start is not None:
            del jobs[job.id]
        else:
            tied = None if job.technician in shifts else job.technician
            pin = job.pinned
            if pin and pin.technician in shifts:
                pin = None if pin.start is None else Pin(start=pin.start)
            jobs[job.id] = replace(job, technician=tied, pinned=pin)
    return [
        replace(person, bias={id: cost for id, cost in person.bias.items() if id in jobs})
        for person in people
        if person.whose != who
    ]
