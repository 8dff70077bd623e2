"""A day that has begun: what becomes of it as it stands, and the least that must move to mend it.

`standing` lets go of just those promises that the clock has broken already, so that a late route is still a
route: whoever is late is expected late, and their time is nobody else's.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from scheduler.duty import home_by
from scheduler.links import Links, Windows, clipped
from scheduler.live_links import expected, held, opened, unlinked, within
from scheduler.plan import Plan
from scheduler.request import COST_MAX, MINUTES_MAX, Job, Pin, PlanRequest, Technician, Window
from scheduler.timing import Day, Misfit, Times


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The day as it is, if nobody decides anything.

    request: as asked, but for promises that can't be kept in the order of the plan: those windows close and
    those shifts end as late as it will be, a pinned start becomes a window from then on, and a shift begins
    when its person's shift before is over. Lunch and breaks keep their times: whoever is late can always have
    them. Windows stand in the place of links. orders: technician → jobs not begun. late: job → minutes after
    its window closes or after the start that was pinned. over: technician → minutes after the shift ends.
    homeless: planned jobs whose technician is not there any more, may not go there any more, or would only
    begin after the shift; they are in no order. loose: jobs that have no place, and can't have one alone, for
    they depend on others without one.
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
    shifts = _shifts(day, plan, {})
    earliest: Mapping[int, int] = {}
    if links:
        told = {day.job_number[v.job_id]: v.start for _, v in plan.visits() if v.job_id in day.job_number}
        orders = [shift.order for shift in shifts]
        earliest = expected(
            links, orders, told, lambda n, order, least: shifts[n].alone.times(order, least).starts
        )
        shifts = _shifts(day, plan, earliest)
    jobs = {job.id: job for job in request.jobs}
    late: dict[str, int] = {}
    for shift in shifts:
        for n, start in () if shift.fits else zip(shift.order, shift.times.starts, strict=True):
            job = day.jobs[n]
            spans = day.policy.starts(job)
            if spans and start > (closes := spans[-1][1]):
                late[job.id] = start - closes
                jobs[job.id] = _open_until(request, job, start)
    loose: frozenset[str] = frozenset()
    if links:
        jobs, loose = _held(day, links, earliest, jobs, {n for shift in shifts for n in shift.order})
    here = {day.jobs[n].id for shift in shifts for n in shift.order}
    open_ids = {day.jobs[n].id for n in day.open_jobs}
    people = tuple(shift.person for shift in shifts)
    return Standing(
        request=replace(request, technicians=people, jobs=tuple(jobs[job.id] for job in request.jobs)),
        orders={s.person.id: tuple(day.jobs[n].id for n in s.order) for s in shifts},
        late=late,
        over={
            asked.id: shift.times.back - asked.shift_end
            for asked, shift in zip(request.technicians, shifts, strict=True)
            if not shift.fits and shift.times.back > asked.shift_end
        },
        homeless=tuple(v.job_id for _, v in plan.visits() if v.job_id in open_ids and v.job_id not in here),
        loose=loose,
    )


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


@dataclass(frozen=True, slots=True)
class _Shift:
    """How a shift goes. fits: whether it keeps its promises; `person` is as long there as it takes."""

    alone: "_Alone"
    person: Technician
    order: list[int]
    times: Times
    fits: bool


def _shifts(day: Day, plan: Plan, earliest: Mapping[int, int]) -> list[_Shift]:
    """Each technician's, in their order. earliest: job → the minute before which it waits for another."""
    planned, people = day.orders_of(plan), day.technicians
    kept: list[list[int]] = [[] for _ in planned]
    found: dict[int, _Shift] = {}
    free: dict[str, int] = {}  # person → when the shifts so far are over
    # Earlier shifts first: a later one of the same person has what these leave of the van and of the day.
    for number in sorted(range(len(people)), key=lambda n: (people[n].shift_start, n)):
        person = _begun_later(people[number], free.get(people[number].whose, 0))
        order = [n for n in planned[number] if day.may_go(number, n)]
        order = _with_parts(day, number, order, kept)
        alone = _Alone(day, number, person)
        order, times, fits = alone.in_the_shift(order, earliest)
        kept[number] = order
        if not fits:
            person = _stretched(person, times.back)
        found[number] = _Shift(alone, person, order, times, fits)
        busy = bool(order or day.origins[number].begun)
        free[person.whose] = max(home_by(person), times.back if busy else 0)
    return [found[number] for number in range(len(people))]


def _held(
    day: Day, links: Links, starts: Mapping[int, int], jobs: Mapping[str, Job], placed: Set[int]
) -> tuple[dict[str, Job], frozenset[str]]:
    """`jobs` with windows in the place of links; and those that can have no place alone.

    Who has a place keeps it with the promise alone where the clock has broken the link.
    """
    found = held(links, starts)
    loose = {day.jobs[n].id for n in found.loose}
    freed = {id: unlinked(job) for id, job in jobs.items()}
    for n, box in found.boxes.items():
        job = jobs[day.jobs[n].id]
        if (inside := within(job, box)) is not None:
            freed[job.id] = inside
        elif n not in placed:
            loose.add(job.id)
    return freed, frozenset(loose)


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

    def in_the_shift(
        self, order: Sequence[int], earliest: Mapping[int, int]
    ) -> tuple[list[int], Times, bool]:
        """`order` without what would only begin when nobody may stay, for who overruns ends the visit, no
        more; its times; and whether it keeps its promises.
        """
        times = self._as_promised(order, earliest)
        if isinstance(times, Times):
            return list(order), times, True
        loose = self._whatever_it_takes(order, earliest)
        end = home_by(self.person)
        rest = [n for n, start in zip(order, loose.starts, strict=False) if start < end]
        times = self._as_promised(rest, earliest)
        if isinstance(times, Times):
            return rest, times, True
        loose = self._whatever_it_takes(rest, earliest)
        return rest[: len(loose.starts)], loose, False

    def times(self, order: Sequence[int], earliest: Mapping[int, int]) -> Times:
        """As promised, or as late as it takes."""
        times = self._as_promised(order, earliest)
        return times if isinstance(times, Times) else self._whatever_it_takes(order, earliest)

    def _as_promised(self, order: Sequence[int], earliest: Mapping[int, int]) -> Times | Misfit:
        if self.person == self.day.technicians[self.number]:
            return self.day.times(self.number, order, _from(earliest, self.day, order, order, clipped))
        day, route = self._day(self.person, order)
        return day.times(0, route, _from(earliest, day, route, order, clipped))

    def _whatever_it_takes(self, order: Sequence[int], earliest: Mapping[int, int]) -> Times:
        """The times of a route whose promises hold no longer: the shift is open to the end of all time, and
        each last window until one can first be there. Of no more visits than that has room for.
        """
        day, route = self._day(replace(self.person, shift_end=MINUTES_MAX, overtime_max=0), order)
        windows = _from(earliest, day, route, order, opened)
        while isinstance(times := day.times(0, route, windows), Misfit):
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
        jobs = tuple(unlinked(job) for job in (*begun, *(request.jobs[n] for n in order)))
        day = Day(replace(request, technicians=(replace(person, bias={}),), jobs=jobs))
        return day, list(range(len(begun), len(jobs)))


def _from(
    earliest: Mapping[int, int],
    day: Day,
    route: Sequence[int],
    order: Sequence[int],
    left: Callable[[Windows, int], Windows],
) -> list[Windows]:
    """The windows of `day`, where `order` is `route`: what is `left` of each from its earliest minute on."""
    windows = list(day.windows)
    for here, n in zip(route, order, strict=True):
        windows[here] = left(windows[here], earliest.get(n, 0))
    return windows


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
