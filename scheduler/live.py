"""A day that has begun: what becomes of it as it stands, and the least that must move to mend it.

`standing` lets go of just those promises that the clock has broken already, so that a late route is still a
route: whoever is late is expected late, and their time is nobody else's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scheduler.duty import home_by
from scheduler.links import Links
from scheduler.live_links import clipped_to, expected, held, unlinked, within
from scheduler.plan import Plan
from scheduler.request import MINUTES_MAX, Job, PlanRequest, Technician, Window
from scheduler.timing import Day, Times

NOTHING: Mapping[int, int] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The day as it is, if nobody decides anything.

    request: as asked, but for promises that can't be kept in the order of the plan: those windows close,
    those shifts end and those lunches begin as late as it will be. Windows stand in the place of links.
    orders: technician → jobs not begun. late: job → minutes after its window closes. over: technician →
    minutes after the shift ends. homeless: planned jobs whose technician is not there any more, may not go
    there any more, or would only begin after the shift; they are in no order. loose: jobs that have no place,
    and can't have one alone, for they depend on others without one.
    """

    request: PlanRequest
    orders: Mapping[str, tuple[str, ...]]
    late: Mapping[str, int]
    over: Mapping[str, int]
    homeless: tuple[str, ...]
    loose: frozenset[str] = frozenset()


def standing(request: PlanRequest, plan: Plan) -> Standing:
    """What becomes of `plan` when everybody goes on in its order. What has begun is as the request has it.

    Who waits for somebody who is late is late as well.
    """
    day = Day(request)
    links = Links(day)
    orders = day.orders_of(plan)
    able = [[n for n in order if day.may_go(person, n)] for person, order in enumerate(orders)]
    able = [_with_parts(day, person, order) for person, order in enumerate(able)]
    able = [_in_the_shift(day, person, order) for person, order in enumerate(able)]
    kept = {day.jobs[n].id for order in able for n in order}
    open_ids = {day.jobs[n].id for n in day.open_jobs}
    homeless = tuple(v.job_id for _, v in plan.visits() if v.job_id in open_ids and v.job_id not in kept)
    jobs, people = {job.id: job for job in request.jobs}, list(request.technicians)
    late: dict[str, int] = {}
    over: dict[str, int] = {}

    def as_it_is(person: int, order: Sequence[int], earliest: Mapping[int, int]) -> tuple[Times, bool]:
        """And whether all that was promised is kept."""
        times = day.times(person, order, clipped_to(day.windows, earliest) if earliest else None)
        kept = isinstance(times, Times)
        return times if isinstance(times, Times) else _whatever_it_takes(day, person, order, earliest), kept

    told = {day.job_number[v.job_id]: v.start for _, v in plan.visits() if v.job_id in day.job_number}
    starts = expected(links, able, told, lambda *of: as_it_is(*of)[0].starts) if links else {}
    for person, order in enumerate(able):
        times, kept_all = as_it_is(person, order, starts)
        if not order or kept_all:
            continue
        for n, start in zip(order, times.starts, strict=True):
            job = day.jobs[n]
            if job.windows and start > (closes := job.windows[-1].closes):
                late[job.id] = start - closes
                last = Window(job.windows[-1].opens, start)
                jobs[job.id] = replace(job, windows=(*job.windows[:-1], last))
        people[person] = _stretched(people[person], times)
        if times.back > day.technicians[person].shift_end:
            over[people[person].id] = times.back - day.technicians[person].shift_end
    loose: frozenset[str] = frozenset()
    if links:
        jobs, loose = _held(day, links, starts, jobs)
    return Standing(
        request=replace(request, technicians=tuple(people), jobs=tuple(jobs[job.id] for job in request.jobs)),
        orders={p.id: tuple(day.jobs[n].id for n in o) for p, o in zip(people, able, strict=True)},
        late=late,
        over=over,
        homeless=homeless,
        loose=loose,
    )


def _held(
    day: Day, links: Links, starts: Mapping[int, int], jobs: Mapping[str, Job]
) -> tuple[dict[str, Job], frozenset[str]]:
    """`jobs` with windows in the place of links; and those that can have no place alone."""
    found = held(links, starts)
    loose = {day.jobs[n].id for n in found.loose}
    freed = {id: unlinked(job) for id, job in jobs.items()}
    for n, box in found.boxes.items():
        job = jobs[day.jobs[n].id]
        if (inside := within(job, box)) is not None:
            freed[job.id] = inside
        else:
            loose.add(job.id)
    return freed, frozenset(loose)


def _with_parts(day: Day, person: int, order: Sequence[int]) -> list[int]:
    """`order` as far as the van's parts last: what was used up elsewhere is a fact."""
    kept: list[int] = []
    for number in order:
        if day.parts_suffice(person, [*kept, number]):
            kept.append(number)
    return kept


def _in_the_shift(day: Day, person: int, order: Sequence[int]) -> list[int]:
    """`order` without what would only begin when nobody may stay: who overruns ends the visit, no more."""
    if not order or isinstance(day.times(person, order), Times):
        return list(order)
    starts = _whatever_it_takes(day, person, order).starts
    end = home_by(day.technicians[person])
    return [n for n, start in zip(order, starts, strict=True) if start < end]


def _whatever_it_takes(
    day: Day, number: int, route: Sequence[int], earliest: Mapping[int, int] = NOTHING
) -> Times:
    """The times of a route whose promises hold no longer: every last window open to the end.

    earliest: job number → the minute before which it can't begin, for whom it waits for.
    """
    request, person, order = day.request, day.technicians[number], [day.jobs[n] for n in route]

    def opened(job: Job) -> Job:
        windows = (*job.windows[:-1], Window(job.windows[-1].opens, MINUTES_MAX)) if job.windows else ()
        job = replace(unlinked(job), windows=windows)
        least = earliest.get(day.job_number[job.id])
        return job if least is None else within(job, (least, MINUTES_MAX)) or job

    lunch = replace(person.lunch, latest=MINUTES_MAX // 2) if person.lunch else None
    breaks = tuple(replace(rest, latest=MINUTES_MAX // 2) for rest in person.breaks)
    free = replace(person, shift_end=MINUTES_MAX, lunch=lunch, breaks=breaks, bias={})
    begun = [unlinked(j) for j in request.jobs if j.fixed_start is not None and j.technician == person.id]
    alone = replace(request, technicians=(free,), jobs=(*begun, *(opened(job) for job in order)))
    times = Day(alone).times(0, list(range(len(begun), len(begun) + len(order))))
    assert isinstance(times, Times), times
    return times


def _stretched(person: Technician, times: Times) -> Technician:
    if person.breaks:
        person = _rested(person, times)
    lunch = person.lunch
    if lunch and times.lunch_start is not None and times.lunch_start > lunch.latest:
        lunch = replace(lunch, latest=times.lunch_start)
    if person.overtime_max:  # what is allowed has its price, however much it gets
        most = max(person.overtime_max, times.back - person.shift_end)
        return replace(person, overtime_max=most, lunch=lunch)
    return replace(person, shift_end=max(person.shift_end, times.back), lunch=lunch)


def _rested(person: Technician, times: Times) -> Technician:
    """Lunch and breaks may begin as late as they will, none later than the one after it."""
    begins = [at for _, at in times.rests]
    latest, allowed = 0, []
    for number, rest in enumerate(person.rests):
        # What the route leaves to the end of the day has its time after all the others.
        latest = max(latest, rest.latest, begins[number] if number < len(begins) else times.back)
        allowed.append((rest, replace(rest, latest=latest)))
    lunch = next((new for rest, new in allowed if rest is person.lunch), None)
    breaks = tuple(new for rest, new in allowed if rest is not person.lunch)
    end = max(person.shift_end, times.back, *(new.earliest + new.minutes for _, new in allowed))
    return replace(person, lunch=lunch, breaks=breaks, shift_end=end)


def without_loose(now: Standing) -> Standing:
    """For whoever gives jobs a place one by one: those that can have none alone wait for a plan."""
    if not now.loose:
        return now
    kept = tuple(job for job in now.request.jobs if job.id not in now.loose)
    people = tuple(
        replace(p, bias={id: cost for id, cost in p.bias.items() if id not in now.loose})
        for p in now.request.technicians
    )
    return replace(now, request=replace(now.request, technicians=people, jobs=kept))
