"""PyVRP, VROOM and plain OR-Tools, the scheduler's yardsticks: `python routing.py TASK.json`, JSON on stdout.

Each runs in a process of its own with one thread. PyVRP and VROOM come from the package index into
`build/bench-routing`, as pinned with hashes in `routing.txt` (made of `routing.in`); the product never needs
them. A budget is CPU seconds from when the problem lies in memory, as for our own solver; building a solver's
model is part of it. VROOM has no budget: it stops by itself.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

Routes = list[list[int]]
FORBIDDEN = 10_000_000  # minutes: a van without the skill never arrives
VROOM_PRIORITY_MAX = 100


def able(problem: dict[str, Any], stop: dict[str, Any]) -> list[int]:
    return [number for number, van in enumerate(problem["vans"]) if set(stop["skills"]) <= set(van["skills"])]


def cents(problem: dict[str, Any]) -> list[list[int]]:
    return [[minutes * problem["cents_a_minute"] for minutes in row] for row in problem["minutes"]]


# --- PyVRP ---


def pyvrp(problem: dict[str, Any], task: dict[str, Any]) -> Routes:
    """Vans that are alike are one vehicle type; each set of skills has a profile of its own."""
    import numpy as np
    from pyvrp import Client, Depot, Location, ProblemData, VehicleType, solve

    began = time.process_time()
    if any(van["lunch"] for van in problem["vans"]):
        raise SystemExit("PyVRP knows no breaks")
    stops, vans = problem["stops"], problem["vans"]
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for number, van in enumerate(vans):
        key = (van["start"], van["end"], van["opens"], van["closes"], van["load"], tuple(van["skills"]))
        alike[key].append(number)
    minutes, costs = np.array(problem["minutes"]), np.array(cents(problem))
    profiles: dict[tuple[int, ...], int] = {}
    durations, distances = [], []

    def profile(van: dict[str, Any]) -> int:
        closed = tuple(s["place"] for s in stops if not set(s["skills"]) <= set(van["skills"]))
        if closed not in profiles:
            profiles[closed] = len(durations)
            for matrix, matrices in ((minutes, durations), (costs, distances)):
                own = matrix.copy()
                for place in closed:
                    own[:, place] = own[place, :] = FORBIDDEN
                    own[place, place] = 0
                matrices.append(own)
        return profiles[closed]

    depots = sorted({place for van in vans for place in (van["start"], van["end"])})
    kinds = [
        VehicleType(
            len(numbers), [key[4]], depots.index(key[0]), depots.index(key[1]),
            tw_early=key[2], tw_late=key[3], profile=profile(vans[numbers[0]]),
        )
        for key, numbers in alike.items()
    ]  # fmt: skip
    clients = [
        Client(
            stop["place"], [stop["load"]], service_duration=stop["minutes"],
            tw_early=stop["opens"], tw_late=stop["closes"],
            prize=stop["worth"] or 0, required=stop["worth"] is None,
        )
        for stop in stops
    ]  # fmt: skip
    places = [Location(0, 0) for _ in minutes]
    data = ProblemData(places, clients, [Depot(place) for place in depots], kinds, distances, durations)
    result = solve(
        data, lambda _: time.process_time() - began > task["seconds"], seed=task["seed"], collect_stats=False
    )
    groups = list(alike.values())
    free = [iter(numbers) for numbers in groups]
    routes: Routes = [[] for _ in vans]
    for route in result.best.routes():
        routes[next(free[route.vehicle_type()])] = [visit.idx for visit in route if visit.is_client()]
    return routes


# --- VROOM ---


def vroom(problem: dict[str, Any], task: dict[str, Any]) -> Routes:
    import numpy as np
    import vroom as engine

    stops, vans = problem["stops"], problem["vans"]
    skill = {name: number for number, name in enumerate(sorted({n for van in vans for n in van["skills"]}))}
    asked = engine.Input()
    asked.set_durations_matrix(profile="car", matrix_input=np.array(problem["minutes"], dtype=np.uint32))
    for number, van in enumerate(vans):
        breaks = []
        if van["lunch"]:
            earliest, latest, minutes = van["lunch"]
            breaks = [engine.Break(number, [engine.TimeWindow(earliest, latest)], service=minutes)]
        asked.add_vehicle(
            engine.Vehicle(
                number, start=van["start"], end=van["end"], capacity=[van["load"]], breaks=breaks,
                skills={skill[name] for name in van["skills"]},
                time_window=engine.TimeWindow(van["opens"], van["closes"]),
            )
        )  # fmt: skip
    dearest = max((stop["worth"] or 0 for stop in stops), default=0)
    for number, stop in enumerate(stops):
        worth = stop["worth"] or 0
        asked.add_job(
            engine.Job(
                number, stop["place"], default_service=stop["minutes"], delivery=[stop["load"]],
                skills={skill[name] for name in stop["skills"]},
                priority=round(VROOM_PRIORITY_MAX * worth / dearest) if worth else 0,
                time_windows=[engine.TimeWindow(stop["opens"], stop["closes"])],
            )
        )  # fmt: skip
    limit = timedelta(seconds=task["limit"]) if task["limit"] else None
    found = asked.solve(exploration_level=task["level"], nb_threads=task["threads"], timeout=limit).routes
    routes: Routes = [[] for _ in vans]
    for van, visits in found[found.type == "job"].groupby("vehicle_id"):
        routes[int(van)] = [int(number) for number in visits.id]
    return routes


# --- OR-Tools ---


def ortools_gls(problem: dict[str, Any], task: dict[str, Any]) -> Routes:
    """Parallel cheapest insertion, then guided local search."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    began = time.process_time()
    manager, routing = _ortools_model(problem)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    # The budget is the processor's, looked at whenever it finds a plan; its own clock is the wall's.
    parameters.time_limit.FromMilliseconds(int(10_000 * task["seconds"]) + 1)
    solver = routing.solver()
    routing.AddAtSolutionCallback(
        lambda: solver.FinishCurrentSearch() if time.process_time() - began > task["seconds"] else None
    )
    return _ortools_routes(problem, manager, routing, routing.SolveWithParameters(parameters))


def ortools_ils(problem: dict[str, Any], task: dict[str, Any]) -> Routes:
    """Its own ruin and recreate with annealing. It cools by the wall clock: its budget is wall time."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    began = time.monotonic()
    manager, routing = _ortools_model(problem)
    strategy = routing_enums_pb2.FirstSolutionStrategy
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = strategy.PARALLEL_CHEAPEST_INSERTION
    parameters.use_iterated_local_search = True
    iterated = parameters.iterated_local_search_parameters
    ruin = iterated.ruin_recreate_parameters.ruin_strategies.add()
    ruin.sisr.max_removed_sequence_size = 10
    ruin.sisr.avg_num_removed_visits = 10
    ruin.sisr.bypass_factor = 0.5
    iterated.ruin_recreate_parameters.recreate_strategy.heuristic = strategy.LOCAL_CHEAPEST_COST_INSERTION
    annealing = iterated.reference_solution_acceptance_strategy.simulated_annealing
    mean = sum(map(sum, problem["minutes"])) / len(problem["minutes"]) ** 2 * problem["cents_a_minute"]
    annealing.initial_temperature, annealing.final_temperature = mean / 3, mean / 300
    left = max(0.001, task["seconds"] - (time.monotonic() - began))
    parameters.time_limit.FromMilliseconds(int(1000 * left) + 1)
    return _ortools_routes(problem, manager, routing, routing.SolveWithIteratedLocalSearch(parameters))


def _ortools_model(problem: dict[str, Any]) -> tuple[Any, Any]:
    """Places are nodes: no two stops share one."""
    from ortools.constraint_solver import pywrapcp

    stops, vans, minutes = problem["stops"], problem["vans"], problem["minutes"]
    stay, load = [0] * len(minutes), [0] * len(minutes)
    for stop in stops:
        stay[stop["place"]], load[stop["place"]] = stop["minutes"], stop["load"]
    manager = pywrapcp.RoutingIndexManager(
        len(minutes), len(vans), [van["start"] for van in vans], [van["end"] for van in vans]
    )
    routing = pywrapcp.RoutingModel(manager)
    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix(cents(problem)))
    transit = [[stay[i] + minute for minute in row] for i, row in enumerate(minutes)]
    horizon = max(van["closes"] for van in vans)
    routing.AddDimension(routing.RegisterTransitMatrix(transit), horizon, horizon, False, "clock")
    clock = routing.GetDimensionOrDie("clock")
    if any(load):
        routing.AddDimensionWithVehicleCapacity(
            routing.RegisterUnaryTransitVector(load), 0, [van["load"] for van in vans], True, "load"
        )
    for stop in stops:
        index = manager.NodeToIndex(stop["place"])
        clock.CumulVar(index).SetRange(stop["opens"], stop["closes"])
        who = able(problem, stop)
        if len(who) < len(vans):
            routing.VehicleVar(index).SetValues([-1, *who])
        if stop["worth"] is not None:
            routing.AddDisjunction([index], stop["worth"])
    for number, van in enumerate(vans):
        for end in (routing.Start(number), routing.End(number)):
            clock.CumulVar(end).SetRange(van["opens"], van["closes"])
        if van["lunch"]:
            earliest, latest, length = van["lunch"]
            lunch = routing.solver().FixedDurationIntervalVar(
                earliest, latest, length, False, f"lunch {number}"
            )
            visits = [
                stay[manager.IndexToNode(index)] if index < routing.Size() else 0
                for index in range(routing.Size())
            ]
            clock.SetBreakIntervalsOfVehicle([lunch], number, visits)
    return manager, routing


def _ortools_routes(problem: dict[str, Any], manager: Any, routing: Any, found: Any) -> Routes:
    if found is None:
        raise SystemExit("OR-Tools found no plan")
    number_at = {stop["place"]: number for number, stop in enumerate(problem["stops"])}
    routes: Routes = []
    for van in range(len(problem["vans"])):
        route: list[int] = []
        index = found.Value(routing.NextVar(routing.Start(van)))
        while not routing.IsEnd(index):
            route.append(number_at[manager.IndexToNode(index)])
            index = found.Value(routing.NextVar(index))
        routes.append(route)
    return routes


SOLVERS: dict[str, tuple[Callable[[dict[str, Any], dict[str, Any]], Routes], str]] = {
    "pyvrp": (pyvrp, "pyvrp"),
    "vroom": (vroom, "pyvroom"),
    "ortools-gls": (ortools_gls, "ortools"),
    "ortools-ils": (ortools_ils, "ortools"),
}


def main(path: str) -> None:
    task = json.loads(Path(path).read_text())
    problem = json.loads(Path(task["problem"]).read_text())
    solve, package = SOLVERS[task["solver"]]
    began, cpu = time.monotonic(), time.process_time()
    routes = solve(problem, task)
    cpu, wall = time.process_time() - cpu, time.monotonic() - began
    answer = {"routes": routes, "cost": None, "version": version(package), "cpu": cpu, "wall": wall}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
