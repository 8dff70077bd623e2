"""A day that has begun: what becomes of it as it stands, and the least that must move to mend it.

`standing` lets go of just those promises that the clock has broken already, so that a late route is still a
route: whoever is late is expected late, and their time is nobody else's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scheduler.duty import home_by
from scheduler.plan import Plan
from scheduler.request import COST_MAX, MINUTES_MAX, InvalidRequest, Job, Pin, PlanRequest, Technician, Window
from scheduler.timing import Day, Misfit, Times


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The day as it is, if nobody decides anything.

    request: as asked, but for promises that can't be kept in the order of the plan: those windows close and
    those shifts end as late as it will be, a pinned start becomes a window from then on, and a shift begins
    when its person's shift before is over. Lunch and breaks keep their times: whoever is late can always have
    them. orders: technician → jobs not begun. late: job → minutes after its window closes or after the start
    that was pinned. over: technician → minutes after the shift ends. homeless: planned jobs whose technician
    is not there any more, may not go there any more, or would only begin after the shift; they are in no
    order.
    """

    request: PlanRequest
    orders: Mapping[str, tuple[str, ...]]
    late: Mapping[str, int]
    over: Mapping[str, int]
    homeless: tuple[str, ...]


def standing(request: PlanRequest, plan: Plan) -> Standing:
    """What becomes of `plan` when everybody goes on in its order. What has begun is as the request has it.

    Raises InvalidRequest for jobs that depend on each other: one route alone does not say when they begin.
    """
    if linked := next((job for job in request.jobs if job.after or job.together), None):
        field = "after" if linked.after else "together"
        raise InvalidRequest(f"job {linked.id}: {field} is not known to a day that is mended; plan it anew")
    day = Day(request)
    planned = day.orders_of(plan)
    kept: list[list[int]] = [[] for _ in planned]
    jobs, people = {job.id: job for job in request.jobs}, list(request.technicians)
    late: dict[str, int] = {}
    over: dict[str, int] = {}
    free: dict[str, int] = {}  # person → when the shifts so far are over
    # Earlier shifts first: a later one of the same person has what these leave of the van and of the day.
    for number in sorted(range(len(people)), key=lambda n: (people[n].shift_start, n)):
        own = day.technicians[number]
        person = _begun_later(own, free.get(own.whose, 0))
        order = [n for n in planned[number] if day.may_go(number, n)]
        order = _with_parts(day, number, order, kept)
        alone = _Alone(day, number, person)
        order, times, fits = alone.in_the_shift(order)
        kept[number] = order
        if not fits:
            for n, start in zip(order, times.starts, strict=True):
                job = day.jobs[n]
                spans = day.policy.starts(job)
                if spans and start > (closes := spans[-1][1]):
                    late[job.id] = start - closes
                    jobs[job.id] = _open_until(request, job, start)
            person = _stretched(person, times.back)
            if times.back > own.shift_end:
                over[own.id] = times.back - own.shift_end
        people[number] = person
        busy = bool(order or day.origins[number].begun)
        free[own.whose] = max(home_by(person), times.back if busy else 0)
    here = {day.jobs[n].id for order in kept for n in order}
    open_ids = {day.jobs[n].id for n in day.open_jobs}
    return Standing(
        request=replace(request, technicians=tuple(people), jobs=tuple(jobs[job.id] for job in request.jobs)),
        orders={p.id: tuple(day.jobs[n].id for n in o) for p, o in zip(people, kept, strict=True)},
        late=late,
        over=over,
        homeless=tuple(v.job_id for _, v in plan.visits() if v.job_id in open_ids and v.job_id not in here),
    )


def _with_parts(day: Day, person: int, order: Sequence[int], before: Sequence[Sequence[int]]) -> list[int]:
    """`order` as far as the van's parts last beside `before`: what was used up elsewhere is a fact."""
    kept: list[int] = []
    for number in order:
        if day.parts_suffice(person, [*kept, number], before):
            kept.append(number)
    return kept


@dataclass(frozen=True, slots=True)
class _Alone:
    """One shift by itself: `person` is technician `number` of `day`, who may begin later than asked."""

    day: Day
    number: int
    person: Technician

    def in_the_shift(self, order: Sequence[int]) -> tuple[list[int], Times, bool]:
        """`order` without what would only begin when nobody may stay, for who overruns ends the visit, no
        more; its times; and whether it keeps its promises.
        """
        times = self._as_promised(order)
        if isinstance(times, Times):
            return list(order), times, True
        loose = self._whatever_it_takes(order)
        end = home_by(self.person)
        rest = [n for n, start in zip(order, loose.starts, strict=False) if start < end]
        times = self._as_promised(rest)
        if isinstance(times, Times):
            return rest, times, True
        loose = self._whatever_it_takes(rest)
        return rest[: len(loose.starts)], loose, False

    def _as_promised(self, order: Sequence[int]) -> Times | Misfit:
        if self.person == self.day.technicians[self.number]:
            return self.day.times(self.number, order)
        day, route = self._day(self.person, order)
        return day.times(0, route)

    def _whatever_it_takes(self, order: Sequence[int]) -> Times:
        """The times of a route whose promises hold no longer: the shift is open to the end of all time, and
        each last window until one can first be there. Of no more visits than that has room for.
        """
        day, route = self._day(replace(self.person, shift_end=MINUTES_MAX, overtime_max=0), order)
        windows = day.windows
        while isinstance(times := day.times(0, route), Misfit):
            until = route.index(times.job) + 1 if times.job in route else len(route)
            if times.kind == "window":
                late, minute = route[until - 1 : until], times.minute
            else:  # a lunch that can't be had any more was put off for the windows before it
                late, minute = route[:until], MINUTES_MAX
            late = [n for n in late if windows[n][-1][1] < minute]
            if not late or minute > MINUTES_MAX:
                route.pop()  # with none left one is at home, where every break can be had
                continue
            for n in late:
                windows[n] = (*windows[n][:-1], (windows[n][-1][0], minute))
        return times

    def _day(self, person: Technician, order: Sequence[int]) -> tuple[Day, list[int]]:
        """A day of nothing but this route, as `person` goes it, and its order there."""
        request = self.day.request
        begun = [request.jobs[n] for n in self.day.origins[self.number].begun]
        jobs = (*begun, *(request.jobs[n] for n in order))
        day = Day(replace(request, technicians=(replace(person, bias={}),), jobs=jobs))
        return day, list(range(len(begun), len(jobs)))


def _open_until(request: PlanRequest, job: Job, minute: int) -> Job:
    """The job with its last window open until `minute`; a pinned start becomes one that opens then."""
    pin = job.pinned
    if pin is None or pin.start is None:
        windows = (*job.windows[:-1], Window(job.windows[-1].opens, minute)) if job.windows else ()
        return replace(job, windows=windows)
    window = Window(pin.start, minute)
    if pin.technician is not None:
        return replace(job, windows=(window,), pinned=Pin(technician=pin.technician))
    # Who decided on a minute wants the visit no less for its being late.
    worth = min(COST_MAX, request.weights.leave_undone(job))
    return replace(job, windows=(window,), pinned=None, drop_cost=worth)


def _begun_later(person: Technician, minute: int) -> Technician:
    """The shift from `minute` on, if that is later; it is long enough for its lunch and breaks."""
    if minute <= person.shift_start:
        return person
    clock, later = minute, {}
    for rest in person.rests:
        clock = max(clock, rest.earliest)
        later[id(rest)] = replace(rest, latest=max(rest.latest, clock))
        clock += rest.minutes
    end = max(person.shift_end, clock, minute + 1)
    return replace(
        person,
        shift_start=minute,
        shift_end=end,
        overtime_max=max(0, home_by(person) - end),
        lunch=person.lunch and later[id(person.lunch)],
        breaks=tuple(later[id(rest)] for rest in person.breaks),
    )


def _stretched(person: Technician, back: int) -> Technician:
    if person.overtime_max:  # what is allowed has its price, however much it gets
        return replace(person, overtime_max=max(person.overtime_max, back - person.shift_end))
    return replace(person, shift_end=max(person.shift_end, back))
