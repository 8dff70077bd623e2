"""Routes as chains of nodes, each knowing how early it can be left and how late it may be reached.

With these two a visit can be tried between two others in a handful of additions, however long the route is.
Lunch makes two clocks of each: 0 with lunch still to come, 1 with lunch had. The rule is that of
scheduler/timing.py: lunch begins between its earliest and latest minute, on any drive, and may interrupt it.
Where more than that tells when a visit may be left, scheduler/engine/clocks.py does the same in general.

Everything here is compiled, and changes the arrays that it is given.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scheduler.compiled import compiled_bare, compiled_inside
from scheduler.engine import clocks
from scheduler.engine.problem import NEVER, Ints, Problem
from scheduler.engine.shares import busy, minutes_to, unevenness
from scheduler.engine.visits import begin, lateness, latest_arrival, per_hour


class Routes(NamedTuple):
    """after, ahead: node → the next and the one before. route: job → its technician, −1: not planned.

    leave[node, clock]: earliest departure. reach[node, clock]: latest arrival. price[node, clock]: what
    lateness costs up to the node (at an end: what the whole route costs beyond drives and bias).
    load[van, part]. size: technician → visits. spare: kind → none of its members before this one is
    without visits. cost: [of these routes with what is left out]. chance: the state of the random numbers.
    busy: technician → minutes of work and driving, where a share of them has a price.
    work: what the functions of scheduler/engine/clocks.py calculate on.
    """

    after: Ints
    ahead: Ints
    route: Ints
    leave: Ints
    reach: Ints
    price: Ints
    load: Ints
    size: Ints
    spare: Ints
    cost: Ints
    chance: npt.NDArray[np.uint64]
    busy: Ints
    work: Ints


def routes_of(p: Problem, orders: list[list[int]], seed: int) -> Routes:
    """Routes that visit `orders` (jobs of each technician, feasible)."""
    n, k = p.jobs, p.people
    nodes = n + 2 * k
    rests = p.lunch.shape[1]
    s = Routes(
        after=np.full(nodes, -1, np.int64),
        ahead=np.full(nodes, -1, np.int64),
        route=np.full(nodes, -1, np.int64),
        leave=np.full((nodes, rests + 1), NEVER, np.int64),
        reach=np.full((nodes, rests + 1), -NEVER, np.int64),
        price=np.zeros((nodes, rests + 1), np.int64),
        load=np.zeros((k, p.needs.shape[1]), np.int64),
        size=np.zeros(k, np.int64),
        spare=p.kind_from[:-1].copy(),
        cost=np.zeros(1, np.int64),
        chance=np.array([(seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) % (1 << 64)], np.uint64),
        busy=np.zeros(k, np.int64),
        work=np.zeros((5, rests + 1), np.int64),
    )
    for person, order in enumerate(orders):
        chain = [n + person, *order, n + k + person]
        s.after[chain[:-1]] = chain[1:]
        s.ahead[chain[1:]] = chain[:-1]
        s.route[chain] = person
        s.size[person] = len(order)
        for job in order:
            s.load[p.van[person]] += p.needs[job]
        due = p.lunch[person, :, 2] > 0  # whoever has fewer breaks than others has had the first of them
        s.leave[n + person, rests - due.sum()] = p.leaves[person]
        s.reach[n + k + person, :rests][due] = np.minimum(p.lunch[person, due, 1], p.home[person])
        s.reach[n + k + person, rests] = p.home[person]
        time_whole(p, s, person)
        if p.shares:
            s.busy[person] = busy(p, s, person)
    s.cost[0] = cost_of(p, s)
    return s


@compiled_bare
def random(s: Routes) -> float:
    """The next random number, from 0 to below 1 (xorshift64*)."""
    x = s.chance[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    s.chance[0] = x
    return np.float64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) / 9007199254740992.0


@compiled_inside
def drive(p: Problem, person: int, before: int, after: int, minutes: int) -> tuple[int, int]:
    """Arrival by both clocks after `minutes` of driving, for departures by both clocks."""
    if before <= p.lunch[person, 0, 1] and p.lunch[person, 0, 2] > 0:
        after = min(after + minutes, max(before + minutes, p.lunch[person, 0, 0]) + p.lunch[person, 0, 2])
        return before + minutes, after
    return before + minutes, after + minutes


@compiled_inside
def time_from(p: Problem, s: Routes, person: int, node: int, forced: int) -> None:
    """Work out departures after `node`, as far as they change; the first `forced` nodes in any case."""
    if p.varied:
        clocks.time_from(p, s, person, node, forced)
        return
    end = p.jobs + p.people + person
    first_lunch, last_lunch, lunch = p.lunch[person, 0, 0], p.lunch[person, 0, 1], p.lunch[person, 0, 2]
    a0, a1 = s.leave[node, 0], s.leave[node, 1]
    c0, c1 = s.price[node, 0], s.price[node, 1]
    while True:
        job = s.after[node]
        minutes = p.arcs[node, job, 1]
        if a0 <= last_lunch and lunch > 0:
            had = max(a0 + minutes, first_lunch) + lunch
            if had < a1 + minutes:
                a1, c1 = had, c0
            else:
                a1 += minutes
        else:
            a1 += minutes
        a0 += minutes
        if job == end:
            s.leave[end, 0], s.leave[end, 1] = a0, a1
            if p.soft:
                if a0 > s.reach[end, 0]:
                    a0, c0 = min(a1, p.home[person]), c1  # later than that is refused, and has no price
                c0 += per_hour(p.overtime_hour, a0 - p.until[person])
                s.price[end, 0] = p.idle[person] if node == p.jobs + person else c0
            return
        a0 = begin(p, job, a0) if a0 < NEVER else NEVER
        a1 = begin(p, job, a1) if a1 < NEVER else NEVER
        if p.soft:
            if a0 < NEVER:
                c0 += lateness(p, job, a0, 0)
            if a1 < NEVER:
                c1 += lateness(p, job, a1, 0)
        a0 = min(NEVER, a0 + p.minutes[job])
        a1 = min(NEVER, a1 + p.minutes[job])
        if (
            forced <= 0
            and a0 == s.leave[job, 0]
            and a1 == s.leave[job, 1]
            and (not p.soft or (c0 == s.price[job, 0] and c1 == s.price[job, 1]))
        ):
            return
        s.leave[job, 0], s.leave[job, 1] = a0, a1
        s.price[job, 0], s.price[job, 1] = c0, c1
        forced -= 1
        node = job


@compiled_inside
def time_to(p: Problem, s: Routes, person: int, node: int, forced: int) -> None:
    """Work out latest arrivals before `node`, as far as they change; the first `forced` nodes in any case."""
    if p.varied:
        clocks.time_to(p, s, person, node, forced)
        return
    start = p.jobs + person
    first_lunch, last_lunch, lunch = p.lunch[person, 0, 0], p.lunch[person, 0, 1], p.lunch[person, 0, 2]
    m0, m1 = s.reach[node, 0], s.reach[node, 1]
    while True:
        job = s.ahead[node]
        if job == start:
            return
        minutes, stay = p.arcs[job, node, 1], p.minutes[job]
        b0 = m0 - minutes - stay
        if lunch > 0 and first_lunch + lunch <= m1:
            b0 = max(b0, min(last_lunch, m1 - lunch - minutes) - stay)
        m0 = latest_arrival(p, job, b0)
        m1 = latest_arrival(p, job, m1 - minutes - stay)
        if forced <= 0 and m0 == s.reach[job, 0] and m1 == s.reach[job, 1]:
            return
        s.reach[job, 0], s.reach[job, 1] = m0, m1
        forced -= 1
        node = job


@compiled_bare
def time_whole(p: Problem, s: Routes, person: int) -> None:
    time_from(p, s, person, p.jobs + person, 1 << 30)
    time_to(p, s, person, p.jobs + p.people + person, 1 << 30)


@compiled_inside
def fits_between(p: Problem, s: Routes, person: int, i: int, job: int, j: int) -> bool:
    """Whether `job` can stand between i and j, which follow each other on the technician's route."""
    if p.varied:
        return clocks.fits_between(p, s, person, i, job, j)
    x0, x1 = drive(p, person, s.leave[i, 0], s.leave[i, 1], p.arcs[i, job, 1])
    x0 = begin(p, job, x0) if x0 < NEVER else NEVER
    x1 = begin(p, job, x1) if x1 < NEVER else NEVER
    if x0 >= NEVER and x1 >= NEVER:
        return False
    stay = p.minutes[job]
    y0, y1 = drive(p, person, min(NEVER, x0 + stay), min(NEVER, x1 + stay), p.arcs[job, j, 1])
    return y0 <= s.reach[j, 0] or y1 <= s.reach[j, 1]


@compiled_inside
def lateness_with(p: Problem, s: Routes, person: int, i: int, job: int, j: int) -> int:
    """How much dearer the lateness of the whole route gets with `job` between i and j."""
    if p.varied:
        return clocks.lateness_with(p, s, person, i, job, j)
    end = p.jobs + p.people + person
    first_lunch, last_lunch, lunch = p.lunch[person, 0, 0], p.lunch[person, 0, 1], p.lunch[person, 0, 2]
    a0, a1 = s.leave[i, 0], s.leave[i, 1]
    c0, c1 = s.price[i, 0], s.price[i, 1]
    node, to = i, job
    while True:
        minutes = p.arcs[node, to, 1]
        if a0 <= last_lunch and lunch > 0:
            had = max(a0 + minutes, first_lunch) + lunch
            if had < a1 + minutes:
                a1, c1 = had, c0
            else:
                a1 += minutes
        else:
            a1 += minutes
        a0 += minutes
        if to == end:
            if a0 > s.reach[end, 0]:
                a0, c0 = min(a1, p.home[person]), c1
            return c0 + per_hour(p.overtime_hour, a0 - p.until[person]) - s.price[end, 0]
        a0 = begin(p, to, a0) if a0 < NEVER else NEVER
        a1 = begin(p, to, a1) if a1 < NEVER else NEVER
        if a0 < NEVER:
            c0 += lateness(p, to, a0, 0)
        if a1 < NEVER:
            c1 += lateness(p, to, a1, 0)
        a0 = min(NEVER, a0 + p.minutes[to])
        a1 = min(NEVER, a1 + p.minutes[to])
        if to != job and a0 == s.leave[to, 0] and a1 == s.leave[to, 1]:
            d0, d1 = c0 - s.price[to, 0], c1 - s.price[to, 1]
            if d0 == d1 or a0 >= NEVER:
                return d1
        node, to = to, (j if to == job else s.after[to])


@compiled_inside
def carries_enough(p: Problem, s: Routes, person: int, job: int) -> bool:
    van = p.van[person] if p.shared else person
    for part in range(p.needs.shape[1]):
        if s.load[van, part] + p.needs[job, part] > p.carries[person, part]:
            return False
    return True


@compiled_inside
def put(p: Problem, s: Routes, person: int, i: int, job: int) -> None:
    """Visit `job` right after i. The cost is the caller's to count."""
    j = s.after[i]
    if p.shares:
        s.busy[person] += minutes_to(p, i, job) + minutes_to(p, job, j) - minutes_to(p, i, j)
    s.after[i] = job
    s.ahead[job] = i
    s.after[job] = j
    s.ahead[j] = job
    s.route[job] = person
    s.size[person] += 1
    for part in range(p.needs.shape[1]):
        s.load[p.van[person], part] += p.needs[job, part]
    time_from(p, s, person, i, 1)
    time_to(p, s, person, j, 1)


@compiled_bare
def cost_of(p: Problem, s: Routes) -> int:
    """What these routes cost, with what is left out, in cents."""
    cost = 0
    for person in range(p.people):
        node, end = p.jobs + person, p.jobs + p.people + person
        while node != end:
            cost += p.arcs[node, s.after[node], 0]
            node = s.after[node]
            if node != end:
                cost += p.bias[person, node]
        cost += s.price[end, 0]
        if p.shares:
            cost += unevenness(p, person, busy(p, s, person))
    for job in range(p.jobs):
        if s.route[job] < 0:
            cost += p.undone[job]
    return cost
