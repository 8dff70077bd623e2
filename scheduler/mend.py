"""Mend a day after something happened in it: move only what must move, and tell few customers a new time.

The day as it stands is where everything begins, and what the answer is never worse than. A search then looks
for better, at prices that make moving a promise dear. What it found falls into parts that do not touch each
other, each with a gain and with customers to be told; the best parts are taken as far as the limit allows.
The rest stays as it is, and is said to be late.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from scheduler.baseline import Orders, keep_feasible, places, route_cost, total_cost, undone_jobs
from scheduler.clock import hhmm
from scheduler.explain import unassigned
from scheduler.live import Standing, standing, without_loose
from scheduler.plan import Plan, Unassigned
from scheduler.request import COST_MAX, InvalidRequest, Job, PlanRequest
from scheduler.timing import Day, Misfit

TELL_FROM_MINUTES = 15
"""Who is visited by no more than this earlier or later than told need not be told."""
KEEP_TECHNICIAN_SECONDS = 1800  # so much driving is better than to send somebody else than was told
KEEP_TIME_SECONDS = 60  # and so much, for each minute that a customer would wait longer than was told
LATE_SECONDS = 180  # and so much, for each minute after a promised window

Place = tuple[str, int]
"""A technician and the minute when work begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A visit that goes to somebody else or to another time than it would as the day stands.

    before: None for a job that had no visit. tells: whether its customer must be told a new time.
    """

    job_id: str
    before: Place | None
    after: Place
    tells: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLate:
    """A visit that nobody moves and that will not be in time; `minutes` after its window, or after was told.

    why: "limit" when it could be kept if more customers were told, else "nobody". place: None when its
    technician is gone and it stays without one.
    """

    job_id: str
    place: Place | None
    minutes: int
    why: Literal["limit", "nobody"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """`plan` keeps `request`: the day as it stands, at the prices of stability.

    cost_before, cost_after: in cents, at these prices, of the day as it stands and mended; never more than it
    was. told: jobs whose customers must be told a new time, at most `tell_max`.
    loose: jobs without a place that depend on others without one. Nobody can give them one by one what they
    need together; they are not in `request` and wait for a plan. Those that had a visit are in kept_late too.
    """

    request: PlanRequest
    plan: Plan
    changes: tuple[Change, ...]
    told: tuple[str, ...]
    kept_late: tuple[KeptLate, ...]
    cost_before: int
    cost_after: int
    loose: tuple[str, ...] = ()


def mend(
    request: PlanRequest,
    plan: Plan,
    *,
    tell_max: int,
    seconds: float = 1.0,
    rounds: int | None = None,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> Mended:
    """The day of `plan`, the plan in force, as `request` has it by now, mended at the least disruption.

    What has begun stays as it is, every planned visit that has a technician keeps one, and jobs that `plan`
    lacks (an emergency, a new order) get a place where one pays. Visits of technicians who are not in the
    request any more are given to others. rounds: in place of seconds, makes the answer repeatable.
    """
    if tell_max < 0:
        raise InvalidRequest(f"tell_max must be 0 or more, not {tell_max}")
    began = clock()
    as_asked = standing(request, plan)
    now = without_loose(as_asked)
    scene = _Scene(Day(_priced(now, plan)), now, plan)
    found = scene.base
    if rounds != 0 and (rounds is not None or seconds > 0) and scene.day.open_jobs:
        from scheduler.engine.search import Budget, improve  # compiled code takes half a second to load

        budget = Budget(seconds=seconds + clock() - began, rounds=rounds, clock=clock, began=began)
        found = keep_feasible(scene.day, improve(scene.day, scene.base, budget, warm=True, seed=seed))
        found = scene.keeping_everybody(found)
    mended = scene.answer(scene.within(found, tell_max), found, seed)
    waiting = tuple(_waits(id) for id in as_asked.homeless if id in as_asked.loose)
    return replace(mended, kept_late=(*mended.kept_late, *waiting), loose=tuple(sorted(as_asked.loose)))


def _waits(job_id: str) -> KeptLate:
    reason = "it depends on visits that have no technician either; plan the day anew"
    return KeptLate(job_id=job_id, place=None, minutes=0, why="nobody", reason=reason)


def _priced(now: Standing, plan: Plan) -> PlanRequest:
    """Every customer of the plan has been told who comes and when; a promise is worth more than any drive."""
    request, weights = now.request, now.request.weights
    told = {visit.job_id: (person, visit.start) for person, visit in plan.visits()}
    waiting = [job for job in request.jobs if job.id not in told and job.fixed_start is None]
    promise = sum(weights.leave_undone(job) for job in waiting) + 1

    def priced(job: Job) -> Job:
        if job.id not in told or job.fixed_start is not None:
            return job
        person, start = told[job.id]
        due = job.due
        if job.id in now.late:
            closed = job.windows[-1].closes - now.late[job.id] + job.minutes
            due = closed if due is None else min(due, closed)
        worth = min(COST_MAX, weights.leave_undone(job) + promise)
        return replace(job, previous_technician=person, previous_start=start, drop_cost=worth, due=due)

    return replace(
        request,
        jobs=tuple(priced(job) for job in request.jobs),
        weights=replace(
            weights,
            other_technician=max(weights.other_technician, weights.drive(KEEP_TECHNICIAN_SECONDS, 0)),
            later_minute=max(weights.later_minute, weights.drive(KEEP_TIME_SECONDS, 0)),
            late_minute=max(weights.late_minute, weights.drive(LATE_SECONDS, 0)),
        ),
    )


class _Scene:
    """The day as it stands, and what a change of it would mean to whom."""

    def __init__(self, day: Day, now: Standing, plan: Plan) -> None:
        self.day, self.now, self.plan = day, now, plan
        self.base: Orders = [[day.job_number[id] for id in now.orders[t.id]] for t in day.technicians]
        self.told = {
            day.job_number[visit.job_id]: (person, visit.start)
            for person, visit in plan.visits()
            if visit.job_id in day.job_number and day.jobs[day.job_number[visit.job_id]].fixed_start is None
        }
        self.as_it_stands = self.starts(self.base)

    def starts(self, orders: Sequence[Sequence[int]]) -> dict[int, tuple[int, int]]:
        """Job → (technician, start)."""
        found = {}
        for person, order in enumerate(orders):
            for number, start in self.route(person, order).items():
                found[number] = person, start
        return found

    def route(self, person: int, order: Sequence[int]) -> dict[int, int]:
        timed = self.day.timed(person, order)
        assert not isinstance(timed, Misfit), timed
        return dict(zip(order, timed[0].starts, strict=True))

    def told_by(self, person: int, order: Sequence[int]) -> set[int]:
        """Whose customers have to be told a new time if the technician goes this round."""
        return {
            number
            for number, start in self.route(person, order).items()
            if number in self.told
            and abs(start - self.told[number][1]) > TELL_FROM_MINUTES
            and self.as_it_stands.get(number) != (person, start)
        }

    def keeping_everybody(self, found: Orders) -> Orders:
        """`found`, unless it leaves out a visit that has a place as the day stands."""
        placed = {number for order in found for number in order}
        kept = all(number in placed for number in self.as_it_stands)
        return found if kept and total_cost(self.day, found) <= total_cost(self.day, self.base) else self.base

    def within(self, found: Orders, tell_max: int) -> Orders:
        """The cheapest that tells no more than so many: parts of `found`, and what can be put in beside."""
        best = self._parts(found, tell_max)
        starts = [best] if best == found else [best, self.base]  # a part too large for the limit, job by job
        ways = [self._filled(start, tell_max) for start in starts]
        return min([*ways, self.base], key=lambda orders: total_cost(self.day, orders))

    def _parts(self, found: Orders, tell_max: int) -> Orders:
        """Those parts of `found` that gain most for each customer told."""
        orders, left = [list(order) for order in self.base], tell_max
        worth = []
        for part in self._apart(found):
            told = sum(len(self.told_by(person, found[person])) for person in part)
            gain = self._cost(part, self.base) - self._cost(part, found)
            if gain > 0:
                worth.append((-gain / max(1, told), told, part))
        for _, told, part in sorted(worth):
            if told <= left:
                left -= told
                for person in part:
                    orders[person] = list(found[person])
        return orders

    def _apart(self, found: Orders) -> list[tuple[int, ...]]:
        """Technicians between whom `found` moves jobs, group by group. Shifts of one person share a van, and
        what one of them no longer takes from it may be what the other needs."""
        group = list(self.day.van)

        def leader(person: int) -> int:
            while group[person] != person:
                person = group[person]
            return person

        for person, order in enumerate(found):
            for number in order:
                if number in self.as_it_stands:
                    group[leader(person)] = leader(self.as_it_stands[number][0])
        parts: dict[int, list[int]] = {}
        for person in range(len(found)):
            if found[person] != self.base[person]:
                parts.setdefault(leader(person), []).append(person)
        return [tuple(part) for part in parts.values()]

    def _cost(self, part: Iterable[int], orders: Orders) -> int:
        """Of these routes; a job that has a place only in them saves what leaving it undone costs."""
        driven = sum(route_cost(self.day, person, orders[person]).total for person in part)
        new = [n for person in part for n in orders[person] if n not in self.as_it_stands]
        return driven - sum(self.day.undone[n] for n in new)

    def _filled(self, start: Orders, tell_max: int) -> Orders:
        """What has no place yet is put where it costs least and the limit allows, the dearest first."""
        day, orders = self.day, [list(order) for order in start]
        told = [self.told_by(person, order) for person, order in enumerate(orders)]
        costs = [route_cost(day, person, order).total for person, order in enumerate(orders)]
        for job in sorted(undone_jobs(day, orders), key=lambda n: (-day.undone[n], n)):
            ways = []
            for person, order in enumerate(orders):
                if not day.may_go(person, job):
                    continue
                for at, cost, _ in places(day, person, order, job, orders):
                    if (added := cost.total - costs[person]) < day.undone[job]:
                        ways.append((added, person, at))
            others = sum(map(len, told))
            for added, person, at in sorted(ways):
                longer = [*orders[person][:at], job, *orders[person][at:]]
                new = self.told_by(person, longer)
                if others - len(told[person]) + len(new) <= tell_max:
                    orders[person], told[person] = longer, new
                    costs[person] += added
                    break
        return orders

    def answer(self, orders: Orders, found: Orders, seed: int) -> Mended:
        """`found`: what would be done without a limit."""
        day = self.day
        starts, could = self.starts(orders), self.starts(found)
        told = {n for person, order in enumerate(orders) for n in self.told_by(person, order)}
        changes = [
            Change(
                job_id=day.jobs[n].id,
                before=self.told.get(n),
                after=(day.technicians[person].id, start),
                tells=n in told,
            )
            for n, (person, start) in starts.items()
            if self.as_it_stands.get(n) != (person, start)
        ]
        return Mended(
            request=day.request,
            plan=day.plan(orders, self._left_out(orders), engine="mended", seed=seed),
            changes=tuple(sorted(changes, key=lambda change: (change.after[1], change.job_id))),
            told=tuple(day.jobs[n].id for n in sorted(told)),
            kept_late=tuple(self._kept_late(starts, could, told)),
            cost_before=total_cost(day, self.base),
            cost_after=total_cost(day, orders),
        )

    def _left_out(self, orders: Orders) -> tuple[Unassigned, ...]:
        """With the reasons of now: what was true of the day before it began may be so no more."""
        return tuple(unassigned(self.day, orders, number) for number in undone_jobs(self.day, orders))

    def _kept_late(
        self,
        starts: Mapping[int, tuple[int, int]],
        could: Mapping[int, tuple[int, int]],
        told: Iterable[int],
    ) -> list[KeptLate]:
        kept = []
        for n in sorted(set(self.told) - set(told)):
            minutes = self._late(n, starts[n][1]) if n in starts else 0
            if n in starts and minutes <= 0:
                continue
            better = n in could and (n not in starts or self._late(n, could[n][1]) < minutes)
            place = (self.day.technicians[starts[n][0]].id, starts[n][1]) if n in starts else None
            said = f"expected {hhmm(place[1])}" if place else self._why_homeless(n)
            why = (
                "it would take more customers to be told than allowed" if better else "nobody can come sooner"
            )
            kept.append(
                KeptLate(
                    job_id=self.day.jobs[n].id,
                    place=place,
                    minutes=minutes,
                    why="limit" if better else "nobody",
                    reason=f"{said}; {why}",
                )
            )
        return kept

    def _why_homeless(self, number: int) -> str:
        who, day = self.told[number][0], self.day
        person = day.technician_number.get(who)
        if person is None:
            return f"{who} can't come"
        if broken := day.broken(person, number):
            return f"{who} can't do it any more: {'; '.join(rule.text for rule in broken)}"
        on_the_van = day.on_the_van(person, self.base[person], self.base)
        parts = day.origins[person].parts
        if short := day.policy.short_of(parts, [day.jobs[n] for n in (*on_the_van, number)]):
            return f"{who} has too little {short} for it besides the other visits"
        return f"{who} gets to it no more in the shift"

    def _late(self, number: int, start: int) -> int:
        """Minutes after the promised window, else after what was told where that is more than a little."""
        job = self.day.jobs[number]
        if job.id in self.now.late:
            closed = job.windows[-1].closes - self.now.late[job.id]
            if start > closed:
                return start - closed
        over = start - self.told[number][1]
        return over if over > TELL_FROM_MINUTES else 0
