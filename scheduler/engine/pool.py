"""The routes that a search met, and the cheapest set of them that visits each job once."""

from collections.abc import Sequence

import numpy as np

from scheduler.baseline import Orders
from scheduler.compiled import compiled_bare
from scheduler.engine.problem import Ints, Problem
from scheduler.engine.routes import Routes, routes_of
from scheduler.engine.shares import minutes_to, unevenness

ROUTES_MAX = 20_000
Key = tuple[int, frozenset[int]]


class Pool:
    """Distinct routes, by (kind of technician, the jobs visited): the cheapest order met, and its cost."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.routes: dict[Key, tuple[int, tuple[int, ...]]] = {}
        self._seen: set[bytes] = set()
        self._costs = np.empty(problem.people, np.int64)
        self._order = np.empty(problem.jobs + 1, np.int64)
        self._ends = np.empty(problem.people + 1, np.int64)

    def add(self, routes: Routes) -> None:
        """Take the present routes in, as far as they are new and there is room."""
        if len(self.routes) >= ROUTES_MAX:
            return
        written_out(self.problem, routes, self._order, self._ends, self._costs)
        for person in range(self.problem.people):
            part = self._order[self._ends[person] : self._ends[person + 1]]
            kind = int(self.problem.kind[person])
            sign = kind.to_bytes(4, "big") + part.tobytes()
            if len(part) and sign not in self._seen:
                self._seen.add(sign)
                self.put(kind, tuple(part.tolist()), int(self._costs[person]))

    def put(self, kind: int, order: tuple[int, ...], cost: int) -> None:
        key = (kind, frozenset(order))
        known = self.routes.get(key)
        if known is None or cost < known[0]:
            self.routes[key] = (cost, order)


@compiled_bare
def written_out(p: Problem, s: Routes, order: Ints, ends: Ints, costs: Ints) -> None:
    """The jobs of all routes one after another, where each ends, and what each costs over an empty one."""
    at = 0
    ends[0] = 0
    for person in range(p.people):
        node, end = p.jobs + person, p.jobs + p.people + person
        cost = s.price[end, 0] - p.idle[person] - p.arcs[node, end, 0]
        if p.shares:
            cost += unevenness(p, person, s.busy[person])
            cost -= unevenness(p, person, p.busy_before[person] + minutes_to(p, node, end))
        while node != end:
            after = s.after[node]
            cost += p.arcs[node, after, 0]
            if after != end:
                cost += p.bias[person, after]
                order[at] = after
                at += 1
            node = after
        costs[person] = cost
        ends[person + 1] = at


def recombined(
    problem: Problem, best: Orders, pools: Sequence[Pool], seconds: float | None, seed: int
) -> Orders:
    """The cheapest set of the pools' routes, or `best` where none is cheaper.

    Without `seconds`: a fixed effort.
    """
    together = Pool(problem)
    together.add(routes_of(problem, best, seed))
    for pool in pools:
        for (kind, _), (cost, order) in pool.routes.items():
            together.put(kind, order, cost)
    if len(together.routes) <= sum(map(bool, best)):
        return best
    chosen = _cheapest_set(problem, best, together, seconds, seed)
    return best if chosen is None else chosen


def _cheapest_set(
    problem: Problem, best: Orders, pool: Pool, seconds: float | None, seed: int
) -> Orders | None:
    from ortools.sat.python import cp_model  # half a second, and only now is it needed

    model = cp_model.CpModel()
    by_job: dict[int, list[cp_model.IntVar]] = {}
    by_kind: dict[int, list[cp_model.IntVar]] = {}
    taken = {(int(problem.kind[person]), frozenset(order)) for person, order in enumerate(best) if order}
    picks, price = [], []
    for (kind, jobs), (cost, order) in pool.routes.items():
        pick = model.new_bool_var("")
        model.add_hint(pick, (kind, jobs) in taken)
        picks.append((pick, kind, order))
        price.append((cost - int(problem.undone[list(order)].sum())) * pick)
        by_kind.setdefault(kind, []).append(pick)
        for job in order:
            by_job.setdefault(job, []).append(pick)
    for of_job in by_job.values():
        model.add_at_most_one(of_job)
    for kind, of_kind in by_kind.items():
        model.add(sum(of_kind) <= int(problem.kind_from[kind + 1] - problem.kind_from[kind]))
    for van in np.flatnonzero(np.bincount(problem.van) > 1):
        kinds = {int(kind) for kind in problem.kind[problem.van == van]}
        own = [(pick, problem.needs[list(order)].sum(axis=0)) for pick, kind, order in picks if kind in kinds]
        for part, has in enumerate(problem.carries[van]):
            model.add(sum(int(takes[part]) * pick for pick, takes in own) <= int(has))
    model.minimize(sum(price))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed % (1 << 30)
    if seconds is None:
        solver.parameters.max_deterministic_time = 2.0
    else:
        solver.parameters.max_time_in_seconds = seconds
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    free = {
        kind: list(problem.kind_members[problem.kind_from[kind] : problem.kind_from[kind + 1]])
        for kind in by_kind
    }
    orders: Orders = [[] for _ in best]
    for pick, kind, order in picks:
        if solver.value(pick):
            orders[free[kind].pop(0)] = list(order)
    return orders if _cost(problem, pool, orders) < _cost(problem, pool, best) else None


def _cost(problem: Problem, pool: Pool, orders: Orders) -> int:
    """What these routes, all of the pool, cost beyond a plan that visits nobody."""
    total = 0
    for person, order in enumerate(orders):
        if order:
            total += pool.routes[int(problem.kind[person]), frozenset(order)][0]
            total -= int(problem.undone[order].sum())
    return total
