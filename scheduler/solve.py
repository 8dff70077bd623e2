"""A request in, a checked plan out: wiring only.

The engine is the compiled search (scheduler/engine). Where numba is not installed, OR-Tools' routing search
takes its place behind the same door, several times slower.
"""

import importlib.util
import threading
import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass

from scheduler.baseline import Orders, greedy, keep_feasible, total_cost
from scheduler.check import Violation, check
from scheduler.explain import explain_unassigned
from scheduler.linked import Effort as LinkedEffort
from scheduler.linked import Engine, at_once, improved, moves_for
from scheduler.links import Links
from scheduler.plan import Plan
from scheduler.repair import make_room
from scheduler.request import PlanRequest
from scheduler.standing import Standing, settled
from scheduler.timing import Day

COMPILED, ITERATED, GUIDED, GREEDY, KEPT = "ruin-recreate", "ortools-ils", "ortools-gls", "greedy", "previous"
REPAIR_SHARE = 0.1  # of the time, for making room for what is still undone
REPLAN_SHARE = 0.4  # of a replan's time, for improving the best plan known
GREEDY_PLACES = 4_000  # technicians × jobs up to which insertion in plain Python is no matter of seconds

Progress = Callable[[float, int], None]
"""Called while the search runs: seconds since it began, cost in cents of the best plan so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long to look. seconds by `clock`; or `rounds` on each thread, which make the plan repeatable.

    `stopped`, once set from anywhere, ends the search with the best plan so far.
    """

    seconds: float = 5
    rounds: int | None = None
    threads: int = 1
    clock: Callable[[], float] = time.monotonic
    stopped: threading.Event | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seconds < float("inf"):
            raise ValueError(f"seconds must be 0 or more, not {self.seconds}")
        if self.rounds is not None and self.rounds < 0:
            raise ValueError(f"rounds must be 0 or more, not {self.rounds}")
        if self.threads < 1:
            raise ValueError(f"threads must be 1 or more, not {self.threads}")

    @property
    def none(self) -> bool:
        return self.seconds == 0 if self.rounds is None else self.rounds == 0


class BrokenPlan(RuntimeError):
    """The solver made a plan its checker refuses: our mistake, never the request's."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__("; ".join(violation.text for violation in violations))
        self.violations = tuple(violations)


def solve(
    request: PlanRequest,
    *,
    seconds: float = 5,
    seed: int = 0,
    progress: Progress | None = None,
    rounds: int | None = None,
    threads: int = 1,
    clock: Callable[[], float] = time.monotonic,
    stopped: threading.Event | None = None,
    compiled: bool | None = None,
) -> Plan:
    """Visit every job that fits at the least cost; list the rest with a reason.

    seconds: when the search ends, by `clock` from the call on; the reasons for what is left undone, and the
    check, come after it. Small requests take less. 0: no search, only insertion, or what was told where that
    is cheaper; the same every time. rounds, when given, take the place of time: the same request, seed,
    rounds and threads give the same plan. The plan is never dearer than what the jobs' `previous_…` fields
    say was planned, as far as that can still be driven, nor, on small days, than the greedy insertion.
    compiled: which engine (None: the compiled one where it is installed).

    Raises BrokenPlan rather than return a plan its checker refuses.
    """
    effort = Effort(seconds=seconds, rounds=rounds, threads=threads, clock=clock, stopped=stopped)
    began = clock()
    day = Day(request)
    if compiled is None:
        compiled = importlib.util.find_spec("numba") is not None
    if links := Links(day):
        engine, standing = _linked(day, links, effort, began, seed, progress, compiled)
        day, orders = standing.held_day(), standing.orders
    elif effort.none or not day.open_jobs:
        engine, orders = _at_once(day)
    elif compiled:
        engine, orders = _compiled(day, effort, began, seed, progress)
    else:
        engine, orders = _ortools(day, effort, seed, progress)
    plan = day.plan(orders, explain_unassigned(day, orders), engine=engine, seed=seed)
    if violations := check(request, plan):
        raise BrokenPlan(violations)
    if progress:
        progress(clock() - began, plan.cost.total)
    return plan


def _at_once(day: Day) -> tuple[str, Orders]:
    """The greedy plan, or what was told where that is cheaper; with room made for what was left out."""
    engine, orders = _cheapest(day, [(GREEDY, greedy(day)), *_told(day)])
    return engine, make_room(day, orders)


def _told(day: Day) -> list[tuple[str, Orders]]:
    told = day.previous_orders()
    return [(KEPT, greedy(day, keep_feasible(day, told)))] if any(told) else []


def _cheapest(day: Day, candidates: Sequence[tuple[str, Orders]]) -> tuple[str, Orders]:
    return min(candidates, key=lambda candidate: total_cost(day, candidate[1]))


def _compiled(
    day: Day, effort: Effort, began: float, seed: int, progress: Progress | None
) -> tuple[str, Orders]:
    from scheduler.engine.search import Budget, improve  # compiled code takes half a second to load

    small = len(day.technicians) * len(day.open_jobs) <= GREEDY_PLACES
    told = keep_feasible(day, day.previous_orders())
    start = _at_once(day)[1] if small else told
    budget = Budget(
        seconds=min(effort.seconds, _enough(len(day.open_jobs)) + effort.clock() - began),
        rounds=effort.rounds,
        clock=effort.clock,
        began=began,
        stopped=effort.stopped or threading.Event(),
    )
    found = improve(day, start, budget, warm=any(told), seed=seed, threads=effort.threads, progress=progress)
    # The search prices lateness by the earliest lunch; the plan may have a better one, and is what counts.
    return _cheapest(day, [(COMPILED, keep_feasible(day, found)), (KEPT if any(told) else GREEDY, start)])


def _linked(
    day: Day,
    links: Links,
    effort: Effort,
    began: float,
    seed: int,
    progress: Progress | None,
    compiled: bool,
) -> tuple[str, Standing]:
    """The plan of a day in which visits depend on each other, by the same engines (scheduler/linked.py)."""
    small = len(day.technicians) * len(day.open_jobs) <= GREEDY_PLACES
    known = day.previous_orders()
    told = [settled(day, links, known), settled(day, links, known, _told_starts(day))] if any(known) else []
    candidates = [(KEPT, min(told, key=_total))] if told else []
    nobody: Orders = [[] for _ in known]
    if small or (effort.none and not told):
        candidates += [(GREEDY, at_once(day, links, nobody))]
    elif not told:
        candidates += [(GREEDY, settled(day, links, nobody))]  # plain Python would take the search's time
    if small:
        loose = copy(day)
        loose.open_jobs = tuple(n for n in day.open_jobs if n not in links.jobs)
        candidates += [(GREEDY, at_once(day, links, make_room(loose, greedy(loose))))]
    engine, start = min(candidates, key=lambda candidate: candidate[1].total)
    if effort.none:
        return engine, start
    seconds = min(effort.seconds, 2 * _enough(len(day.open_jobs)) + effort.clock() - began)
    stopped = effort.stopped or threading.Event()

    def left() -> float:
        return 1.0 if effort.rounds is not None else max(0.0, 1 - (effort.clock() - began) / seconds)

    def found(cost: int) -> None:
        if progress:
            progress(effort.clock() - began, cost)

    best = improved(
        day,
        links,
        start,
        warm=bool(told),
        effort=LinkedEffort(
            engine=_compiled_engine(effort, seconds, seed, stopped)
            if compiled
            else _ortools_engine(seconds, seed),
            moves=None if effort.rounds is None else moves_for(effort.rounds),
            left=left,
            ended=lambda: stopped.is_set() or left() <= 0,
            seed=seed,
            found=found,
        ),
    )
    return (engine if best is start else COMPILED if compiled else ITERATED), best


def _total(standing: Standing) -> int:
    return standing.total


def _told_starts(day: Day) -> dict[int, int]:
    starts = {n: day.jobs[n].previous_start for n in day.open_jobs}
    return {n: start for n, start in starts.items() if start is not None}


def _compiled_engine(effort: Effort, seconds: float, seed: int, stopped: threading.Event) -> Engine:
    from scheduler.engine.search import Budget, improve  # compiled code takes half a second to load

    def engine(day: Day, orders: Orders, share: float, near: bool) -> Orders:
        budget = Budget(
            seconds=seconds * share,
            rounds=None if effort.rounds is None else max(1, int(effort.rounds * share)),
            clock=effort.clock,
            began=effort.clock(),
            stopped=stopped,
        )
        start = keep_feasible(day, orders)
        return keep_feasible(day, improve(day, start, budget, warm=near, seed=seed, threads=effort.threads))

    return engine


def _ortools_engine(seconds: float, seed: int) -> Engine:
    from scheduler.search import improve, search

    def engine(day: Day, orders: Orders, share: float, near: bool) -> Orders:
        start = keep_feasible(day, orders)
        looked = seconds * share
        better = improve(day, start, looked, seed=seed) if near else search(day, looked, seed=seed)
        return start if better is None else greedy(day, keep_feasible(day, better))

    return engine


def _ortools(day: Day, effort: Effort, seed: int, progress: Progress | None) -> tuple[str, Orders]:
    from scheduler.search import improve, search

    deadline = time.monotonic() + effort.seconds
    candidates: list[tuple[str, Orders]] = []

    def consider(engine: str, orders: Orders | None) -> None:
        if orders is not None:
            # The model prices lateness a bit differently, and a rule it got wrong must not break a promise.
            candidates.append((engine, greedy(day, keep_feasible(day, orders))))

    consider(GREEDY, make_room(day, greedy(day), deadline=deadline - effort.seconds / 2))
    candidates += _told(day)
    warm = len(candidates) > 1
    budget = min(deadline - time.monotonic(), _enough(len(day.open_jobs)))
    if budget > 0:
        searching = budget * (1 - REPAIR_SHARE) * (1 - REPLAN_SHARE if warm else 1)
        consider(ITERATED, search(day, searching, seed=seed, progress=progress))
        if warm:
            left = budget * (1 - REPAIR_SHARE) * REPLAN_SHARE
            best = _cheapest(day, candidates)[1]
            consider(GUIDED, improve(day, best, left, seed=seed, progress=progress))
    engine, orders = _cheapest(day, candidates)
    return engine, make_room(day, orders, deadline=deadline)


def _enough(jobs: int) -> float:
    """Seconds after which a search over so few jobs has nothing left to find."""
    return 0.2 + jobs * jobs / 400
