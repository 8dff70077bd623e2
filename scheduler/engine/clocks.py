"""What scheduler/engine/routes.py does with two clocks, for days on which more plays a part. Compiled.

That is: more breaks than one, k of them making k + 1 clocks; a setup that a visit shares with the one before
it, so that how long it takes depends on that one; drives that take longer at some hours. A day without any of
it never comes here, and its search loses no time over it.

`s.work` has a row for departures, one for what lateness costs by then, two for the arrivals, one for latest
arrivals; a column a clock.
"""

from typing import TYPE_CHECKING

from scheduler.compiled import compiled_bare, compiled_inside
from scheduler.engine.problem import NEVER, Problem
from scheduler.engine.visits import begin, lateness, latest_arrival, per_hour
from scheduler.pace import HOURS, STEADY

if TYPE_CHECKING:
    from scheduler.engine.routes import Routes

FROM, SO_FAR, THERE, BY_THERE, LATEST = 0, 1, 2, 3, 4  # rows of `s.work`


@compiled_inside
def driven(p: Problem, begin: int, end: int) -> int:
    """Thousandths of a minute's drive that one gets on between two minutes."""
    if not p.paced:
        return STEADY * (end - begin)
    hours = end // 60 - begin // 60
    if hours == 0:
        return (end - begin) * p.pace[begin // 60 % HOURS]
    days = end // 1440 - begin // 1440
    until_end = p.gone[end // 60 % HOURS] + end % 60 * p.pace[end // 60 % HOURS]
    until_begin = p.gone[begin // 60 % HOURS] + begin % 60 * p.pace[begin // 60 % HOURS]
    return days * p.gone[HOURS] + until_end - until_begin


@compiled_inside
def arrival(p: Problem, leave: int, drive: int) -> int:
    """The first minute at which a drive of `drive` thousandths is over."""
    if not p.paced:
        return leave + drive // STEADY
    while drive > 0:
        pace, rest = p.pace[leave // 60 % HOURS], 60 - leave % 60
        if drive <= pace * rest:
            return leave + (drive + pace - 1) // pace
        leave += rest
        drive -= pace * rest
    return leave


@compiled_inside
def departure(p: Problem, arrive: int, drive: int) -> int:
    """The last minute at which one may leave to be there at `arrive`."""
    if not p.paced:
        return arrive - drive // STEADY
    while drive > 0:
        hour = (arrive - 1) // 60
        pace, rest = p.pace[hour % HOURS], arrive - 60 * hour
        if drive <= pace * rest:
            return arrive - (drive + pace - 1) // pace
        arrive -= rest
        drive -= pace * rest
    return arrive


@compiled_inside
def setup(p: Problem, before: int, job: int) -> int:
    """Minutes of setup for `job` right after the node `before`."""
    return max(0, p.setup[job] - p.setup[before]) if p.site[before] == p.site[job] else p.setup[job]


@compiled_inside
def drive(p: Problem, s: "Routes", person: int, minutes: int) -> None:
    """Arrivals by every clock after `minutes` of driving, for the departures in `s.work`."""
    last = p.lunch.shape[1]
    for clock in range(last + 1):
        now = s.work[FROM, clock]
        s.work[THERE, clock] = arrival(p, now, STEADY * minutes) if now < NEVER else NEVER
        s.work[BY_THERE, clock] = s.work[SO_FAR, clock]
    for clock in range(last):
        now, left = s.work[FROM, clock], STEADY * minutes
        if now >= NEVER:
            continue
        for rest in range(clock, last):
            begins = max(now, p.lunch[person, rest, 0])
            if begins > p.lunch[person, rest, 1]:
                break
            left = max(0, left - driven(p, now, begins))
            now = begins + p.lunch[person, rest, 2]
            there = arrival(p, now, left)
            if there < s.work[THERE, rest + 1]:
                s.work[THERE, rest + 1] = there
                s.work[BY_THERE, rest + 1] = s.work[SO_FAR, clock]


@compiled_inside
def visit(p: Problem, s: "Routes", before: int, job: int) -> bool:
    """Turn the arrivals at `job` into departures from it; False when no clock allows any."""
    more = setup(p, before, job)
    any_clock = False
    for clock in range(p.lunch.shape[1] + 1):
        start, price = s.work[THERE, clock], s.work[BY_THERE, clock]
        if start < NEVER:
            start = begin(p, job, start)
        if start < NEVER:
            any_clock = True
            if p.soft:
                price += lateness(p, job, start, more)
            start = min(NEVER, start + more + p.minutes[job])
        s.work[FROM, clock] = start
        s.work[SO_FAR, clock] = price
    return any_clock


@compiled_inside
def set_off(p: Problem, s: "Routes", node: int) -> None:
    """Take the departures from `node` into `s.work`."""
    for clock in range(p.lunch.shape[1] + 1):
        s.work[FROM, clock] = s.leave[node, clock]
        s.work[SO_FAR, clock] = s.price[node, clock]


@compiled_inside
def price_at_end(p: Problem, s: "Routes", person: int) -> int:
    """What the route costs beyond drives and bias, for the arrivals at its end."""
    end, last = p.jobs + p.people + person, p.lunch.shape[1]
    clock = 0
    while clock < last and s.work[THERE, clock] > s.reach[end, clock]:
        clock += 1
    over = min(s.work[THERE, clock], p.home[person]) - p.until[person]
    return s.work[BY_THERE, clock] + per_hour(p.overtime_hour, over)


@compiled_bare
def time_from(p: Problem, s: "Routes", person: int, node: int, forced: int) -> None:
    """Work out departures after `node`, as far as they change; the first `forced` nodes in any case."""
    end = p.jobs + p.people + person
    set_off(p, s, node)
    while True:
        job = s.after[node]
        drive(p, s, person, p.arcs[node, job, 1])
        if job == end:
            for clock in range(p.lunch.shape[1] + 1):
                s.leave[end, clock] = s.work[THERE, clock]
            if p.soft:
                empty = node == p.jobs + person
                s.price[end, 0] = p.idle[person] if empty else price_at_end(p, s, person)
            return
        visit(p, s, node, job)
        same = forced <= 0
        for clock in range(p.lunch.shape[1] + 1):
            if s.work[FROM, clock] != s.leave[job, clock]:
                s.leave[job, clock] = s.work[FROM, clock]
                same = False
            if s.work[SO_FAR, clock] != s.price[job, clock]:
                s.price[job, clock] = s.work[SO_FAR, clock]
                same = False
        if same:
            return
        forced -= 1
        node = job


@compiled_inside
def in_time(p: Problem, person: int, clock: int, to: int, drive: int, by: int, leave: int) -> bool:
    """Whether one who leaves then is there at `by` with all breaks from `clock` to before `to` had."""
    for rest in range(clock, to):
        begins = max(leave, p.lunch[person, rest, 0])
        if p.lunch[person, rest, 2] == 0 or begins > p.lunch[person, rest, 1]:
            return False
        drive = max(0, drive - driven(p, leave, begins))
        leave = begins + p.lunch[person, rest, 2]
    return leave <= by and driven(p, leave, by) >= drive


@compiled_inside
def latest_with_traffic(p: Problem, person: int, clock: int, to: int, drive: int, by: int) -> int:
    """`latest_departure` where hours differ: nobody who leaves later arrives earlier, so halve the time."""
    if clock == to:
        return departure(p, by, drive)
    low, high = p.leaves[person], min(by, p.lunch[person, clock, 1])
    if low > high or not in_time(p, person, clock, to, drive, by, low):
        return -NEVER
    while low < high:
        middle = (low + high + 1) // 2
        if in_time(p, person, clock, to, drive, by, middle):
            low = middle
        else:
            high = middle - 1
    return low


@compiled_inside
def latest_departure(p: Problem, person: int, clock: int, to: int, minutes: int, by: int) -> int:
    """When to leave by `clock` at the latest to be there at `by`, all breaks before `to` had, or −NEVER."""
    if by <= -NEVER:
        return -NEVER
    if p.paced:
        return latest_with_traffic(p, person, clock, to, STEADY * minutes, by)
    leave = NEVER
    length = 0  # of the breaks so far
    soonest = -NEVER  # when they can be over, however early one leaves
    for rest in range(clock, to):
        soonest = max(soonest, p.lunch[person, rest, 0])
        if p.lunch[person, rest, 2] == 0 or soonest > p.lunch[person, rest, 1]:
            return -NEVER
        leave = min(leave, p.lunch[person, rest, 1] - length)
        length += p.lunch[person, rest, 2]
        soonest += p.lunch[person, rest, 2]
    return min(leave, by - minutes - length) if soonest <= by else -NEVER


@compiled_inside
def latest_at(p: Problem, s: "Routes", person: int, job: int, stay: int) -> None:
    """Latest arrivals at `job` into `s.work`, for a visit of `stay` minutes before the node after it."""
    last = p.lunch.shape[1]
    node = s.after[job]
    minutes = p.arcs[job, node, 1]
    for clock in range(last + 1):
        leave = -NEVER
        for to in range(clock, last + 1):
            leave = max(leave, latest_departure(p, person, clock, to, minutes, s.reach[node, to]))
        s.work[LATEST, clock] = latest_arrival(p, job, leave - stay) if leave > -NEVER else -NEVER


@compiled_bare
def time_to(p: Problem, s: "Routes", person: int, node: int, forced: int) -> None:
    """Work out latest arrivals before `node`, as far as they change; the first `forced` nodes in any case.

    Those at `node` itself as well: how long a visit there takes can depend on what is before it now.
    """
    start = p.jobs + person
    job = node if node < p.jobs else s.ahead[node]
    forced += node < p.jobs
    while job != start:
        before = s.ahead[job]
        latest_at(p, s, person, job, p.minutes[job] + setup(p, before, job))
        same = forced <= 0
        for clock in range(p.lunch.shape[1] + 1):
            if s.work[LATEST, clock] != s.reach[job, clock]:
                s.reach[job, clock] = s.work[LATEST, clock]
                same = False
        if same:
            return
        forced -= 1
        job = before


@compiled_bare
def fits_between(p: Problem, s: "Routes", person: int, i: int, job: int, j: int) -> bool:
    """Whether `job` can stand between i and j, which follow each other on the technician's route."""
    set_off(p, s, i)
    drive(p, s, person, p.arcs[i, job, 1])
    if not visit(p, s, i, job):
        return False
    drive(p, s, person, p.arcs[job, j, 1])
    other_stay = j < p.jobs and setup(p, i, j) != setup(p, job, j)
    if other_stay:
        latest_at(p, s, person, j, p.minutes[j] + setup(p, job, j))
    for clock in range(p.lunch.shape[1] + 1):
        if s.work[THERE, clock] <= (s.work[LATEST, clock] if other_stay else s.reach[j, clock]):
            return True
    return False


@compiled_bare
def lateness_with(p: Problem, s: "Routes", person: int, i: int, job: int, j: int) -> int:
    """How much dearer the lateness and length of the whole route get with `job` between i and j."""
    end = p.jobs + p.people + person
    set_off(p, s, i)
    node, to = i, job
    while True:
        drive(p, s, person, p.arcs[node, to, 1])
        if to == end:
            return price_at_end(p, s, person) - s.price[end, 0]
        visit(p, s, node, to)
        if to != job:
            same, dearer = True, NEVER
            for clock in range(p.lunch.shape[1] + 1):
                if s.work[FROM, clock] != s.leave[to, clock]:
                    same = False
                elif s.work[FROM, clock] < NEVER:
                    more = s.work[SO_FAR, clock] - s.price[to, clock]
                    same = same and dearer in (more, NEVER)
                    dearer = more
            if same and dearer < NEVER:
                return dearer
        node, to = to, (j if to == job else s.after[to])
