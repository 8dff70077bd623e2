"""Visits that depend on each other, in a day that has begun: what they wait for, as windows of their own.

A day that is mended is judged route by route (scheduler/live.py). So each linked visit that has a place gets
a window, such that whoever keeps all windows keeps all links (scheduler/links.py), around the minute at which
it is expected by now: later than was told, where what it waits for is late.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from scheduler.links import Links, Windows
from scheduler.request import MINUTES_MAX, Job, Window
from scheduler.timing import NEVER

TOO_LATE = 2 * 24 * 60
"""Minutes after the last that was told: so late nobody is but who waits for somebody who waits for them."""

Walk = Callable[[int, Sequence[int], Mapping[int, int]], Sequence[int]]
"""(technician, order, job → earliest minute) → the minute at which each visit begins, whatever it takes."""


@dataclass(frozen=True, slots=True)
class Held:
    """Windows in the place of links. boxes: job number → first and last minute of those that have a place, or
    may get one. loose: linked jobs that can have no place without others that have none either."""

    boxes: Mapping[int, tuple[int, int]]
    loose: frozenset[int]


def expected(
    links: Links, orders: Sequence[Sequence[int]], told: Mapping[int, int], walk: Walk
) -> dict[int, int]:
    """Job → the minute at which each linked visit that was `told` is expected, if nobody decides anything.

    Never before it was told: somebody else may count on that minute. What is in none of `orders` any more can
    be then at the earliest. Links that the routes themselves break (two that begin together with one
    technician, the later one of two first) hold nobody up, nor do visits that wait for each other in a ring.
    """
    jobs = links.day.jobs
    planned = {n for n in told if n in links.jobs}
    earliest = {n: max(links.by_facts(n).earliest, told[n]) for n in planned}
    routes = [*orders, *([n] for n in sorted(planned - {n for order in orders for n in order}))]
    stale = {p for p, order in enumerate(routes) if any(n in planned for n in order)}
    stands = {n: (p, at) for p, order in enumerate(routes) for at, n in enumerate(order)}
    as_told, starts = dict(earliest), dict[int, int]()

    def is_before(one: int, other: int) -> bool:
        """Whether both are in one route, in this order."""
        return stands[one][0] == stands[other][0] and stands[one][1] < stands[other][1]

    while stale:
        if max(earliest.values()) > max(told.values()) + TOO_LATE:
            return as_told
        person = min(stale)
        stale.discard(person)
        route = routes[person]
        times = walk(person, route, earliest) if person < len(orders) else [earliest[route[0]]]
        for n, start in zip(route, times, strict=True):
            if n not in planned:
                continue
            starts[n] = start
            ends = start + jobs[n].minutes
            due = [(mate, start) for mate in links.mates(n) if mate in planned and stands[mate][0] != person]
            due += [
                (g.other, ends + g.least)
                for g in links.behind.get(n, ())
                if g.other in planned and not is_before(g.other, n)
            ]
            due += [
                (g.other, start - g.most - jobs[g.other].minutes)
                for g in links.ahead.get(n, ())
                if g.most < NEVER and g.other in planned and not is_before(n, g.other)
            ]
            for other, minute in due:
                if minute > earliest[other]:
                    earliest[other] = minute
                    stale.add(stands[other][0])
    return starts


def held(links: Links, starts: Mapping[int, int]) -> Held:
    """Windows that keep the links of what begins at `starts`, and those in which what is missing would fit.

    Of visits that belong together one may be missing. Then the others stay at their minute for it.
    """
    boxes = {n: (low, max(low, high)) for n, (low, high) in links.boxes(starts).items()}
    loose: set[int] = set()
    for atoms in links.components():
        members = [n for atom in atoms for n in atom]
        missing = [n for n in members if n not in starts]
        for n in missing:
            bounds = links.bounds(n, starts)
            if len(missing) > 1 or links.missing_for(n, starts) or bounds.earliest > bounds.latest:
                loose.add(n)
                continue
            boxes[n] = bounds.earliest, bounds.latest
            boxes |= {other: (starts[other], starts[other]) for other in members if other != n}
    return Held(boxes=boxes, loose=frozenset(loose))


def unlinked(job: Job) -> Job:
    return replace(job, after=(), together=None) if job.after or job.together else job


def opened(windows: Windows, earliest: int) -> Windows:
    """What of `windows` is left from that minute on; if nothing, that minute alone."""
    return tuple((max(opens, earliest), closes) for opens, closes in windows if closes >= earliest) or (
        (earliest, earliest),
    )


def within(job: Job, box: tuple[int, int]) -> Job | None:
    """`job` without links, in what `box` leaves of its windows; None where that is nothing."""
    earliest, latest = box
    latest = MINUTES_MAX if latest >= NEVER else min(latest, MINUTES_MAX)
    windows = job.windows or (Window(0, MINUTES_MAX),)
    left = tuple(
        Window(max(one.opens, earliest), min(one.closes, latest))
        for one in windows
        if one.opens <= latest and one.closes >= earliest
    )
    return replace(unlinked(job), windows=left) if left and earliest <= latest else None
