"""Who may do which job: the same yes or no, in the same words, wherever it is asked."""

from __future__ import annotations

import random
from dataclasses import replace

import plainest
import pytest
from ruled import a_ruled_day

from scheduler.check import check
from scheduler.emergency import apply_insertion, best_insertions
from scheduler.engine.problem import problem_of
from scheduler.explain import fit, fit_at, fits
from scheduler.plan import Plan
from scheduler.request import Job, PlanRequest
from scheduler.solve import solve
from scheduler.timing import Day
from server.dispatch.in_force import in_force

CASES = 1_000
PARTS = 5
PERSONAL = {"no_technician", "pinned", "territory", "skill", "certificate", "parts"}


def told(request: PlanRequest, plan: Plan) -> PlanRequest:
    """The request as it is once everybody has been told of `plan`, which is all that the database keeps."""
    visits = {visit.job_id: (person, visit.start) for person, visit in plan.visits()}
    jobs = tuple(_told(job, *visits.get(job.id, (None, None))) for job in request.jobs)
    return replace(request, jobs=jobs)


def _told(job: Job, technician: str | None, start: int | None) -> Job:
    if job.fixed_start is not None:
        technician, start = None, None
    return replace(job, previous_technician=technician, previous_start=start)


@pytest.mark.parametrize("part", range(PARTS))
def test_everybody_gives_the_same_answer(part: int) -> None:
    """Each case is a job and a technician: 200 here, a thousand in all."""
    cases, yes, seed = 0, 0, part * 10_000
    while cases < CASES // PARTS:
        seed += 1
        request = a_ruled_day(seed, days=1 + seed % 2)
        told_day = told(request, solve(request, seconds=0))
        for job in told_day.jobs:
            if job.fixed_start is None:
                yes += ask_everybody(told_day, job, random.Random(seed))
                cases += len(told_day.technicians)
    assert cases // 10 < yes < cases * 9 // 10, "the days are too easy or too hard to tell anything"


def ask_everybody(request: PlanRequest, job: Job, chance: random.Random) -> int:
    """Ask for one job and every technician; give how many could do it."""
    plan = in_force(request, job.id)  # what the server asks with: the board, the places offered, the booking
    day = Day(request)
    number = day.job_number[job.id]
    problem, numbers = problem_of(day)
    offered = {
        way.technician_id: way
        for way in best_insertions(request, plan, job.id, count=len(request.technicians))
        if not way.displaced
    }
    everybody = fits(request, plan, job.id)
    jobs = {one.id: one for one in request.jobs}
    able = 0
    for at, (person, route, judged) in enumerate(
        zip(request.technicians, plan.routes, everybody, strict=True)
    ):
        order = [jobs[visit.job_id] for visit in route.visits]
        others = [
            jobs[visit.job_id]
            for shift, other in zip(request.technicians, plan.routes, strict=True)
            if shift is not person and shift.whose == person.whose
            for visit in other.visits
        ]
        possible = plainest.able_in(request, person, order, job, others)
        able += possible
        explained = fit(request, plan, job.id, person.id)
        assert explained.feasible is judged.feasible is possible is (person.id in offered)
        assert (explained.broken, explained.start) == (judged.broken, judged.start)
        assert bool(explained.broken) is not possible
        personal = [rule for rule in explained.broken if rule.code in PERSONAL]
        if not possible or personal:
            assert personal == day.broken(at, number)
        assert day.may_go(at, number) is not bool(day.broken(at, number))
        if number in numbers:
            assert bool(problem.able[at, numbers.index(number)]) is day.may_go(at, number)
        if possible:
            way = offered[person.id]
            assert (way.position, way.start, way.added_cost) == (
                explained.position, explained.start, explained.added_cost,
            )  # fmt: skip
            assert check(request, apply_insertion(request, plan, way)) == []
            assert fit_at(request, plan, job.id, person.id, way.start).feasible
        else:
            by_hand = fit_at(request, plan, job.id, person.id, chance.randint(480, 900))
            assert not by_hand.feasible or job.pinned, "a hand may set aside only what a hand has pinned"
            unpinned = [rule for rule in personal if rule.code != "pinned"]
            assert [rule for rule in by_hand.broken if rule.code in PERSONAL] == unpinned
    return able
