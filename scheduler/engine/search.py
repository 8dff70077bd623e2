"""Look for a good plan: the compiled search on every core, then the best mix of all routes that it met.

Each core anneals by itself from its own seed. A search that lasts cools down several times, each time from
the best plan of the time before. What all of them met goes into one pool of routes, out of which CP-SAT takes
the cheapest set that visits everything once; that set is never dearer than the best plan found.

With `rounds` given instead of time, the same request and seed give the same plan on every machine.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from scheduler.baseline import Orders, total_cost
from scheduler.engine.anneal import Notes, Tuning, anneal, fill, notes_of, return_to_best
from scheduler.engine.pool import Pool, recombined
from scheduler.engine.problem import Problem, problem_of
from scheduler.engine.routes import Routes, routes_of
from scheduler.timing import Day

Progress = Callable[[float, int], None]
"""Seconds since it began, cost in cents of the best plan so far."""

HEAT = 3.0  # the first temperature, in average costs of a visit
WARM_HEAT = 0.5  # the same when people know the plan to begin from
COLD = 100.0  # by so much it cools
DESCENT = 0.03  # of the time: no heat at all, for a plan soon and to know what a visit costs
ROUNDS_A_JOB = 4_000  # after so many, a cooling has found what it will find
COOLINGS_MAX = 8
ROUNDS_AT_ONCE = 64  # between two looks at the clock, at first
LOOK_EVERY_SECONDS = 0.02
POOL_SHARE = 0.1  # of the time, for the mix of routes
POOL_FROM_SECONDS = 2.0  # less is better searched: CP-SAT takes a third of a second to load


@dataclass(slots=True)
class Budget:
    """Seconds by `clock` since `began`, or rounds on each thread. `stopped` ends it early, from anywhere."""

    seconds: float = 0.0
    rounds: int | None = None
    clock: Callable[[], float] = time.monotonic
    began: float = 0.0
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def elapsed(self) -> float:
        return self.clock() - self.began

    @property
    def mixes(self) -> bool:
        """Whether there is time for CP-SAT to mix the routes."""
        return self.rounds is not None or self.seconds >= POOL_FROM_SECONDS


def improve(
    day: Day,
    start: Sequence[Sequence[int]],
    budget: Budget,
    *,
    warm: bool = False,
    around: int | None = None,
    seed: int = 0,
    threads: int = 1,
    progress: Progress | None = None,
) -> Orders:
    """The best orders found, begun from `start` (feasible orders, maybe empty); never dearer than them.

    warm: `start` is a plan that people know, so it should not be forgotten at once. around: a job in whose
    neighbourhood every second round looks.
    """
    problem, numbers = problem_of(day)
    if not numbers:
        return [list(order) for order in start]
    job_of = {number: job for job, number in enumerate(numbers)}
    tuning = tuning_of(problem)._replace(around=-1 if around is None else job_of.get(around, -1))
    orders = [[job_of[number] for number in order] for order in start]
    board = _Board(day, problem, budget, progress)
    heat = WARM_HEAT if warm else HEAT
    with ThreadPoolExecutor(threads) as workers:
        searches = [
            workers.submit(_search, problem, orders, budget, tuning, heat, seed + 7919 * thread, board)
            for thread in range(threads)
        ]
        found = [search.result() for search in searches]
    best = min(found, key=lambda one: one.cost)
    mixed = best.orders
    if budget.mixes and not budget.stopped.is_set():
        seconds = None if budget.rounds is not None else max(0.1, budget.seconds - budget.elapsed)
        mixed = recombined(problem, mixed, [one.pool for one in found], seconds, seed)
    return [[numbers[job] for job in order] for order in mixed]


class _Board:
    """Tells of better plans, whichever thread found them."""

    def __init__(self, day: Day, problem: Problem, budget: Budget, progress: Progress | None) -> None:
        self.progress, self.budget = progress, budget
        # What has begun, and jobs that nobody can do, are not in the problem, but in what the day costs.
        nobody: Orders = [[] for _ in day.technicians]
        self.beside = total_cost(day, nobody) - int(routes_of(problem, nobody, 0).cost[0]) if progress else 0
        self.best: int | None = None
        self.lock = threading.Lock()

    def show(self, cost: int) -> None:
        with self.lock:
            if self.progress and (self.best is None or cost < self.best):
                self.best = cost
                self.progress(self.budget.elapsed, cost + self.beside)


@dataclass(frozen=True, slots=True)
class _Found:
    cost: int
    orders: Orders
    pool: Pool


def _search(
    problem: Problem, orders: Orders, budget: Budget, tuning: Tuning, heat: float, seed: int, board: _Board
) -> _Found:
    routes = routes_of(problem, orders, seed)
    notes = notes_of(problem, routes)
    pool = Pool(problem)
    fill(problem, routes, notes)
    board.show(int(notes.best[0]))
    # The time before this was spent on reading the problem: it counts, but nothing cooled in it.
    annealing = _Annealing(problem, routes, notes, tuning, heat)
    if budget.rounds is not None:
        _by_rounds(annealing, budget, pool, board)
    else:
        _by_time(annealing, budget, pool, board)
    return _Found(int(notes.best[0]), orders_of(problem, notes), pool)


def tuning_of(problem: Problem) -> Tuning:
    """Large days take small bites: what counts there is how often each neighbourhood is looked at."""
    return Tuning(removed=10.0 if problem.jobs <= 150 else 8.0 if problem.jobs <= 400 else 6.0)


class _Annealing:
    """One search: so many rounds at the temperature of a moment."""

    def __init__(self, problem: Problem, routes: Routes, notes: Notes, tuning: Tuning, heat: float) -> None:
        self.problem, self.routes, self.notes, self.tuning, self.heat = problem, routes, notes, tuning, heat
        self.scale: float | None = None

    def run(self, rounds: int, cooling: int, share: float, until: float) -> None:
        """`rounds` rounds that stand for the way from `share` to `until` of a cooling; −1 is the descent."""
        if cooling < 0:
            temperature = end = 1e-3
        else:
            if self.scale is None:
                self.scale = self._cost_of_a_visit()
            first = self.heat * self.scale * (1.0 if cooling == 0 else 0.5)
            temperature, end = (max(1e-3, first * COLD**-at) for at in (share, until))
        anneal(self.problem, self.routes, self.notes, self.tuning, rounds, temperature, end)

    def begin_again(self) -> None:
        """Begin the next cooling from the best plan known."""
        return_to_best(self.problem, self.routes, self.notes)

    def _cost_of_a_visit(self) -> float:
        placed = self.routes.route[: self.problem.jobs] >= 0
        left_out = int(self.problem.undone[~placed].sum())
        return max(1.0, (int(self.routes.cost[0]) - left_out) / max(1, int(placed.sum())))


def _by_rounds(annealing: _Annealing, budget: Budget, pool: Pool, board: _Board) -> None:
    assert budget.rounds is not None
    descent = max(1, int(budget.rounds * DESCENT))
    annealing.run(descent, -1, 0, 0)
    rest = budget.rounds - descent
    coolings = _coolings(annealing.problem, rest)
    steps = 50
    for cooling in range(coolings):
        rounds = max(1, rest // coolings // steps)
        for step in range(steps):
            if budget.stopped.is_set():
                return
            annealing.run(rounds, cooling, step / steps, (step + 1) / steps)
            board.show(int(annealing.notes.best[0]))
            if cooling or step > steps // 3:
                pool.add(annealing.routes)
        annealing.begin_again()


def _by_time(annealing: _Annealing, budget: Budget, pool: Pool, board: _Board) -> None:
    began = budget.elapsed
    ends = budget.seconds * (1 - POOL_SHARE if budget.mixes else 1)
    length = max(1e-9, ends - began)
    rounds, done, cooling, coolings = ROUNDS_AT_ONCE, 0, -1, 1
    while (now := budget.elapsed) < ends and not budget.stopped.is_set():
        at = (now - began) / length
        if at < DESCENT or done == 0:
            annealing.run(rounds, -1, 0, 0)
        else:
            if cooling < 0:
                coolings = _coolings(annealing.problem, int(done / at))
            here = (at - DESCENT) / (1 - DESCENT) * coolings
            if int(here) > cooling:
                if cooling >= 0:
                    annealing.begin_again()
                cooling = int(here)
            share = here - cooling
            annealing.run(rounds, cooling, share, share)
            if cooling or share > 0.3:
                pool.add(annealing.routes)
        done += rounds
        board.show(int(annealing.notes.best[0]))
        took = max(1e-6, budget.elapsed - now)
        rounds = max(16, min(4 * rounds, int(rounds * LOOK_EVERY_SECONDS / took)))


def _coolings(problem: Problem, rounds: int) -> int:
    return max(1, min(COOLINGS_MAX, rounds // (ROUNDS_A_JOB * problem.jobs)))


def orders_of(problem: Problem, notes: Notes) -> Orders:
    """The jobs of the best plan, one order a technician."""
    orders: Orders = []
    for person in range(problem.people):
        node, order = int(notes.best_after[problem.jobs + person]), []
        while node < problem.jobs:
            order.append(node)
            node = int(notes.best_after[node])
        orders.append(order)
    return orders
