"""The general arrays over many rounds of a day with everything on: never a route that can't be driven."""

import random
from dataclasses import replace

from days import a_town_day

from scheduler.check import check
from scheduler.engine.anneal import anneal, fill, notes_of
from scheduler.engine.problem import problem_of
from scheduler.engine.routes import cost_of, routes_of
from scheduler.engine.search import tuning_of
from scheduler.fairness import with_even_shares
from scheduler.request import Lunch, PlanRequest
from scheduler.solve import solve
from scheduler.timing import Day, Times


def everything(seed: int) -> PlanRequest:
    """Overtime, one to three breaks, setups shared by two jobs a house, an even share, traffic."""
    r = random.Random(seed)
    request = a_town_day(10, 70, seed)
    people = tuple(
        replace(
            person,
            overtime_max=r.choice([0, 30, 60]),
            breaks=tuple(
                Lunch(earliest=minute, latest=minute + 60, minutes=10)
                for minute in r.choice([(), (570,), (570, 690)])
            )
            if person.lunch
            else (),
        )
        for person in request.technicians
    )
    jobs = tuple(
        replace(job, setup_minutes=r.choice([0, 5, 15]), place=10 + n // 2 * 2)
        for n, job in enumerate(request.jobs)
    )
    pace = tuple(r.choice([600, 800, 1000]) for _ in range(24)) if seed % 2 else ()
    return with_even_shares(replace(request, technicians=people, jobs=jobs, pace=pace))


class TestManyRounds:
    def test_keep_times_costs_and_feasibility_true(self) -> None:
        for seed in range(4):
            day = Day(everything(seed))
            problem, numbers = problem_of(day)
            routes = routes_of(problem, [[] for _ in day.technicians], seed)
            notes = notes_of(problem, routes)
            fill(problem, routes, notes)
            for _ in range(20):
                anneal(problem, routes, notes, tuning_of(problem), 100, 3000.0, 1000.0)
                orders = []
                for person in range(problem.people):
                    node, order = int(routes.after[problem.jobs + person]), []
                    while node < problem.jobs:
                        order.append(node)
                        node = int(routes.after[node])
                    orders.append(order)
                    assert isinstance(day.times(person, [numbers[job] for job in order]), Times)
                again = routes_of(problem, orders, 0)
                placed = routes.route >= 0
                assert (again.leave[placed] == routes.leave[placed]).all()
                assert (again.reach[placed] == routes.reach[placed]).all()
                assert int(cost_of(problem, again)) == int(routes.cost[0])

    def test_end_in_a_plan_that_its_judge_passes_and_that_beats_insertion(self) -> None:
        request = everything(1)
        plan = solve(request, rounds=3_000)
        assert check(request, plan) == []
        assert plan.cost.total < solve(request, seconds=0).cost.total * 0.95
