"""One visit in the arrays: when it may begin, and what minutes cost. Compiled."""

from scheduler.compiled import compiled_inside
from scheduler.engine.problem import NEVER, Problem


@compiled_inside
def begin(p: Problem, job: int, arrival: int) -> int:
    """When work starts for an arrival, or NEVER."""
    for window in range(p.first[job], p.past[job]):
        if arrival <= p.closes[window]:
            return max(arrival, p.opens[window])
    return NEVER


@compiled_inside
def latest_arrival(p: Problem, job: int, start: int) -> int:
    """The latest arrival for which work starts by `start`, or −NEVER."""
    for window in range(p.past[job] - 1, p.first[job] - 1, -1):
        if p.opens[window] <= start:
            return min(p.closes[window], start)
    return -NEVER


@compiled_inside
def lateness(p: Problem, job: int, start: int, setup: int) -> int:
    """What a start costs beyond the drive, with so many minutes of setup before the work."""
    cost = 0
    if start + setup > p.due[job]:
        cost += (start + setup - p.due[job]) * p.late[job]
    if start > p.told[job]:
        cost += (start - p.told[job]) * p.later[job]
    if start > p.liked[job]:
        cost += (start - p.liked[job]) * p.liking
    return cost


@compiled_inside
def per_hour(cents: int, minutes: int) -> int:
    """The price of so many minutes at `cents` an hour; it takes no arrays, so that a call costs nothing."""
    return (minutes * cents + 30) // 60 if minutes > 0 else 0
