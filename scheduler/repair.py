"""Make room for what is undone: move one visit to another technician when that lets a waiting job in."""

import time
from collections.abc import Sequence

from scheduler.baseline import Orders, places, route_cost, undone_jobs
from scheduler.timing import Day

PATIENCE = 400_000
"""Visits timed: about a second in plain Python. Counted and not clocked, so that a plan is the same again."""


def make_room(day: Day, start: Sequence[Sequence[int]], *, deadline: float | None = None) -> Orders:
    """Return orders with more jobs served at a lower cost, or the same.

    Stops at `deadline` (monotonic), and after so many tries that a large day needs the search instead.
    """
    left = PATIENCE
    orders: Orders = [list(order) for order in start]
    costs = [route_cost(day, technician, order).total for technician, order in enumerate(orders)]
    for job in sorted(undone_jobs(day, orders), key=lambda n: (-day.undone[n], n)):
        for technician in range(len(orders)):
            if left < 0 or (deadline is not None and time.monotonic() > deadline):
                return orders
            if day.may_go(technician, job):
                # Each of the route's visits is tried at each place of each route.
                left -= len(orders[technician]) * sum((len(order) + 1) ** 2 for order in orders)
                if _swap_in(day, orders, costs, technician, job):
                    break
    return orders


def _swap_in(day: Day, orders: Orders, costs: list[int], technician: int, job: int) -> bool:
    """Put `job` in place of one visit of the technician that fits elsewhere; True when it paid off."""
    best: tuple[int, int, list[int], int, list[int]] | None = None
    for pushed in orders[technician]:
        rest = [n for n in orders[technician] if n != pushed]
        ways = [(cost.total, position) for position, cost, _ in places(day, technician, rest, job, orders)]
        if not ways:
            continue
        here, position = min(ways)
        with_job = [*rest[:position], job, *rest[position:]]
        then = [with_job if t == technician else order for t, order in enumerate(orders)]
        for other, base in enumerate(then):
            for place, cost, _ in places(day, other, base, pushed, then):
                saved = costs[technician] + day.undone[job]
                if other == technician:
                    saved -= cost.total
                else:
                    saved += costs[other] - here - cost.total
                if saved > (best[0] if best else 0):
                    best = saved, other, with_job, pushed, [*base[:place], pushed, *base[place:]]
    if best is None:
        return False
    _, other, with_job, _, with_pushed = best
    orders[technician] = with_job
    orders[other] = with_pushed
    for changed in (technician, other):
        costs[changed] = route_cost(day, changed, orders[changed]).total
    return True
