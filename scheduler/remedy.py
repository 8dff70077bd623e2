"""What would have to be otherwise for a technician to take a job: the smallest changes, each tried out.

A remedy is a few changes to the request and the plan. `apply` makes them, and asking again says "feasible".
Rules on the person and the van have one way out each. Against the clock there are several: a promise that
stays open longer, overtime, a later lunch, another visit that goes elsewhere. Of these each is made as small
as it can be by halving, for whatever is allowed later is also allowed with more time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import permutations
from typing import Literal

from scheduler.baseline import Orders, places, route_cost, undone_jobs
from scheduler.clock import hhmm
from scheduler.plan import Plan, Route, Unassigned, Visit
from scheduler.policy import at_home, last_day
from scheduler.request import MINUTES_MAX, Job, Pin, PlanRequest, Technician, Window
from scheduler.standing import keep_linked, linked_day
from scheduler.timing import Day, Times

SHOWN = 3

Kind = Literal[
    "technician",  # job `of` is not tied to anybody
    "unpinned",  # job `of` is not pinned to technician `to`; without `to`, to no start (it was `amount`)
    "territory",  # technician `of` serves the territory `name` too
    "skill",  # technician `of` has the skill `name` at level `amount`
    "certificate",  # … has a certificate for the skill `name` until the day `to`
    "parts",  # … has `amount` more of the SKU `name` on the van
    "open_until",  # the window of job `of` before minute `amount` stays open until then
    "open_from",  # the window of job `of` after minute `amount` opens then
    "shift_until",  # the shift of technician `of` ends at minute `amount`
    "lunch_until",  # the lunch of technician `of` may begin until minute `amount`
    "move_away",  # the visit of job `of` goes to technician `to`; "": it is left undone
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is otherwise: what the fields say depends on `kind`. minutes: how far a limit moves."""

    kind: Kind
    of: str
    name: str = ""
    amount: int = 0
    to: str = ""
    minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """All of `changes` together make it work; with any of them smaller or missing it would not."""

    changes: tuple[Change, ...]
    text: str


def remedies(day: Day, orders: Sequence[Sequence[int]], job: int, technician: int) -> tuple[Remedy, ...]:
    """The smallest changes that would let the technician take `job` into `orders`, the least first.

    `orders` must be feasible and without `job`. Empty for a job that has begun, where nothing helps, and
    where visits of others would have to move too, because they begin with one of these or wait for it.
    """
    if day.jobs[job].fixed_start is not None:
        return ()
    if day.links and not day.links.jobs.isdisjoint((job, *orders[technician])):
        return ()
    needed = tuple(_personal(day, technician, job))
    route = _Route.of(day, orders, job, technician, needed)
    if route.works(()):
        found = [needed]
    else:
        found = sorted(
            ((*needed, *changes) for changes in (*route.by_the_clock(), *_elsewhere(day, orders, route))),
            key=_size,
        )
    whole = [
        Remedy(changes=changes, text=f"works {_listed([_words(day, c) for c in changes])}")
        for changes in found
    ]
    return tuple(whole[:SHOWN])


def apply(
    request: PlanRequest, plan: Plan, job_id: str, changes: Sequence[Change]
) -> tuple[PlanRequest, Plan]:
    """The request with `changes` made, and as they want it what of `plan` can be driven, less `job_id`.

    Linked visits keep the minutes that they have in `plan`, or move as little as the others let them; those
    that can't be without `job_id` are left undone with it.
    """
    before, orders = linked_day(request, plan, job_id)
    job = before.job_number[job_id]
    kept = keep_linked(before, [[n for n in order if n != job] for order in orders])
    changed = request
    for change in changes:
        changed = _changed(changed, change)
    day, orders = linked_day(changed, _of_plan(plan, before, kept), job_id)
    for change in changes:
        if change.kind == "move_away":
            orders = _moved_away(day, orders, day.job_number[change.of], change.to)
    left = tuple(
        Unassigned(job_id=day.jobs[n].id, code="day_full", reason="to see what would be then")
        for n in undone_jobs(day, orders)
    )
    return changed, day.plan(orders, left, engine=plan.engine, seed=plan.seed)


def _of_plan(plan: Plan, day: Day, orders: Sequence[Sequence[int]]) -> Plan:
    """`plan` with just the visits of `orders`, linked ones at the minutes of the held day."""
    kept = {day.jobs[n].id: day.starts.get(n) for order in orders for n in order}

    def visits(route: Route) -> Iterator[Visit]:
        for visit in route.visits:
            if visit.job_id in kept:
                start = kept[visit.job_id]
                yield visit if start is None else replace(visit, start=start)

    return replace(plan, routes=tuple(replace(route, visits=tuple(visits(route))) for route in plan.routes))


def _personal(day: Day, technician: int, job: int) -> Iterator[Change]:
    """What each rule on person and van asks for: there is one way to satisfy it."""
    person, wanted, policy = day.technicians[technician], day.jobs[job], day.policy
    if wanted.technician not in (None, person.id, person.whose):
        yield Change(kind="technician", of=wanted.id, to=wanted.technician or "")
    if wanted.pinned and wanted.pinned.technician not in (None, person.id, person.whose):
        yield Change(kind="unpinned", of=wanted.id, to=wanted.pinned.technician or "")
    if person.stays and not at_home(person, wanted):
        yield Change(kind="territory", of=person.id, name=wanted.territory or "")
    for name, level in sorted(wanted.skills.items()):
        if person.skills.get(name, 0) < level:
            yield Change(kind="skill", of=person.id, name=name, amount=level)
    today = policy.day_of(person)
    for name in sorted(wanted.skills):
        until = last_day(person, name)
        if until and today and until < today:
            yield Change(kind="certificate", of=person.id, name=name, to=today.isoformat())
    for sku, quantity in sorted(wanted.parts.items()):
        has = day.origins[technician].parts.get(sku, 0)
        if has < quantity:
            yield Change(kind="parts", of=person.id, name=sku, amount=quantity - has)


@dataclass(frozen=True, slots=True)
class _Route:
    """One technician's day alone, with what personal rules need made so: small enough to be asked often."""

    request: PlanRequest
    order: tuple[str, ...]
    job: Job
    person: Technician
    shift_most: int  # with the overtime allowed the person's next shift begins then

    @classmethod
    def of(
        cls, day: Day, orders: Sequence[Sequence[int]], job: int, technician: int, needed: Sequence[Change]
    ) -> "_Route":
        request = day.request
        for change in needed:
            request = _changed(request, change)
        here = sorted({*day.origins[technician].begun, *orders[technician], job})
        person = request.technicians[technician]
        jobs = tuple(replace(request.jobs[n], together=None, after=()) for n in here)
        ids = {one.id for one in jobs}
        alone = replace(
            person,
            bias={id: cost for id, cost in person.bias.items() if id in ids},
            parts=_own_share(Day(request), orders, technician),
        )
        return cls(
            replace(request, technicians=(alone,), jobs=jobs),
            tuple(day.jobs[n].id for n in orders[technician]),
            request.jobs[job],
            alone,
            min(
                (
                    other.shift_start - person.overtime_max
                    for other in request.technicians
                    if other.whose == person.whose and other.shift_start >= person.shift_end
                ),
                default=MINUTES_MAX,
            ),
        )

    def works(self, changes: Sequence[Change], without: str = "") -> bool:
        """Whether the job has a place on the route with `changes` made and the visit `without` gone."""
        request = self.request
        for change in changes:
            request = _changed(request, change)
        day = Day(request)
        order = [day.job_number[id] for id in self.order if id != without]
        job = day.job_number[self.job.id]
        if not day.parts_suffice(0, [*order, job]):
            return False
        return any(
            isinstance(day.times(0, [*order[:at], job, *order[at:]]), Times) for at in range(len(order) + 1)
        )

    def by_the_clock(self) -> Iterator[tuple[Change, ...]]:
        """Each way to find time on this route with the least change of one thing, else of several."""
        short = tuple(self._short())
        if short and self.works(short):
            yield short
            return
        single = [knob for knob in self._knobs() if self.works((*short, knob.at(knob.most)))]
        for knob in single:
            yield (*short, knob.at(self._least(short, knob)))
        pin = self.job.pinned
        if pin and pin.start is not None:
            free = Change(kind="unpinned", of=self.job.id, amount=pin.start)
            loose = replace(self, job=_changed_job(self.job, free), request=_changed(self.request, free))
            if loose.works(short):
                yield (*short, free)
            elif not single:
                for ways in loose.by_the_clock():
                    yield (free, *ways)
        elif not single:
            yield from self._together(short)

    def _short(self) -> Iterator[Change]:
        """Parts that the visits already planned would need as well."""
        day = Day(self.request)
        for sku, quantity in sorted(self.job.parts.items()):
            used = sum(day.jobs[day.job_number[id]].parts.get(sku, 0) for id in self.order)
            if (missing := used + quantity - day.origins[0].parts.get(sku, 0)) > 0:
                yield Change(kind="parts", of=self.person.id, name=sku, amount=missing)

    def _knobs(self) -> "Iterator[_Knob]":
        # Of two equally small ways the first: rather the technician's time than the customer's.
        if self.shift_most > self.person.shift_end:
            yield _Knob("shift_until", self.person.id, self.person.shift_end, self.shift_most)
        if self.person.lunch:
            lunch, rests = self.person.lunch, self.person.rests
            # Whatever break is due behind it must still begin in time.
            behind = [rest.latest for rest in rests[[rest is lunch for rest in rests].index(True) + 1 :]]
            most = min(behind, default=MINUTES_MAX)
            if most > lunch.latest:
                yield _Knob("lunch_until", self.person.id, lunch.latest, most)
        pinned = self.job.pinned is not None and self.job.pinned.start is not None
        windows, job = () if pinned else self.job.windows, self.job.id
        for window, after in zip(windows, (*windows[1:], None), strict=False):
            last = after.opens - 1 if after else MINUTES_MAX
            if last > window.closes:
                yield _Knob("open_until", job, window.closes, last)
        for before, window in zip((None, *windows[:-1]), windows, strict=False):
            first = before.closes + 1 if before else 0
            if first < window.opens:
                yield _Knob("open_from", job, window.opens, first)

    def _least(self, others: Sequence[Change], knob: "_Knob") -> int:
        """The least setting of `knob` that works together with `others`; its most must."""
        works, fails = knob.most, knob.now
        while abs(works - fails) > 1:
            middle = (works + fails) // 2
            if self.works((*others, knob.at(middle))):
                works = middle
            else:
                fails = middle
        return works

    def _together(self, short: tuple[Change, ...]) -> Iterator[tuple[Change, ...]]:
        """Ways that need several limits moved. One limit after the other is made as small as it can be."""
        knobs = [*self._knobs()]
        latest = {knob.kind: knob for knob in knobs if knob.kind != "open_from"}  # of windows the last
        most = {kind: knob.at(knob.most) for kind, knob in latest.items()}
        if not self.works((*short, *most.values())):
            return
        seen = set()
        for turn in permutations(latest):
            chosen = dict(most)
            for kind in turn:
                knob, others = latest[kind], [*short, *(c for k, c in chosen.items() if k != kind)]
                if self.works(others):
                    del chosen[kind]
                else:
                    chosen[kind] = knob.at(self._least(others, knob))
            ways = tuple(chosen[kind] for kind in latest if kind in chosen)
            if ways not in seen:
                seen.add(ways)
                yield (*short, *ways)


def _own_share(day: Day, orders: Sequence[Sequence[int]], technician: int) -> Mapping[str, int]:
    """What the van has for this shift alone, once the person's other shifts have taken theirs."""
    if not day.vans_shared:
        return day.technicians[technician].parts
    share = dict(day.origins[technician].parts)
    for number in day.on_the_van(technician, [], orders):
        for sku, quantity in day.jobs[number].parts.items():
            share[sku] = max(0, share.get(sku, 0) - quantity)
    for number in day.origins[technician].begun:
        for sku, quantity in day.jobs[number].parts.items():
            share[sku] = share.get(sku, 0) + quantity
    return share


@dataclass(frozen=True, slots=True)
class _Knob:
    """A limit that could be elsewhere, from where it is `now` to the `most` it can be."""

    kind: Kind
    of: str
    now: int
    most: int

    def at(self, minute: int) -> Change:
        return Change(kind=self.kind, of=self.of, amount=minute, minutes=abs(minute - self.now))


def _elsewhere(day: Day, orders: Sequence[Sequence[int]], route: _Route) -> Iterator[tuple[Change, ...]]:
    """Each visit that would make room by going, to somebody who has room for it or else undone."""
    technician = day.technician_number[route.person.id]
    for number in orders[technician]:
        if day.jobs[number].pinned is None and route.works((), without=day.jobs[number].id):
            yield (
                Change(kind="move_away", of=day.jobs[number].id, to=_taker(day, orders, technician, number)),
            )


def _taker(day: Day, orders: Sequence[Sequence[int]], technician: int, number: int) -> str:
    """Who could take the visit at the least cost; "" when nobody else could.

    Another shift of the same person is no help with parts: they come from the same van.
    """
    same = day.van[technician] if day.jobs[number].parts else None
    ways = [
        (cost.total - route_cost(day, other, order).total, other)
        for other, order in enumerate(orders)
        if other != technician and day.van[other] != same
        for _, cost, _ in places(day, other, order, number, orders)
    ]
    return day.technicians[min(ways)[1]].id if ways else ""


def _moved_away(day: Day, orders: Orders, number: int, to: str) -> Orders:
    left = [[n for n in order if n != number] for order in orders]
    if to:
        other = day.technician_number[to]
        _, at = min((cost.total, at) for at, cost, _ in places(day, other, left[other], number, left))
        left[other].insert(at, number)
    return left


def _changed(request: PlanRequest, change: Change) -> PlanRequest:
    """The request with one change made; "move_away" is one of the plan."""
    if change.kind in ("technician", "unpinned", "open_until", "open_from"):
        jobs = tuple(_changed_job(job, change) if job.id == change.of else job for job in request.jobs)
        return replace(request, jobs=jobs)
    if change.kind == "move_away":
        return request
    shift = next(person for person in request.technicians if person.id == change.of)
    van = {person.id for person in request.technicians if person.whose == shift.whose}
    begun = [job for job in request.jobs if job.fixed_start is not None and job.technician in van]
    used = sum(job.parts.get(change.name, 0) for job in begun)
    touched = van if change.kind == "parts" else {change.of}
    people = tuple(
        _changed_person(person, change, used) if person.id in touched else person
        for person in request.technicians
    )
    return replace(request, technicians=people)


def _changed_job(job: Job, change: Change) -> Job:
    if change.kind == "technician":
        return replace(job, technician=None)
    if change.kind == "unpinned":
        who, start = (job.pinned.technician, job.pinned.start) if job.pinned else (None, None)
        who, start = (None, start) if change.to else (who, None)
        return replace(
            job, pinned=None if who is None and start is None else Pin(technician=who, start=start)
        )
    windows = list(job.windows)
    if change.kind == "open_until":
        at = max(n for n, window in enumerate(windows) if window.opens <= change.amount)
        windows[at] = Window(windows[at].opens, change.amount)
    else:
        at = min(n for n, window in enumerate(windows) if window.closes >= change.amount)
        windows[at] = Window(change.amount, windows[at].closes)
    return replace(job, windows=tuple(windows))


def _changed_person(person: Technician, change: Change, used: int) -> Technician:
    if change.kind == "skill":
        return replace(person, skills={**person.skills, change.name: change.amount})
    if change.kind == "territory":
        return replace(person, territories=(*person.territories, change.name))
    if change.kind == "certificate":
        return replace(person, valid_until={**person.valid_until, change.name: change.to})
    if change.kind == "parts":
        # What begun visits took is a fact, also where the van's stock did not have it.
        has = max(used, person.parts.get(change.name, 0))
        return replace(person, parts={**person.parts, change.name: has + change.amount})
    if change.kind == "lunch_until" and person.lunch:
        return replace(person, lunch=replace(person.lunch, latest=change.amount))
    return replace(person, shift_end=change.amount)


def _size(changes: Sequence[Change]) -> tuple[int, int, int]:
    """Few changes before many, minutes before the visits of others, and few minutes before many."""
    others = sum(1 if change.to else 2 for change in changes if change.kind == "move_away")
    return len(changes), others, sum(change.minutes for change in changes)


def _words(day: Day, change: Change) -> str:
    if change.kind == "technician":
        return f"if it were not tied to {change.to}"
    if change.kind == "unpinned":
        return f"if it were not pinned to {change.to or f'begin {hhmm(change.amount)}'}"
    if change.kind == "territory":
        return f"if {change.of} served {change.name} too"
    if change.kind == "skill":
        return f"with {change.name} level {change.amount}"
    if change.kind == "certificate":
        return f"with a {change.name} certificate valid on {date.fromisoformat(change.to):%d.%m.%Y}"
    if change.kind == "parts":
        return f"with {change.amount} more {change.name} on the van"
    if change.kind == "open_until":
        return f"if the window stayed open until {hhmm(change.amount)}"
    if change.kind == "open_from":
        return f"if the window opened at {hhmm(change.amount)}"
    if change.kind == "shift_until":
        allowed = day.technicians[day.technician_number[change.of]].overtime_max
        more = f" more than the {allowed} allowed" if allowed else ""
        return f"with {change.minutes} min of overtime{more}"
    if change.kind == "lunch_until":
        return f"if lunch could begin as late as {hhmm(change.amount)}"
    return f"if {change.of} were moved to {change.to}" if change.to else f"if {change.of} were left undone"


def _listed(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
