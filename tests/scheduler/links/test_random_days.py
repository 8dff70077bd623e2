"""Days full of links: nothing is ever broken, small days are solved to the best, larger ones nearly so."""

from dataclasses import replace

import pytest
from linked_days import a_linked_town_day, a_small_day, cheapest_of_all, holders, starts, without_links

from scheduler.check import check
from scheduler.codec import plan_to_json
from scheduler.emergency import apply_insertion, best_insertions, least_disruption
from scheduler.explain import fit, why_unassigned
from scheduler.plan import Plan
from scheduler.request import PlanRequest
from scheduler.solve import solve


def test_small_days_are_solved_to_the_best() -> None:
    gaps = []
    for seed in range(40):
        request = a_small_day(seed, jobs=4)
        best = cheapest_of_all(request)
        gaps.append(solve(request, rounds=1_000, seed=seed).cost.total / best - 1)
    assert min(gaps) >= 0
    assert sum(gap == 0 for gap in gaps) >= 39
    assert max(gaps) < 0.1


@pytest.mark.parametrize("first", range(0, 200, 40))
def test_no_plan_breaks_anything(first: int) -> None:
    linked = 0
    for seed in range(first, first + 40):
        request = a_small_day(seed, jobs=7, anything=True)
        for rounds in (0, 60):
            plan = solve(request, rounds=rounds, seed=seed)
            assert check(request, plan) == []
        planned = holders(plan)
        linked += sum(bool(job.after or job.together) for job in request.jobs if job.id in planned)
    assert linked > 50


def test_ortools_in_place_of_the_compiled_search_breaks_nothing() -> None:
    for seed in range(4):
        request = a_small_day(seed, jobs=7, anything=True)
        plan = solve(request, seconds=0.2, seed=seed, compiled=False)
        assert check(request, plan) == []


def test_the_same_seed_and_rounds_give_the_same_plan() -> None:
    request = a_linked_town_day(5, 30, groups=2, chains=3)
    one, two, other = (solve(request, rounds=400, seed=seed) for seed in (3, 3, 4))
    assert plan_to_json(one) == plan_to_json(two)
    assert other.seed == 4
    assert check(request, other) == []


def test_links_make_a_day_little_dearer() -> None:
    linked = free = 0
    for seed in (1, 2, 3):
        request = a_linked_town_day(6, 30, groups=2, chains=3, seed=seed)
        plan = solve(request, rounds=2_000)
        assert check(request, plan) == []
        assert not plan.unassigned
        linked += plan.cost.total
        free += solve(without_links(request), rounds=2_000).cost.total
    assert linked < 1.06 * free


def told(request: PlanRequest, plan: Plan) -> PlanRequest:
    """The request of the same day after people heard `plan`."""
    who, when = holders(plan), starts(plan)
    return replace(
        request,
        jobs=tuple(
            replace(job, previous_technician=who.get(job.id), previous_start=when.get(job.id))
            if job.fixed_start is None
            else job
            for job in request.jobs
        ),
    )


def test_a_replan_is_never_dearer_than_what_was_told() -> None:
    for seed in range(30):
        request = a_small_day(seed, jobs=6)
        before = solve(request, rounds=0)
        for rounds in (0, 50):
            after = solve(told(request, before), rounds=rounds, seed=seed)
            assert check(told(request, before), after) == []
            assert after.cost.total <= before.cost.total


def test_an_emergency_breaks_no_link_of_the_plan() -> None:
    ways = 0
    for seed in range(40):
        request = a_small_day(seed, jobs=6, anything=True)
        planned = request.jobs[:-1] if not _needed(request) else request.jobs
        if len(planned) == len(request.jobs):
            continue
        plan = solve(replace(request, jobs=planned), rounds=30)
        for way in best_insertions(request, plan, request.jobs[-1].id):
            ways += 1
            after = apply_insertion(request, plan, way)
            assert check(request, after) == []
            assert starts(after)[way.job_id] == way.start
            assert after.cost.total - plan.cost.total == way.added_cost.total
        after = least_disruption(request, plan, request.jobs[-1].id, rounds=50)
        assert check(request, after) == []
        assert starts(plan).keys() <= starts(after).keys()
    assert ways > 10


def _needed(request: PlanRequest) -> bool:
    """Whether the last job is linked to in a way that leaves half a link without it, or has begun."""
    last = request.jobs[-1]
    return last.together is not None or last.fixed_start is not None


def test_what_is_explained_as_feasible_is() -> None:
    feasible = refused = 0
    for seed in range(30):
        request = a_small_day(seed, jobs=6, anything=True)
        plan = solve(request, rounds=30)
        for job in request.jobs:
            if job.fixed_start is not None:
                continue
            if job.id not in starts(plan):
                assert why_unassigned(request, plan, job.id).reason
                continue
            for person in request.technicians:
                answer = fit(request, plan, job.id, person.id)
                if person.id == holders(plan)[job.id]:
                    assert answer.feasible
                feasible += answer.feasible
                refused += any(rule.code == "linked" for rule in answer.broken)
                assert answer.feasible or answer.broken
    assert feasible > 50
    assert refused > 10
