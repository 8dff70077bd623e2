"""Look for a good plan with OR-Tools' routing search.

Measured on ISP days of 12 × 130 and 40 × 250: its iterated local search (ruin some neighbouring visits, put
them back, accept worse plans at first) beats guided local search on every day tried, and it must be called by
its own method: the ordinary one ignores the setting in silence. It can't begin from a plan, so a replan gives
the last part of its time to guided local search from the best plan known.

Both stop by the clock, so the plan found depends on the machine's load; a seed only fixes the order of ties.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from scheduler.baseline import Orders, keep_feasible, total_cost
from scheduler.model import Model, routing_model
from scheduler.timing import Day

Progress = Callable[[float, int], None]
"""Called while the search runs: seconds since it began, cost in cents of the best plan so far."""

VISITS_REMOVED = 5
START_TEMPERATURE = 300.0  # cents: about the cost of a short drive
REPORT_EVERY_SECONDS = 0.1


def search(day: Day, seconds: float, *, seed: int = 0, progress: Progress | None = None) -> Orders | None:
    """Return the best orders found in `seconds`, from nothing; None without even a first plan."""
    model = routing_model(day, _shuffled(day, seed))
    _report(model, progress)
    return _orders(model, model.routing.SolveWithIteratedLocalSearch(_iterated(seconds)))


def improve(
    day: Day,
    start: Sequence[Sequence[int]],
    seconds: float,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Orders | None:
    """Return the best orders found in `seconds`, begun from `start`; None when the model refuses it."""
    model = routing_model(day, _shuffled(day, seed))
    _report(model, progress)
    parameters = _guided(seconds)
    # Reading a plan closes the model, with default parameters unless it is closed before.
    model.routing.CloseModelWithParameters(parameters)
    node = {number: node for node, number in enumerate(model.jobs)}
    if any(number not in node for order in start for number in order):
        return None
    routes = [[model.index(node[number]) for number in order] for order in start]
    assignment = model.routing.ReadAssignmentFromRoutes(routes, True)
    if assignment is None:
        return None
    return _orders(model, model.routing.SolveFromAssignmentWithParameters(assignment, parameters))


def _iterated(seconds: float) -> Any:
    parameters = _limited(seconds)
    parameters.use_iterated_local_search = True
    iterated = parameters.iterated_local_search_parameters
    ruin = iterated.ruin_recreate_parameters.ruin_strategies.add()
    ruin.sisr.max_removed_sequence_size = 10
    ruin.sisr.avg_num_removed_visits = VISITS_REMOVED
    ruin.sisr.bypass_factor = 0.5
    recreate = iterated.ruin_recreate_parameters.recreate_strategy
    recreate.heuristic = routing_enums_pb2.FirstSolutionStrategy.LOCAL_CHEAPEST_COST_INSERTION
    annealing = iterated.reference_solution_acceptance_strategy.simulated_annealing
    annealing.initial_temperature = START_TEMPERATURE
    annealing.final_temperature = START_TEMPERATURE / 100
    return parameters


def _guided(seconds: float) -> Any:
    parameters = _limited(seconds)
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    return parameters


def _limited(seconds: float) -> Any:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.time_limit.FromMilliseconds(max(1, int(seconds * 1000)))
    return parameters


def _shuffled(day: Day, seed: int) -> list[int]:
    jobs = list(day.open_jobs)
    if seed:
        random.Random(seed).shuffle(jobs)
    return jobs


def _report(model: Model, progress: Progress | None) -> None:
    if progress is None:
        return
    began, best, least, last = time.monotonic(), 1 << 60, 1 << 60, 0.0

    def on_solution() -> None:
        nonlocal best, least, last
        now, cost = time.monotonic(), int(model.routing.CostVar().Max())
        if cost < least and now - last >= REPORT_EVERY_SECONDS:
            least, last = cost, now
            # What has begun the model prices not at all, and some things otherwise: the day's price counts.
            orders = _walked(model, lambda index: int(model.routing.NextVar(index).Value()))
            best = min(best, total_cost(model.day, keep_feasible(model.day, orders)))
            progress(now - began, best)

    model.routing.AddAtSolutionCallback(on_solution)


def _orders(model: Model, assignment: Any) -> Orders | None:
    if assignment is None:
        return None
    return _walked(model, lambda index: int(assignment.Value(model.routing.NextVar(index))))


def _walked(model: Model, following: Callable[[int], int]) -> Orders:
    """following: index of a node → index of the next on its route."""
    orders: Orders = []
    for vehicle in model.vehicles:
        order: list[int] = []
        index = following(model.routing.Start(vehicle))
        while not model.routing.IsEnd(index):
            order.append(model.jobs[model.manager.IndexToNode(index)])
            index = following(index)
        orders.append(order)
    return orders
