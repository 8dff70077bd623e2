"""A plan in which visits depend on each other: orders, and the minute at which each linked visit begins.

For given orders `Standing.settle` finds the earliest minutes that keep the links: it times the routes, moves
up whoever would come too soon, and times again until nobody does.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy

from scheduler.baseline import Orders, keep_feasible
from scheduler.links import Links, Windows, clipped
from scheduler.plan import Plan
from scheduler.request import PlanRequest
from scheduler.timing import NEVER, Day, Misfit


class Standing:
    """Orders of a linked day, each route with its cost, and the minute at which each linked visit begins.

    `day` is a day of its own: its windows of linked jobs are narrowed and change.
    """

    def __init__(self, day: Day, links: Links, orders: Sequence[Sequence[int]]) -> None:
        self.links = links
        self.base: list[Windows] = list(links.day.windows)
        for n in links.jobs:
            bounds = links.by_facts(n)
            self.base[n] = clipped(self.base[n], bounds.earliest, bounds.latest)
        self.day = copy(day)
        self.day.windows = list(self.base)
        self.orders: Orders = [list(order) for order in orders]
        self.costs = [0] * len(orders)
        self.known: list[list[int] | None] = [None] * len(orders)  # the order that each cost is of
        self.starts: dict[int, int] = {}

    def copied(self) -> "Standing":
        other = copy(self)
        other.day = copy(self.day)
        other.day.windows = list(self.day.windows)
        other.orders = [list(order) for order in self.orders]
        other.costs, other.known = list(self.costs), list(self.known)
        other.starts = dict(self.starts)
        return other

    @property
    def total(self) -> int:
        """What all of it costs, in cents, with what is left undone."""
        placed = {n for order in self.orders for n in order}
        return sum(self.costs) + sum(self.day.undone[n] for n in self.day.open_jobs if n not in placed)

    def held_day(self) -> Day:
        """The day within these windows; who explains it finds the links and the linked visits' minutes."""
        self.day.links, self.day.starts = self.links, self.starts
        return self.day

    def hold(self, job: int, earliest: int, latest: int) -> None:
        self.day.windows[job] = clipped(self.base[job], earliest, latest)

    def hold_all(self, part: Callable[[int], int] | None = None) -> None:
        """Narrow the windows around the present starts."""
        for n, (earliest, latest) in self.links.boxes(self.starts, part).items():
            self.hold(n, earliest, latest)

    def time(self, technician: int) -> bool:
        """Time one route within the windows as they are; False where it does not fit."""
        timed = self.day.timed(technician, self.orders[technician])
        if isinstance(timed, Misfit):
            return False
        times, cost = timed
        self.costs[technician], self.known[technician] = cost.total, list(self.orders[technician])
        for n, start in zip(self.orders[technician], times.starts, strict=True):
            if n in self.links.jobs:
                self.starts[n] = start
        return True

    def keep(self, starts: Mapping[int, int]) -> bool:
        """Hold the linked visits at the minutes of `starts`; False where those break a link or don't fit."""
        planned = {n for order in self.orders for n in order if n in self.links.jobs}
        if not planned <= starts.keys():
            return False
        self.starts = {n: starts[n] for n in planned}
        if any(starts[mate] != starts[n] for n in planned for mate in self.links.mates(n) if mate in planned):
            return False  # told before they were linked
        if any(earliest > latest for earliest, latest in self.links.boxes(self.starts).values()):
            return False
        self.hold_all()
        if not all(self.time(person) for person in range(len(self.orders))):
            return False
        self.hold_all()
        return True

    def settle(self, least: Mapping[int, int] | None = None) -> int | None:
        """Give every linked visit the earliest minute, from `least` on, that keeps all links.

        Afterwards the windows hold those minutes. Give the technician whose route can't be, None if all can;
        what is not whole (`Links.whole`) must have been taken out before.
        """
        links, jobs = self.links, self.day.jobs
        route = {n: person for person, order in enumerate(self.orders) for n in order if n in links.jobs}
        self.starts = {}
        low = {n: (least or {}).get(n, 0) for n in route}
        for n, minute in low.items():
            self.hold(n, minute, NEVER)
        stale = {person for person, order in enumerate(self.orders) if order != self.known[person]}
        stale.update(route.values())

        def later(n: int, minute: int) -> None:
            if minute > low.get(n, minute):
                low[n] = minute
                self.hold(n, minute, NEVER)
                stale.add(route[n])

        while stale:
            person = min(stale)
            stale.discard(person)
            if not self.time(person):
                return person
            for n in self.orders[person]:
                if n not in links.jobs:
                    continue
                start = self.starts[n]
                for mate in links.mates(n):
                    later(mate, start)
                for gap in links.behind.get(n, ()):
                    later(gap.other, start + jobs[n].minutes + gap.least)
                for gap in links.ahead.get(n, ()):
                    if gap.most < NEVER:
                        later(gap.other, start - gap.most - jobs[gap.other].minutes)
        self.hold_all()
        return None

    def take_out(self, gone: set[int]) -> None:
        """Leave `gone` out. Routes that lose a visit are timed again by whoever settles next."""
        self.orders = [[n for n in order if n not in gone] for order in self.orders]
        for n in gone:
            self.starts.pop(n, None)

    def take_out_halves(self) -> None:
        """Leave out what is not whole: a group's visit without the others, one without what it waits for."""
        placed = {n: 0 for order in self.orders for n in order if n in self.links.jobs}
        self.take_out(set(placed) - self.links.whole(placed))


def settled(
    day: Day, links: Links, orders: Sequence[Sequence[int]], least: Mapping[int, int] | None = None
) -> Standing:
    """`orders` as far as they can be driven with every link kept; the cheapest to lose is left out first."""
    standing = Standing(day, links, orders)
    standing.orders = keep_feasible(standing.day, orders)
    standing.take_out_halves()
    if least and standing.keep(least):
        return standing
    while (person := standing.settle(least)) is not None:
        held = [n for n in standing.orders[person] if n in links.jobs]
        if not held:
            raise ValueError(f"route of technician {day.technicians[person].id} does not fit without links")
        falling = [links.falling_with(n) for n in held]
        cheapest = min(falling, key=lambda jobs: (sum(day.undone[n] for n in jobs), sorted(jobs)))
        standing.take_out(cheapest)
        # A detour may have been quicker than the direct way.
        standing.day.windows = list(standing.base)
        standing.orders = keep_feasible(standing.day, standing.orders)
        standing.take_out_halves()
    return standing


def linked_day(request: PlanRequest, plan: Plan, without: str | None = None) -> tuple[Day, list[list[int]]]:
    """The day of `request` in which the links of `plan` hold, and its orders that have not begun.

    Whoever changes one route of it breaks no link. The job `without` is taken out and has the time that the
    others leave it. Orders that no longer fit are given as they are. Without links: the day and the orders.
    """
    day = Day(request)
    links = Links(day)
    orders = day.orders_of(plan)
    if not links:
        return day, orders
    out = None if without is None else day.job_number.get(without)
    told = {day.job_number[v.job_id]: v.start for _, v in plan.visits() if v.job_id in day.job_number}
    standing = Standing(day, links, [[n for n in order if n != out] for order in orders])
    least = {n: start for n, start in told.items() if n in links.jobs and n not in links.facts and n != out}
    if not standing.keep(least) and standing.settle(least) is not None:
        standing.starts = least  # the day has moved on: what can't keep its minute any more does not fit
        standing.hold_all()
    if out is not None:
        _time_for(standing, out)
    return standing.held_day(), standing.orders


def keep_linked(day: Day, orders: Sequence[Sequence[int]], also: int | None = None) -> Orders:
    """Copy `orders` of a held day without what no longer fits, and without what can't be for that.

    also: a job that counts as planned.
    """
    kept = keep_feasible(day, orders)
    if day.links is None:
        return kept
    while True:
        planned = {n: 0 for order in kept for n in order}
        whole = day.links.whole(planned if also is None else {**planned, also: 0})
        day.starts = {n: start for n, start in day.starts.items() if n in whole}
        rest = [[n for n in order if n in whole or n not in day.links.jobs] for order in kept]
        if rest == kept:
            return kept
        kept = keep_feasible(day, rest)  # a detour may have been quicker than the direct way


def places_left(day: Day, orders: Sequence[Sequence[int]], job: int) -> Orders:
    """`orders` of a held day in which `job` may look for a place: a route that no longer fits stays as it is,
    which fits nothing; what belongs to a visit that no longer fits is not in the others any more."""
    if day.links is None:
        return [list(order) for order in orders]
    kept = keep_linked(day, orders, job)
    return [
        list(order) if isinstance(day.times(person, order), Misfit) else kept[person]
        for person, order in enumerate(orders)
    ]


def _time_for(standing: Standing, job: int) -> None:
    """Hold everybody that `job` depends on at their minute, and `job` in what that leaves."""
    links, starts = standing.links, standing.starts
    bounds = links.bounds(job, starts)
    standing.hold(job, bounds.earliest, bounds.latest)
    for gap in (*links.ahead.get(job, ()), *links.behind.get(job, ())):
        if gap.other in starts:
            standing.hold(gap.other, starts[gap.other], starts[gap.other])
