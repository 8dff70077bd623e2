"""A week of days as they happen, each mended after every event.

Visits take half or twice as long, nobody is home, people fall ill, vans break down, emergencies and new
orders come in. `WEEK_DAYS` sets how many days are lived; 5 unless it is set.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from days import a_job, a_town_day, at

from scheduler.baseline import keep_feasible
from scheduler.check import check
from scheduler.explain import fit, why_unassigned
from scheduler.mend import Mended, mend
from scheduler.plan import Plan
from scheduler.request import Job, Pin, PlanRequest, Technician, Window
from scheduler.solve import solve
from scheduler.timing import Day

DAYS = int(os.environ.get("WEEK_DAYS", "5"))
CREW, JOBS, TELL_MAX = 6, 34, 6
EVENTS = ("nothing", "nobody home", "ill", "van broken", "emergency", "new order", "back again", "pinned")
NOBODY_HOME_MINUTES = 10


@dataclass
class LiveDay:
    """What has really happened so far. true_minutes: what each visit takes in truth. begun: job → who, start,
    but for those who have left; visited: theirs too.
    """

    dice: random.Random
    request: PlanRequest
    plan: Plan
    true_minutes: dict[str, int]
    begun: dict[str, tuple[str, int]] = field(default_factory=dict)
    visited: set[str] = field(default_factory=set)
    away: dict[str, Technician] = field(default_factory=dict)

    def go_on_until(self, now: int) -> None:
        """Everybody drives and works in the order of the plan, as long as it really takes."""
        drive = self.request.travel.seconds
        jobs = {job.id: job for job in self.request.jobs}
        for person in self.request.technicians:
            place, free = person.start_place, person.shift_start
            for visit in next(r for r in self.plan.routes if r.technician_id == person.id).visits:
                job = jobs[visit.job_id]
                there = free + -(-drive[place][job.place] // 60)
                _, start = self.begun.get(job.id, ("", max(visit.start, there)))
                if job.id not in self.begun and start > now:
                    break
                self.begun[job.id] = person.id, start
                self.visited.add(job.id)
                place, free = job.place, start + self.true_minutes[job.id]
        self.request = replace(
            self.request, now=now, jobs=tuple(self._known(job, now) for job in self.request.jobs)
        )

    def _known(self, job: Job, now: int) -> Job:
        """What dispatch knows of it at `now`: a visit that still goes on is believed to end as planned."""
        if job.id not in self.begun:
            return job
        person, start = self.begun[job.id]
        truth, so_far = self.true_minutes[job.id], now - start
        planned = next(visit.end - visit.start for _, visit in self.plan.visits() if visit.job_id == job.id)
        minutes = truth if truth <= so_far else max(planned, so_far)
        return replace(job, technician=person, fixed_start=start, minutes=minutes, pinned=None)

    def happens(self, what: str) -> None:
        going_on = [
            job
            for job in self.request.jobs
            if job.fixed_start is not None and job.fixed_start + self.true_minutes[job.id] > self.request.now
        ]
        match what:
            case "nobody home" if going_on:
                job = self.dice.choice(going_on)
                start = self.begun[job.id][1]
                self.true_minutes[job.id] = min(self.true_minutes[job.id], self.request.now - start + 1)
                again = (Window(at("15:00"), at("17:00")),)
                self._order(
                    replace(job, id=f"{job.id} again", technician=None, fixed_start=None, windows=again)
                )
            case "ill" | "van broken" if len(self.request.technicians) > 2:
                self._leaves(self.dice.choice(self.request.technicians))
            case "back again" if self.away:
                person = self.away.pop(self.dice.choice(sorted(self.away)))
                self.request = replace(self.request, technicians=(*self.request.technicians, person))
            case "emergency" | "new order":
                is_urgent = what == "emergency"
                number = len(self.true_minutes)
                self._order(
                    a_job(
                        f"{what} {number}",
                        place=self.dice.randrange(len(self.request.travel)),
                        priority=1 if is_urgent else 3,
                        due=self.request.now + 60 if is_urgent else None,
                        skills={"fibre": 1},
                    )
                )
            case "pinned":
                here = {person.id for person in self.request.technicians}
                waiting = {job.id for job in self.request.jobs if job.fixed_start is None}
                planned = [(who, visit.job_id) for who, visit in self.plan.visits() if who in here]
                if places := [(who, job_id) for who, job_id in planned if job_id in waiting]:
                    person, job_id = self.dice.choice(places)
                    self._change(job_id, pinned=Pin(technician=person))

    def _leaves(self, person: Technician) -> None:
        """What they have begun is over for today; what they had before them is for the others."""
        if person.shift_end > at("14:00") and self.dice.random() < 0.5:
            self.away[person.id] = replace(person, shift_start=at("13:00"), lunch=None)
        jobs = []
        for job in self.request.jobs:
            if self.begun.get(job.id, ("",))[0] == person.id:
                del self.begun[job.id]
                continue
            is_theirs = job.pinned is not None and job.pinned.technician == person.id
            jobs.append(replace(job, pinned=None) if is_theirs else job)
        people = tuple(one for one in self.request.technicians if one.id != person.id)
        self.request = replace(self.request, technicians=people, jobs=tuple(jobs))

    def _order(self, job: Job) -> None:
        self.true_minutes[job.id] = max(1, round(job.minutes * self.dice.uniform(0.5, 2)))
        self.request = replace(self.request, jobs=(*self.request.jobs, job))

    def _change(self, job_id: str, **to: object) -> None:
        jobs = tuple(replace(j, **to) if j.id == job_id else j for j in self.request.jobs)  # type: ignore[arg-type]
        self.request = replace(self.request, jobs=jobs)


def a_living_day(seed: int) -> LiveDay:
    request = a_town_day(CREW, JOBS, seed=700 + seed)
    dice = random.Random(seed)
    true_minutes = {job.id: max(1, round(job.minutes * dice.uniform(0.5, 2))) for job in request.jobs}
    return LiveDay(dice, request, solve(request, rounds=300, seed=seed), true_minutes)


def wrongs(live: LiveDay, mended: Mended) -> Iterator[str]:
    """Everything that a day must never be, whatever happened in it."""
    yield from (violation.text for violation in check(mended.request, mended.plan))
    if mended.cost_after > mended.cost_before:
        yield f"dearer than as it stood: {mended.cost_after} > {mended.cost_before}"
    if len(mended.told) > TELL_MAX:
        yield f"{len(mended.told)} customers told, {TELL_MAX} allowed"
    visits = list(mended.plan.visits())
    listed = Counter([visit.job_id for _, visit in visits] + [gone.job_id for gone in mended.plan.unassigned])
    if listed != Counter(job.id for job in live.request.jobs):
        yield f"dropped or doubled: {listed - Counter(job.id for job in live.request.jobs)}"
    yield from (f"{gone.job_id} without a reason" for gone in mended.plan.unassigned if not gone.reason)
    places = {visit.job_id: (person, visit.start) for person, visit in visits}
    for job_id, fact in live.begun.items():
        if places.get(job_id) != fact:
            yield f"{job_id} began {fact} and is said to be {places.get(job_id)}"
    for job in live.request.jobs:
        if job.pinned and job.id in places and places[job.id][0] != job.pinned.technician:
            yield f"{job.id} is pinned to {job.pinned.technician} and went to {places[job.id][0]}"


def disagreements(live: LiveDay, mended: Mended) -> Iterator[str]:
    """Where what is said of a (job, technician), drawn by lot, is not what the judge says of it."""
    request, plan = mended.request, mended.plan
    waiting = [job for job in request.jobs if job.fixed_start is None]
    for job in live.dice.sample(waiting, min(3, len(waiting))):
        person = live.dice.choice(request.technicians)
        said = fit(request, plan, job.id, person.id)
        tied = replace(job, technician=person.id)
        others = [left.job_id for left in plan.unassigned if left.job_id != job.id]
        asked = replace(
            request, jobs=tuple(tied if j.id == job.id else j for j in request.jobs if j.id not in others)
        )
        if said.feasible:
            assert said.position is not None
            behind = sum(visit.fixed for who, visit in plan.visits() if who == person.id)
            tried = with_visit(asked, plan, job.id, person.id, said.position - behind)
            if job.id not in {visit.job_id for _, visit in tried.visits()} or check(asked, tried):
                yield f"{job.id} would fit {person.id}, and the judge says {check(asked, tried)}"
        elif not said.broken:
            yield f"{job.id} would not fit {person.id}, and nobody says why"
        else:
            for position in range(len(order_of(plan, person.id, job.id)) + 1):
                tried = with_visit(asked, plan, job.id, person.id, position)
                if len(list(tried.visits())) == len(asked.jobs) and not check(asked, tried):
                    yield f"{job.id} is said not to fit {person.id}, and does at {position}"
    for left in plan.unassigned:
        found = why_unassigned(request, plan, left.job_id)
        if found.code != left.code:
            yield f"{left.job_id}: {left.code}, {left.reason}; and {found.code}, {found.reason}"


def order_of(plan: Plan, person: str, without: str) -> list[str]:
    [route] = [route for route in plan.routes if route.technician_id == person]
    return [visit.job_id for visit in route.visits if not visit.fixed and visit.job_id != without]


def with_visit(request: PlanRequest, plan: Plan, job_id: str, person: str, position: int) -> Plan:
    """The plan with the visit put there, everything else where it was; without it if its times forbid it."""
    day = Day(request)
    orders = []
    for one in request.technicians:
        order = order_of(plan, one.id, job_id)
        if one.id == person:
            order.insert(position, job_id)
        orders.append([day.job_number[id] for id in order])
    return day.plan(keep_feasible(day, orders), (), engine="by hand", seed=0)


@pytest.mark.parametrize("seed", range(DAYS))
def test_a_day_lives_through_whatever_happens(seed: int) -> None:
    live = a_living_day(seed)
    assert check(live.request, live.plan) == []
    now = at("08:00")
    while (now := now + live.dice.randrange(20, 60)) < at("17:30"):
        live.go_on_until(now)
        what = live.dice.choice(EVENTS)
        live.happens(what)
        mended = mend(live.request, live.plan, tell_max=TELL_MAX, rounds=60, seed=seed)
        assert list(wrongs(live, mended)) == [], (seed, now, what)
        assert list(disagreements(live, mended)) == [], (seed, now, what)
        live.plan = mended.plan
    assert len(live.visited) > JOBS / 3, "a day in which nothing was done proves nothing"
