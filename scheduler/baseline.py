"""Greedy insertion in plain Python: the fallback, the yardstick, and the tests of a place that others use."""

from collections.abc import Iterable, Iterator, Sequence

from scheduler.plan import Cost
from scheduler.timing import Day, Misfit, Times

Orders = list[list[int]]
"""Job numbers in the order of their visits, one list a technician, begun visits left out."""


def greedy(day: Day, start: Sequence[Sequence[int]] | None = None) -> Orders:
    """Put every job where it adds least, the dearest to leave undone and the most tied first.

    Begins from `start` as far as it is feasible. Jobs that fit nowhere, or only at more than their worth,
    stay out.
    """
    orders = keep_feasible(day, start) if start else [[] for _ in day.technicians]
    placed = {number for order in orders for number in order}
    able = {n: [t for t in range(len(day.technicians)) if day.may_go(t, n)] for n in day.open_jobs}

    def urgency(number: int) -> tuple[int, int, int, int]:
        windows = day.windows[number]
        return -day.undone[number], len(able[number]), windows[-1][1] - windows[0][0], number

    costs = [route_cost(day, technician, order) for technician, order in enumerate(orders)]
    for number in sorted((n for n in day.open_jobs if n not in placed), key=urgency):
        best: tuple[int, int, int] | None = None
        for technician in able[number]:
            for position, cost, _ in places(day, technician, orders[technician], number, orders):
                added = cost.total - costs[technician].total
                if best is None or added < best[0]:
                    best = added, technician, position
        if best and best[0] < day.undone[number]:
            _, technician, position = best
            orders[technician].insert(position, number)
            costs[technician] = route_cost(day, technician, orders[technician])
    return orders


def places(
    day: Day,
    technician: int,
    order: Sequence[int],
    job: int,
    orders: Sequence[Sequence[int]] | None = None,
) -> Iterator[tuple[int, Cost, Times]]:
    """Yield every position of `order` where `job` fits, with the cost and times of the whole route then.

    orders: the whole plan, for what the technician's other shifts take from the van.
    """
    for position, timed in tries(day, technician, order, job, orders):
        if not isinstance(timed, Misfit):
            yield position, timed[1], timed[0]


def tries(
    day: Day,
    technician: int,
    order: Sequence[int],
    job: int,
    orders: Sequence[Sequence[int]] | None = None,
) -> Iterator[tuple[int, tuple[Times, Cost] | Misfit]]:
    """Yield what becomes of the route with `job` at each position; nothing where person or van forbid it."""
    if not day.may_go(technician, job) or not day.parts_suffice(technician, [*order, job], orders):
        return
    for position in range(len(order) + 1):
        yield position, day.timed(technician, [*order[:position], job, *order[position:]])


def route_cost(day: Day, technician: int, order: Sequence[int]) -> Cost:
    timed = day.timed(technician, order)
    if isinstance(timed, Misfit):
        raise ValueError(f"route does not fit: {timed}")
    return timed[1]


def keep_feasible(day: Day, orders: Sequence[Sequence[int]]) -> Orders:
    """Copy `orders` without the jobs that no longer fit, the cheapest to lose left out first."""
    kept: Orders = []
    for technician, order in enumerate(orders):
        kept.append(_keep_feasible(day, technician, order, kept))
    return kept


def _keep_feasible(day: Day, technician: int, order: Sequence[int], before: Orders) -> list[int]:
    # Whole first: where a detour is quicker than the direct road, what fits together need not fit in parts.
    if _fits(day, technician, order, before):
        return list(order)
    trusted: list[int] = []
    for number in sorted(order, key=lambda n: (-day.undone[n], order.index(n))):
        if _fits(day, technician, [n for n in order if n in trusted or n == number], before):
            trusted.append(number)
    return [n for n in order if n in trusted]


def _fits(day: Day, technician: int, order: Sequence[int], before: Orders) -> bool:
    return (
        all(day.may_go(technician, number) for number in order)
        and day.parts_suffice(technician, order, before)
        and isinstance(day.times(technician, order), Times)
    )


def undone_jobs(day: Day, orders: Iterable[Sequence[int]]) -> list[int]:
    """Jobs in none of `orders`, begun ones left aside."""
    placed = {number for order in orders for number in order}
    return [number for number in day.open_jobs if number not in placed]


def total_cost(day: Day, orders: Sequence[Sequence[int]]) -> int:
    """What a whole plan costs, in cents."""
    driven = sum(route_cost(day, technician, order).total for technician, order in enumerate(orders))
    return driven + sum(day.undone[number] for number in undone_jobs(day, orders))
