"""A day as arrays of numbers, for the compiled search.

Nodes: the jobs that can be planned (0 … n−1), then a start and an end for each technician. Times are minutes,
costs cents, as in the request. What never changes during a search is here; the routes are in
scheduler/engine/routes.py.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scheduler.duty import home_by
from scheduler.pace import HOURS, STEADY, Pace
from scheduler.timing import Day, Misfit

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

NEVER = 1 << 40
FAR = (1 << 31) - 1
SEEDS_NEAR = 500  # so many neighbours of a job may lose their place together with it
PLACES_NEAR = 40  # a job is tried behind and before so many jobs that suit it in place and time
HOMES_NEAR = 8  # and with so many kinds of technicians who start near it and have no visit yet
WAIT_WEIGHT = 0.2  # a minute of waiting counts so much of a minute of driving when neighbours are chosen


class Problem(NamedTuple):
    """n jobs, k technicians, N = n + 2k nodes, r parts that could run short, c kinds of technician.

    arcs[i, j]: cost and minutes of the drive. A technician's start to their end is what an empty route costs.
    first, past: node → its windows, `opens` and `closes` from `first` to before `past`.
    lunch[technician, break]: earliest start, latest start, minutes; whoever has fewer has zeros first.
    varied: more than lunch tells when a node may be left (scheduler/engine/clocks.py). setup[node]:
    minutes before the work, less those of the node before it where that has the same site[node].
    paced: in a minute one gets on by pace[hour] thousandths of a minute's drive, and since midnight by
    gone[hour].
    leaves, home: technician → free from, back by. until: technician → from when each minute is overtime, at
    overtime_hour. idle: technician → what an empty route costs beyond its drive.
    shares: somebody's work has a price from fair[technician] minutes on, at uneven_hour; busy_before: minutes
    of the visits that have begun.
    able[technician, job]; bias[technician, job] in cents; undone[job]: cost of leaving it out.
    due, told, liked: job → minute of the start from which each further minute costs late[job], later[job],
    liking. A start before the windows a customer would like is free here: there is often time to wait.
    needs[job, part], carries[technician, part]. van: technician → the van; shared: whether
    some are shared by shifts of one person.
    kind: technician → those of one kind are exchangeable; kind_from, kind_members list them by kind.
    near: job → others by cost of the way between them. behind, before: job → those it may well follow and
    precede, −1 where there are no more. homes: job → kinds of technicians by the way from their start.
    """

    jobs: int
    people: int
    arcs: Small
    minutes: Ints
    first: Ints
    past: Ints
    opens: Ints
    closes: Ints
    lunch: Ints
    varied: bool
    setup: Ints
    site: Ints
    paced: bool
    pace: Ints
    gone: Ints
    leaves: Ints
    home: Ints
    until: Ints
    overtime_hour: int
    idle: Ints
    shares: bool
    fair: Ints
    uneven_hour: int
    busy_before: Ints
    able: Flags
    bias: Ints
    undone: Ints
    soft: bool
    due: Ints
    late: Ints
    told: Ints
    later: Ints
    liked: Ints
    liking: int
    needs: Ints
    carries: Ints
    van: Ints
    shared: bool
    kind: Ints
    kind_from: Ints
    kind_members: Ints
    near: Small
    behind: Small
    before: Small
    homes: Small


def problem_of(day: Day) -> tuple[Problem, list[int]]:
    """The arrays, and for each of their jobs its number in `day`. Jobs that nobody may do are left out."""
    numbers = [
        number
        for number in day.open_jobs
        if any(day.may_go(person, number) for person in range(len(day.technicians)))
    ]
    n, k = len(numbers), len(day.technicians)
    jobs = [day.jobs[number] for number in numbers]
    places = np.array(
        [job.place for job in jobs]
        + [origin.place for origin in day.origins]
        + [person.end_place for person in day.technicians]
    )
    arcs = np.empty((n + 2 * k, n + 2 * k, 2), np.int32)
    arcs[:, :, 0] = np.minimum(day.all_drive_costs[np.ix_(places, places)], FAR)
    arcs[:, :, 1] = np.minimum(day.all_minutes[np.ix_(places, places)], FAR)
    for person, origin in enumerate(day.origins):
        if not origin.begun:
            arcs[n + person, n + k + person] = 0
    windows = [day.windows[number] for number in numbers]
    past = np.cumsum([len(of_job) for of_job in windows] or [0])[: n or 0]
    first = np.concatenate(([0], past[:-1])) if n else past
    weights = day.request.weights
    minutes = np.array([job.minutes for job in jobs] + [0] * (2 * k), np.int64)
    due = np.array([NEVER if job.due is None else job.due - job.minutes for job in jobs], np.int64)
    told = np.array([NEVER if job.previous_start is None else job.previous_start for job in jobs], np.int64)
    liked = np.array([job.preferred[-1].closes if job.preferred else NEVER for job in jobs], np.int64)
    able = np.array(
        [[day.may_go(person, number) for number in numbers] for person in range(k)], np.bool_
    ).reshape(k, n)
    bias = np.array(
        [[day.policy.extra(person, day.jobs[number]) for number in numbers] for person in day.technicians],
        np.int64,
    ).reshape(k, n)
    needs, carries = _scarce(day, numbers, able)
    rests = max(1, *(len(origin.rests) for origin in day.origins), 1)
    lunch = np.zeros((k, rests, 3), np.int64)
    for person, origin in enumerate(day.origins):
        for number, rest in enumerate(reversed(origin.rests), start=1):
            lunch[person, -number] = rest
    setup = np.array(
        [job.setup_minutes for job in jobs] + [origin.set_up for origin in day.origins] + [0] * k, np.int64
    )
    site = np.array(
        [job.place for job in jobs]
        + [-1 if origin.site is None else origin.site for origin in day.origins]
        + [-1] * k,
        np.int64,
    )
    pace = day.pace or Pace((STEADY,) * HOURS)
    leaves = np.array([origin.minute for origin in day.origins], np.int64)
    home = np.array([home_by(person) for person in day.technicians], np.int64)
    until = np.array([person.shift_end for person in day.technicians], np.int64)
    idle = np.array([_idle(day, person) for person in range(k)], np.int64)
    fair = np.array(
        [NEVER if person.fair_minutes is None else person.fair_minutes for person in day.technicians],
        np.int64,
    )
    busy_before = np.array([day.busy_before(person) for person in range(k)], np.int64)
    van = np.array(day.van, np.int64)
    vans = np.column_stack((carries, _shared(van)))
    kind = _kinds(
        arcs,
        able,
        bias,
        vans,
        lunch,
        leaves,
        home,
        until,
        idle,
        site[n : n + k],
        setup[n : n + k],
        fair,
        busy_before,
    )
    members = np.argsort(kind, kind="stable")
    opens = np.array([opening for of_job in windows for opening, _ in of_job], np.int64)
    closes = np.array([closing for of_job in windows for _, closing in of_job], np.int64)
    behind, before = _neighbours(arcs, minutes, opens, closes, first, past)
    return (
        Problem(
            jobs=n,
            people=k,
            arcs=arcs,
            minutes=minutes,
            first=first.astype(np.int64),
            past=past.astype(np.int64),
            opens=opens,
            closes=closes,
            lunch=lunch,
            varied=rests > 1 or bool(setup[:n].any()) or day.pace is not None,
            setup=setup,
            site=site,
            paced=day.pace is not None,
            pace=np.array(pace.by_hour, np.int64),
            gone=np.array(pace.gone, np.int64),
            leaves=leaves,
            home=home,
            until=until,
            overtime_hour=weights.overtime_hour,
            idle=idle,
            shares=bool(weights.uneven_hour and (fair < NEVER).any()),
            fair=fair,
            uneven_hour=weights.uneven_hour,
            busy_before=busy_before,
            able=able,
            bias=bias,
            undone=np.array([day.undone[number] for number in numbers], np.int64),
            soft=bool(
                (weights.late_minute and (due < NEVER).any())
                or (weights.later_minute and (told < NEVER).any())
                or (weights.overtime_hour and (home > until).any())
                or idle.any()
                or (weights.unpreferred_minute and (liked < NEVER).any())
            ),
            due=due,
            late=np.full(n, weights.late_minute, np.int64),
            told=told,
            later=np.full(n, weights.later_minute, np.int64),
            liked=liked,
            liking=weights.unpreferred_minute,
            needs=needs,
            carries=carries,
            van=van,
            shared=day.vans_shared,
            kind=kind,
            kind_from=np.searchsorted(kind[members], np.arange(kind.max() + 2)).astype(np.int64),
            kind_members=members.astype(np.int64),
            near=_nearest(arcs[:n, :n, 0].astype(np.int64) + arcs[:n, :n, 0].T, SEEDS_NEAR),
            behind=behind,
            before=before,
            homes=_homes(arcs, kind, n),
        ),
        numbers,
    )


def _shared(van: Ints) -> Ints:
    """Technician → their van where they share it, else −1: who has one alone may stand in for others."""
    return np.where(np.bincount(van)[van] > 1, van, -1)


def _scarce(day: Day, numbers: list[int], able: Flags) -> tuple[Ints, Ints]:
    """Parts that could run short on some van; the others need no counting."""
    needs, carries = [], []
    for sku in sorted({sku for number in numbers for sku in day.jobs[number].parts}):
        wanted = np.array([day.jobs[number].parts.get(sku, 0) for number in numbers], np.int64)
        on_vans = np.array([origin.parts.get(sku, 0) for origin in day.origins], np.int64)
        any_shift = np.array([able[[v == van for v in day.van]].any(axis=0) for van in day.van])
        if ((any_shift @ wanted) > on_vans).any():
            needs.append(wanted)
            carries.append(on_vans)
    shape = (len(needs), len(numbers))
    return (
        np.ascontiguousarray(np.array(needs, np.int64).reshape(shape).T),
        np.ascontiguousarray(np.array(carries, np.int64).reshape(len(carries), len(day.technicians)).T),
    )


def _idle(day: Day, person: int) -> int:
    """What the visits that have begun cost in the length of the day, should no other come."""
    times = day.times(person, [])
    assert not isinstance(times, Misfit)
    return day.cost(person, [], times).overtime


def _kinds(arcs: Small, able: Flags, *of_person: Ints) -> Ints:
    """Number the technicians so that two have the same number when nothing tells them apart."""
    n = able.shape[1]
    k = len(able)
    known: dict[bytes, int] = {}
    kinds = []
    for person in range(k):
        signs = (
            arcs[n + person, :n].tobytes(),
            arcs[:n, n + k + person].tobytes(),
            arcs[n + person, n + k + person].tobytes(),
            able[person].tobytes(),
            *(of_all[person].tobytes() for of_all in of_person),
        )
        kinds.append(known.setdefault(b"|".join(signs), len(known)))
    return np.array(kinds, np.int64)


def _nearest(cost: Ints, width: int) -> Small:
    """For each row the columns of least cost, cheapest first; a job is its own nearest."""
    columns = cost.shape[1]
    if columns > width:
        some = np.argpartition(cost, width - 1, axis=1)[:, :width]
        order = np.argsort(np.take_along_axis(cost, some, axis=1), axis=1, kind="stable")
        return np.ascontiguousarray(np.take_along_axis(some, order, axis=1).astype(np.int32))
    return np.argsort(cost, axis=1, kind="stable").astype(np.int32)


def _neighbours(
    arcs: Small, minutes: Ints, opens: Ints, closes: Ints, first: Ints, past: Ints
) -> tuple[Small, Small]:
    """For each job those that may well come right before it, and right after it."""
    n = len(first)
    if not n:
        return np.empty((0, 0), np.int32), np.empty((0, 0), np.int32)
    earliest, latest = opens[first], closes[past - 1]
    cost, drive = arcs[:n, :n, 0].astype(np.int64), arcs[:n, :n, 1].astype(np.int64)
    rate = max(1.0, cost.sum() / max(1, drive.sum()))
    arrival = earliest[:, None] + minutes[:n, None] + drive
    waiting = np.maximum(
        0, earliest[None, :] - (np.minimum(latest, NEVER)[:, None] + minutes[:n, None] + drive)
    )
    worth = cost + WAIT_WEIGHT * rate * waiting
    worth[arrival > latest[None, :]] = np.inf
    np.fill_diagonal(worth, np.inf)
    return _cheapest(worth.T), _cheapest(worth)


def _cheapest(worth: npt.NDArray[np.float64]) -> Small:
    near = _nearest(worth, min(PLACES_NEAR, max(1, worth.shape[1] - 1)))  # type: ignore[arg-type]
    near[np.isinf(np.take_along_axis(worth, near.astype(np.int64), axis=1))] = -1
    return near


def _homes(arcs: Small, kind: Ints, n: int) -> Small:
    one_of_each = np.unique(kind, return_index=True)[1]
    return _nearest(arcs[n + one_of_each, :n, 0].T.astype(np.int64), HOMES_NEAR)
