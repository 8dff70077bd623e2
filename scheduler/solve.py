"""A request in, a checked plan out: wiring only."""

import time
from collections.abc import Sequence

from scheduler.baseline import Orders, greedy, keep_feasible, total_cost
from scheduler.check import Violation, check
from scheduler.explain import explain_unassigned
from scheduler.plan import Plan
from scheduler.repair import make_room
from scheduler.request import PlanRequest
from scheduler.search import Progress, improve, search
from scheduler.timing import Day

ITERATED, GUIDED, GREEDY, KEPT = "ortools-ils", "ortools-gls", "greedy", "previous"
REPAIR_SHARE = 0.1  # of the time, for making room for what is still undone
REPLAN_SHARE = 0.4  # of a replan's time, for improving the best plan known


class BrokenPlan(RuntimeError):
    """The solver made a plan its checker refuses: our mistake, never the request's."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__("; ".join(violation.text for violation in violations))
        self.violations = tuple(violations)


def solve(
    request: PlanRequest, *, seconds: float = 5, seed: int = 0, progress: Progress | None = None
) -> Plan:
    """Visit every job that fits at the least cost; list the rest with a reason.

    seconds: wall time to spend, about; small requests take less, 0 means the greedy plan, which is the same
    every time. The plan is never dearer than the greedy insertion nor than what the jobs' `previous_…` fields
    say was planned, as far as that can still be driven. Raises BrokenPlan rather than return a plan its
    checker refuses. The search holds the interpreter's lock for most of its time: a server runs it in a
    process of its own (`python -m scheduler solve -`).
    """
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"seconds must be 0 or more, not {seconds}")
    deadline = time.monotonic() + seconds
    day = Day(request)
    candidates: list[tuple[int, str, Orders]] = []

    def consider(engine: str, orders: Orders | None) -> None:
        if orders is not None:
            # The model prices lateness a bit differently, and a rule it got wrong must not break a promise.
            orders = greedy(day, keep_feasible(day, orders))
            candidates.append((total_cost(day, orders), engine, orders))

    started = make_room(day, greedy(day), deadline=deadline - seconds / 2 if seconds else None)
    consider(GREEDY, started)
    told = day.previous_orders()
    if any(told):
        consider(KEPT, told)
    budget = min(deadline - time.monotonic(), _enough(len(day.open_jobs)))
    if seconds and day.open_jobs and budget > 0:
        searching = budget * (1 - REPAIR_SHARE) * (1 - REPLAN_SHARE if any(told) else 1)
        consider(ITERATED, search(day, searching, seed=seed, progress=progress))
        if any(told):
            best = min(candidates, key=lambda candidate: candidate[0])[2]
            left = budget * (1 - REPAIR_SHARE) * REPLAN_SHARE
            consider(GUIDED, improve(day, best, left, seed=seed, progress=progress))
    _, engine, orders = min(candidates, key=lambda candidate: candidate[0])
    orders = make_room(day, orders, deadline=deadline if seconds else None)
    plan = day.plan(orders, explain_unassigned(day, orders), engine=engine, seed=seed)
    if violations := check(request, plan):
        raise BrokenPlan(violations)
    if progress:
        progress(seconds - (deadline - time.monotonic()), plan.cost.total)
    return plan


def _enough(jobs: int) -> float:
    """Seconds after which a search over so few jobs has nothing left to find."""
    return 0.2 + jobs * jobs / 400
