"""A linked day under way: visits begin late, plans are compared, searches are stopped and tell of it."""

import random
import threading
from dataclasses import replace

from days import a_day, a_job, ann, at, bob
from linked_days import a_linked_town_day, a_small_day, holders, left, starts

from scheduler.check import check
from scheduler.compare import compare, readable
from scheduler.emergency import apply_insertion, best_insertions, least_disruption
from scheduler.explain import fit, why_assigned, why_unassigned
from scheduler.plan import Plan
from scheduler.request import After, PlanRequest
from scheduler.solve import solve


def some_hours_later(request: PlanRequest, plan: Plan, seed: int) -> PlanRequest:
    """Some first visits have begun, most of them late; everybody knows the plan."""
    r = random.Random(seed)
    now, begun = at("08:30") + r.randrange(150), {}
    for route in plan.routes:
        late = r.choice([0, 0, 10, 45])
        for visit in route.visits:
            if visit.start + late > now:
                break
            begun[visit.job_id] = route.technician_id, visit.start + late
    who, when = holders(plan), starts(plan)
    jobs = tuple(
        replace(job, technician=begun[job.id][0], fixed_start=begun[job.id][1])
        if job.id in begun
        else replace(job, previous_technician=who.get(job.id), previous_start=when.get(job.id))
        for job in request.jobs
    )
    return replace(request, jobs=jobs, now=now)


class TestLater:
    def test_the_rest_of_the_day_keeps_its_links_whatever_has_happened(self) -> None:
        changed = ways = 0
        for seed in range(20):
            request = a_small_day(seed, jobs=7)
            plan = solve(request, rounds=20)
            later = some_hours_later(request, plan, seed)
            for rounds in (0, 20):
                again = solve(later, rounds=rounds)
                assert check(later, again) == []
                changed += starts(again) != starts(plan)
            more = replace(later, jobs=(*later.jobs, a_job("sos", place=2, priority=1)))
            for way in best_insertions(more, plan, "sos"):
                ways += 1
                assert check(more, apply_insertion(more, plan, way)) == []
            assert check(more, least_disruption(more, plan, "sos", rounds=20)) == []
        assert changed > 15
        assert ways > 15

    def test_every_answer_has_words(self) -> None:
        for seed in range(12):
            request = a_small_day(seed, jobs=7)
            plan = solve(request, rounds=20)
            later = some_hours_later(request, plan, seed)
            for job in later.jobs:
                if job.fixed_start is not None:
                    continue
                if job.id in starts(plan):
                    assert why_assigned(later, plan, job.id).text
                else:
                    assert why_unassigned(later, plan, job.id).reason
                for person in later.technicians:
                    answer = fit(later, plan, job.id, person.id)
                    assert answer.feasible or all(rule.text for rule in answer.broken)


class TestTwoPlans:
    def test_the_links_that_one_of_them_breaks(self) -> None:
        jobs = (a_job("drop", place=5, technician="ann"), a_job("splice", technician="bob"))
        request = a_day(*jobs, technicians=(ann(), bob()))
        free = solve(request, seconds=0)
        linked = replace(request, jobs=(jobs[0], replace(jobs[1], after=(After(job="drop"),))))
        comparison = compare(linked, free, solve(linked, seconds=0))
        assert (comparison.before.links_broken, comparison.after.links_broken) == (("splice",), ())
        assert "links broken                     1           0" in readable(linked, comparison)

    def test_a_day_without_links_says_nothing_of_them(self) -> None:
        request = a_day(a_job())
        plan = solve(request, seconds=0)
        assert "links" not in readable(request, compare(request, plan, plan))


class TestTheSearch:
    def test_tells_of_cheaper_plans_until_the_last(self) -> None:
        told: list[int] = []
        request = a_linked_town_day(5, 30, groups=2, chains=2)
        plan = solve(request, rounds=200, progress=lambda _, cost: told.append(cost))
        assert len(told) > 1
        assert told == sorted(told, reverse=True)
        assert told[-1] == plan.cost.total

    def test_ends_at_once_when_it_is_stopped(self) -> None:
        stopped = threading.Event()
        stopped.set()
        request = a_linked_town_day(5, 30, groups=2, chains=2)
        plan = solve(request, seconds=600, stopped=stopped)
        assert check(request, plan) == []
        assert not left(plan)

    def test_ends_in_its_time(self) -> None:
        told: list[float] = []
        request = a_linked_town_day(5, 30, groups=2, chains=2)
        solve(request, seconds=0.5, progress=lambda seconds, _: told.append(seconds))
        assert told[-1] < 2

    def test_uses_several_threads(self) -> None:
        request = a_linked_town_day(5, 30, groups=2, chains=2)
        plans = [solve(request, rounds=200, threads=2) for _ in range(2)]
        assert plans[0] == plans[1]
        assert check(request, plans[0]) == []
