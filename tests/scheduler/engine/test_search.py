"""The compiled search against the plain rules: the same times, the same costs, no broken promise."""

import threading
import time
from dataclasses import replace
from itertools import permutations

import pytest
from days import a_day, a_job, a_town_day, ann, at, bob, random_days, window
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.baseline import Orders, greedy, keep_feasible, total_cost, undone_jobs
from scheduler.check import check
from scheduler.engine.anneal import cheapest_place
from scheduler.engine.pool import Pool, recombined
from scheduler.engine.problem import problem_of
from scheduler.engine.routes import cost_of, fits_between, routes_of
from scheduler.engine.search import Budget, improve
from scheduler.request import PlanRequest
from scheduler.solve import solve
from scheduler.timing import Day, Times

MANY = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def numbered(orders: Orders, numbers: list[int]) -> Orders:
    job_of = {number: job for job, number in enumerate(numbers)}
    return [[job_of[number] for number in order] for order in orders]


def hopeless(day: Day, numbers: list[int]) -> int:
    """What the jobs cost that nobody may do: they are in no array."""
    return sum(day.undone[number] for number in day.open_jobs if number not in numbers)


class TestTheArrays:
    @MANY
    @given(request=random_days())
    def test_price_any_plan_as_the_plain_rules_do(self, request: PlanRequest) -> None:
        """But for the choice of a dearer lunch, which only `Day.timed` looks at."""
        day = Day(request)
        problem, numbers = problem_of(day)
        orders = greedy(day)
        cost = int(cost_of(problem, routes_of(problem, numbered(orders, numbers), 0)))
        plain = hopeless(day, numbers) + cost
        by_the_earliest_lunch = sum(
            day.cost(technician, order, times).total
            for technician, order in enumerate(orders)
            if isinstance(times := day.times(technician, order), Times)
        ) + sum(day.undone[number] for number in undone_jobs(day, orders))
        assert plain == by_the_earliest_lunch - begun_costs(day)

    @MANY
    @given(request=random_days(), data=st.data())
    def test_say_where_a_visit_fits_as_the_plain_rules_do(
        self, request: PlanRequest, data: st.DataObject
    ) -> None:
        day = Day(request)
        problem, numbers = problem_of(day)
        orders = numbered(greedy(day), numbers)
        out = [job for job in range(len(numbers)) if not any(job in order for order in orders)]
        if not out:
            technician = data.draw(st.sampled_from([t for t, o in enumerate(orders) if o] or [0]))
            if not orders[technician]:
                return
            out = [orders[technician].pop()]
        if any(not isinstance(day.times(t, [numbers[j] for j in o]), Times) for t, o in enumerate(orders)):
            return  # where a detour is quicker than the straight way, fewer visits may not fit
        routes = routes_of(problem, orders, 0)
        for job in out:
            for technician, order in enumerate(orders):
                chain = [problem.jobs + technician, *order, problem.jobs + problem.people + technician]
                for position in range(len(order) + 1):
                    longer = [numbers[j] for j in (*order[:position], job, *order[position:])]
                    told = fits_between(
                        problem, routes, technician, chain[position], job, chain[position + 1]
                    )
                    assert told == isinstance(day.times(technician, longer), Times)

    def test_leave_out_jobs_that_nobody_may_do(self) -> None:
        day = Day(a_day(a_job("a"), a_job("b", skills={"splice": 1})))
        problem, numbers = problem_of(day)
        assert (problem.jobs, numbers) == (1, [0])

    def test_count_only_parts_that_could_run_short(self) -> None:
        jobs = (a_job("a", parts={"ONT": 1, "ROUTER": 1}), a_job("b", parts={"ONT": 1}))
        problem, _ = problem_of(Day(a_day(*jobs, technicians=(ann(parts={"ONT": 1, "ROUTER": 1}),))))
        assert problem.needs.tolist() == [[1], [1]]
        assert problem.carries.tolist() == [[1]]

    def test_know_technicians_apart_only_by_what_matters(self) -> None:
        people = (ann(), bob(), ann(id="c", shift_end=at("15:00")), ann(id="d", bias={"j1": 5}))
        problem, _ = problem_of(Day(a_day(a_job(), technicians=people)))
        assert problem.kind.tolist() == [0, 0, 1, 2]


def begun_costs(day: Day) -> int:
    """Costs of visits that have begun: they are in every plan, and not in the arrays."""
    total = 0
    for technician, origin in enumerate(day.origins):
        if origin.begun:
            times = day.times(technician, [])
            assert isinstance(times, Times)
            cost = day.cost(technician, [], times)
            total += cost.total - cost.overtime - cost.uneven  # the arrays know how long a day is
            total -= day.drive_cost[origin.place][day.technicians[technician].end_place]
    return total


class TestTheSearch:
    @MANY
    @given(request=random_days())
    def test_finds_a_plan_that_can_be_driven_and_never_a_dearer_one(self, request: PlanRequest) -> None:
        day = Day(request)
        start = greedy(day)
        found = improve(day, start, Budget(rounds=200))
        assert keep_feasible(day, found) == found
        assert total_cost(day, found) <= total_cost(day, start)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(request=random_days(roads=True))
    def test_finds_the_best_plan_of_a_small_day(self, request: PlanRequest) -> None:
        day = Day(request)
        plan = solve(request, rounds=1500)
        if len(day.technicians) == 1 and len(day.open_jobs) <= 5:
            assert plan.cost.total == least_cost(day)

    def test_gives_the_same_plan_for_the_same_seed_and_rounds(self) -> None:
        request = a_town_day(5, 40)
        plans = [solve(request, rounds=3000, seed=seed, threads=2) for seed in (4, 4)]
        assert plans[0] == plans[1]
        assert plans[0].engine == "ruin-recreate"

    def test_ends_when_it_is_told_to_with_the_best_so_far(self) -> None:
        request, stopped = a_town_day(10, 90), threading.Event()
        began = time.monotonic()
        plan = solve(request, seconds=120, stopped=stopped, progress=lambda *_: stopped.set())
        assert time.monotonic() - began < 60
        assert check(request, plan) == []

    def test_tells_of_each_better_plan(self) -> None:
        steps: list[int] = []
        plan = solve(a_town_day(6, 50), rounds=4000, progress=lambda _, cost: steps.append(cost))
        assert len(steps) > 3
        assert steps == sorted(steps, reverse=True)
        assert steps[-1] == plan.cost.total

    def test_never_answers_with_a_dearer_plan_than_people_know(self) -> None:
        request = a_town_day(6, 50)
        known = solve(request, rounds=20_000)
        told = {visit.job_id: (person, visit.start) for person, visit in known.visits()}
        jobs = tuple(
            replace(job, previous_technician=told[job.id][0], previous_start=told[job.id][1])
            if job.id in told
            else job
            for job in request.jobs
        )
        assert solve(replace(request, jobs=jobs), rounds=50).cost.total <= known.cost.total

    @pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "OR-Tools"])
    def test_either_engine_serves_a_day_that_fits(self, compiled: bool) -> None:
        jobs = (
            a_job("a", place=1),
            a_job("b", place=2, windows=(window("10:00", "10:30"),)),
            a_job("c", place=3),
        )
        plan = solve(a_day(*jobs), seconds=0.5, compiled=compiled)
        assert plan.unassigned == ()
        assert plan.cost.total == 6 * 1030

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [({"rounds": -1}, "rounds must be 0 or more"), ({"threads": 0}, "threads must be 1 or more")],
    )
    def test_refuses_an_impossible_effort(self, wrong: dict[str, int], said: str) -> None:
        with pytest.raises(ValueError, match=said):
            solve(a_day(), **wrong)  # type: ignore[arg-type]


def least_cost(day: Day) -> int:
    """By trying every order of every choice of jobs, for one technician."""
    jobs = [number for number in day.open_jobs if day.may_go(0, number)]
    orders = (list(order) for size in range(len(jobs) + 1) for order in permutations(jobs, size))
    fitting = (
        order for order in orders if day.parts_suffice(0, order) and isinstance(day.times(0, order), Times)
    )
    return min(total_cost(day, [order]) for order in fitting)


class TestThePool:
    def test_mixes_the_routes_of_two_plans(self) -> None:
        """Ann's good route is in one, Bob's in the other."""
        jobs = [a_job(f"j{n}", place=n) for n in range(1, 5)]
        people = (ann(end_place=4), bob(start_place=4, end_place=4))
        problem, _ = problem_of(Day(a_day(*jobs, technicians=people)))
        good, poor = [[0, 1], [3, 2]], [[1, 0], [2, 3]]
        pool = Pool(problem)
        for order in ([good[0], poor[1]], [poor[0], good[1]]):
            routes = routes_of(problem, order, 0)
            pool.add(routes)
        mixed = recombined(problem, [good[0], poor[1]], [pool], None, 0)
        costs = [int(cost_of(problem, routes_of(problem, orders, 0))) for orders in (mixed, good)]
        assert costs[0] == costs[1]

    def test_keeps_the_plan_where_nothing_is_cheaper_and_none_of_its_routes_was_met(self) -> None:
        problem, _ = problem_of(Day(a_day(a_job("a"), a_job("b", place=2), technicians=(ann(), bob()))))
        best = [[0, 1], []]
        pool = Pool(problem)
        pool.add(routes_of(problem, [[0], [1]], 0))
        assert recombined(problem, best, [pool], None, 0) is best


class TestAPlace:
    def test_is_the_cheapest_of_all_when_all_are_tried(self) -> None:
        problem, numbers = problem_of(Day(a_town_day(4, 20)))
        orders = numbered(greedy(Day(a_town_day(4, 20))), numbers)
        technician = max(range(4), key=lambda t: len(orders[t]))
        job = orders[technician].pop(1)
        routes = routes_of(problem, orders, 0)
        cost, after = cheapest_place(problem, routes, job, 0.0, True)
        before = int(cost_of(problem, routes))
        best = min(
            int(
                cost_of(
                    problem, routes_of(problem, [*orders[:t], [*o[:p], job, *o[p:]], *orders[t + 1 :]], 0)
                )
            )
            for t, o in enumerate(orders)
            for p in range(len(o) + 1)
            if problem.able[t, job]
            and fits_between(
                problem,
                routes,
                t,
                ([problem.jobs + t, *o])[p],
                job,
                ([*o, problem.jobs + problem.people + t])[p],
            )
        )
        assert after >= 0
        assert before - problem.undone[job] + cost == best
