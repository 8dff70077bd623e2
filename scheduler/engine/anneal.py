"""Ruin and recreate: take strings of neighbouring visits out of the plan, put each back where it is cheapest,
and keep the result if chance at the present temperature allows it.

After the published idea of slack induction by string removals (Christiaens and Vanden Berghe 2020), with
technicians who differ, jobs that may be left out, lunch, and neighbours chosen by place and time.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scheduler.compiled import compiled_bare, compiled_inside
from scheduler.engine.problem import Ints, Problem
from scheduler.engine.routes import (
    Routes,
    carries_enough,
    fits_between,
    lateness_with,
    put,
    random,
    time_from,
    time_to,
    time_whole,
)
from scheduler.engine.shares import busy, unevenness, unevenness_with


class Tuning(NamedTuple):
    """string: most visits of one route removed together; removed: visits removed from all routes, on average.

    blink: how often a good place is overlooked, or every round would find the same ones. split: how many of
    the strings keep some visits in their middle. again: jobs left out nearby tried again each time. around: a
    job near which every second round looks (−1: none).
    """

    string: float = 10.0
    removed: float = 10.0
    blink: float = 0.01
    split: float = 0.5
    again: int = 2
    around: int = -1


class Notes(NamedTuple):
    """What a round needs to be undone, and the best plan met.

    chain: nodes of the routes as they were, one route after another; the three beside it are theirs.
    touched: technicians in that order. mark: technician → round in which it was last touched.
    out: jobs to put back; key: what they are sorted by. left: jobs left out; at: job → where in `left`.
    counts: [round, length of chain, of touched, of out, of left]. best_after: `after` of the best plan;
    best: [its cost].
    """

    chain: Ints
    chain_leave: Ints
    chain_reach: Ints
    chain_price: Ints
    touched: Ints
    mark: Ints
    out: Ints
    key: npt.NDArray[np.float64]
    left: Ints
    at: Ints
    counts: Ints
    best_after: Ints
    best: Ints


def notes_of(p: Problem, s: Routes) -> Notes:
    n, k = p.jobs, p.people
    nodes = n + 2 * k
    left = np.full(n + 1, -1, np.int64)
    absent = np.flatnonzero(s.route[:n] < 0)
    left[: len(absent)] = absent
    at = np.full(n + 1, -1, np.int64)
    at[absent] = np.arange(len(absent))
    return Notes(
        chain=np.empty(nodes, np.int64),
        chain_leave=np.empty(s.leave.shape, np.int64),
        chain_reach=np.empty(s.reach.shape, np.int64),
        chain_price=np.empty(s.price.shape, np.int64),
        touched=np.empty(k + 1, np.int64),
        mark=np.full(k, -1, np.int64),
        out=np.empty(n + 1, np.int64),
        key=np.empty(n + 1, np.float64),
        left=left,
        at=at,
        counts=np.array([0, 0, 0, 0, len(absent)], np.int64),
        best_after=s.after.copy(),
        best=s.cost.copy(),
    )


@compiled_inside
def remember(p: Problem, s: Routes, notes: Notes, person: int) -> None:
    """Write a route down before it is changed for the first time in this round."""
    if notes.mark[person] == notes.counts[0]:
        return
    notes.mark[person] = notes.counts[0]
    notes.touched[notes.counts[2]] = person
    notes.counts[2] += 1
    at = notes.counts[1]
    node, end = p.jobs + person, p.jobs + p.people + person
    while True:
        notes.chain[at] = node
        for clock in range(s.leave.shape[1]):
            notes.chain_leave[at, clock] = s.leave[node, clock]
            notes.chain_reach[at, clock] = s.reach[node, clock]
            notes.chain_price[at, clock] = s.price[node, clock]
        at += 1
        if node == end:
            break
        node = s.after[node]
    notes.counts[1] = at


@compiled_inside
def set_left(notes: Notes, job: int, is_left: bool) -> None:
    """Keep the list of jobs left out."""
    at = notes.at[job]
    if is_left and at < 0:
        notes.left[notes.counts[4]] = job
        notes.at[job] = notes.counts[4]
        notes.counts[4] += 1
    elif not is_left and at >= 0:
        notes.counts[4] -= 1
        last = notes.left[notes.counts[4]]
        notes.left[at] = last
        notes.at[last] = at
        notes.at[job] = -1


@compiled_inside
def undo(p: Problem, s: Routes, notes: Notes) -> None:
    """Put the routes back as they were at the beginning of the round."""
    at = 0
    for number in range(notes.counts[2]):
        person = notes.touched[number]
        node, end = p.jobs + person, p.jobs + p.people + person
        node = s.after[node]
        while node != end:
            s.route[node] = -1
            if p.shared:
                for part in range(p.needs.shape[1]):
                    s.load[p.van[person], part] -= p.needs[node, part]
            node = s.after[node]
    for number in range(notes.counts[2]):
        person = notes.touched[number]
        end = p.jobs + p.people + person
        van = p.van[person]
        if not p.shared:
            s.load[van, :] = 0
        before = -1
        size = 0
        while True:
            node = notes.chain[at]
            for clock in range(s.leave.shape[1]):
                s.leave[node, clock] = notes.chain_leave[at, clock]
                s.reach[node, clock] = notes.chain_reach[at, clock]
                s.price[node, clock] = notes.chain_price[at, clock]
            if before >= 0:
                s.after[before] = node
                s.ahead[node] = before
                if node != end:
                    s.route[node] = person
                    set_left(notes, node, False)
                    size += 1
                    for part in range(p.needs.shape[1]):
                        s.load[van, part] += p.needs[node, part]
            before = node
            at += 1
            if node == end:
                break
        s.size[person] = size
        if p.shares:
            s.busy[person] = busy(p, s, person)
        if size == 0:
            s.spare[p.kind[person]] = min(s.spare[p.kind[person]], position(p, person))
    for number in range(notes.counts[3]):
        job = notes.out[number]
        if s.route[job] < 0:
            set_left(notes, job, True)


@compiled_inside
def position(p: Problem, person: int) -> int:
    """Where in the list of its kind a technician stands."""
    for at in range(p.kind_from[p.kind[person]], p.kind_from[p.kind[person] + 1]):
        if p.kind_members[at] == person:
            return at
    return -1


@compiled_inside
def take_string(p: Problem, s: Routes, notes: Notes, job: int, longest: float, split: float) -> int:
    """Take a string of visits around `job` out of its route; give by how much that changes the cost."""
    person = s.route[job]
    size = s.size[person]
    origin = notes.counts[1]  # where the route will stand in the chain: its start, its visits, its end
    remember(p, s, notes, person)
    at = 1
    while notes.chain[origin + at] != job:
        at += 1
    length = min(size, int(random(s) * min(longest, size)) + 1)
    kept = 0
    if 1 < length < size and random(s) < split:
        kept = 1
        while length + kept < size and random(s) < 0.5:
            kept += 1
    span = length + kept
    lowest, highest = max(1, at - span + 1), min(at, size - span + 1)
    first = lowest + int(random(s) * (highest - lowest + 1))
    keep_from = first + int(random(s) * (length + 1))
    end = notes.chain[origin + size + 1]
    delta = -s.price[end, 0]
    tail = notes.chain[origin + first - 1]
    edge = tail
    for z in range(first, first + span):
        node = notes.chain[origin + z]
        delta -= p.arcs[notes.chain[origin + z - 1], node, 0]
        if kept > 0 and keep_from <= z < keep_from + kept:
            delta += p.arcs[tail, node, 0]
            s.after[tail] = node
            s.ahead[node] = tail
            tail = node
            continue
        delta += p.undone[node] - p.bias[person, node]
        s.route[node] = -1
        s.size[person] -= 1
        for part in range(p.needs.shape[1]):
            s.load[p.van[person], part] -= p.needs[node, part]
        notes.out[notes.counts[3]] = node
        notes.counts[3] += 1
    node = notes.chain[origin + first + span]
    delta += p.arcs[tail, node, 0] - p.arcs[notes.chain[origin + first + span - 1], node, 0]
    s.after[tail] = node
    s.ahead[node] = tail
    time_from(p, s, person, edge, kept)
    time_to(p, s, person, node, kept)
    if p.shares:
        delta -= unevenness(p, person, s.busy[person])
        s.busy[person] = busy(p, s, person)
        delta += unevenness(p, person, s.busy[person])
    if s.size[person] == 0:
        s.spare[p.kind[person]] = min(s.spare[p.kind[person]], position(p, person))
    return delta + s.price[end, 0]


@compiled_inside
def ruin(p: Problem, s: Routes, notes: Notes, tuning: Tuning) -> int:
    """Take strings out of routes near one chance job; give the change of cost."""
    visits = 0
    routes = 0
    for person in range(p.people):
        if s.size[person] > 0:
            visits += s.size[person]
            routes += 1
    longest = min(tuning.string, visits / max(1, routes))
    strings = int(random(s) * (4.0 * tuning.removed / (1.0 + longest) - 1.0) + 1.0)
    seed = int(random(s) * p.jobs)
    if tuning.around >= 0 and random(s) < 0.5:
        seed = tuning.around
    delta = 0
    for z in range(p.near.shape[1]):
        job = p.near[seed, z]
        person = s.route[job]
        if person >= 0 and notes.mark[person] != notes.counts[0]:
            delta += take_string(p, s, notes, job, longest, tuning.split)
            strings -= 1
            if strings <= 0:
                break
    if notes.counts[4] > 0:
        also = 0
        for z in range(p.near.shape[1]):
            job = p.near[seed, z]
            if notes.at[job] >= 0:
                notes.out[notes.counts[3]] = job
                notes.counts[3] += 1
                also += 1
                if also >= tuning.again:
                    break
    return delta


@compiled_inside
def sort_out(p: Problem, s: Routes, notes: Notes) -> None:
    """Choose by chance what the jobs to put back are sorted by, and sort them."""
    draw = random(s)
    count = notes.counts[3]
    far = p.jobs + int(random(s) * p.people)
    for z in range(count):
        job = notes.out[z]
        opens, closes = p.opens[p.first[job]], p.closes[p.past[job] - 1]
        if draw < 0.3:
            key = random(s)
        elif draw < 0.45:
            key = random(s) - float(p.undone[job])
        elif draw < 0.6:
            key = float(closes - opens)
        elif draw < 0.7:
            key = float(opens)
        elif draw < 0.8:
            key = -float(closes)
        elif draw < 0.87:
            key = -float(p.arcs[far, job, 0])
        elif draw < 0.92:
            key = float(p.arcs[far, job, 0])
        elif p.needs.shape[1] > 0:
            key = -float(p.needs[job, 0])
        else:
            key = -float(p.minutes[job])
        notes.key[z] = key
    sort(notes)


@compiled_inside
def sort(notes: Notes) -> None:
    """Sort the jobs to put back by their key; there are seldom more than twenty."""
    for z in range(1, notes.counts[3]):
        key, job = notes.key[z], notes.out[z]
        y = z - 1
        while y >= 0 and notes.key[y] > key:
            notes.key[y + 1] = notes.key[y]
            notes.out[y + 1] = notes.out[y]
            y -= 1
        notes.key[y + 1] = key
        notes.out[y + 1] = job


@compiled_inside
def better(p: Problem, s: Routes, person: int, i: int, job: int, j: int, least: int) -> int:
    """What it costs to visit `job` between i and j, or `least` where that is no less or can't be."""
    if not p.able[person, job]:
        return least
    delta = p.arcs[i, job, 0] + p.arcs[job, j, 0] - p.arcs[i, j, 0] + p.bias[person, job]
    if p.shares:
        delta += unevenness_with(p, s, person, i, job, j)
    if delta >= least or not carries_enough(p, s, person, job):
        return least
    if not fits_between(p, s, person, i, job, j):
        return least
    if p.soft:
        delta += lateness_with(p, s, person, i, job, j)
    return min(delta, least)


@compiled_bare
def cheapest_place(p: Problem, s: Routes, job: int, blink: float, everywhere: bool) -> tuple[int, int]:
    """(cost, the node to visit `job` after) of the cheapest place found; (undone[job], −1) without any."""
    least, where = p.undone[job], -1
    if everywhere:
        for person in range(p.people):
            i = p.jobs + person
            while i != p.jobs + p.people + person:
                cost = better(p, s, person, i, job, s.after[i], least)
                if cost < least:
                    least, where = cost, i
                i = s.after[i]
        return least, where
    for z in range(p.behind.shape[1]):
        i = p.behind[job, z]
        if i < 0:
            break
        person = s.route[i]
        if person >= 0:
            cost = better(p, s, person, i, job, s.after[i], least)
            if cost < least and not (blink > 0.0 and random(s) < blink):
                least, where = cost, i
    for z in range(p.before.shape[1]):
        j = p.before[job, z]
        if j < 0:
            break
        person = s.route[j]
        if person >= 0:
            cost = better(p, s, person, s.ahead[j], job, j, least)
            if cost < least and not (blink > 0.0 and random(s) < blink):
                least, where = cost, s.ahead[j]
    for z in range(p.homes.shape[1]):
        kind = p.homes[job, z]
        at = s.spare[kind]
        while at < p.kind_from[kind + 1] and s.size[p.kind_members[at]] > 0:
            at += 1
        s.spare[kind] = at
        if at < p.kind_from[kind + 1]:
            person = p.kind_members[at]
            i = p.jobs + person
            cost = better(p, s, person, i, job, s.after[i], least)
            if cost < least and not (blink > 0.0 and random(s) < blink):
                least, where = cost, i
    return least, where


@compiled_inside
def recreate(p: Problem, s: Routes, notes: Notes, blink: float) -> int:
    """Put back what was taken out, one job after another; give the change of cost."""
    delta = 0
    for z in range(notes.counts[3]):
        job = notes.out[z]
        cost, i = cheapest_place(p, s, job, blink, False)
        if i < 0 and random(s) * (notes.counts[4] + 1) < 1.0:
            cost, i = cheapest_place(p, s, job, 0.0, True)
        if i < 0:
            set_left(notes, job, True)
            continue
        person = s.route[i] if i < p.jobs else i - p.jobs
        remember(p, s, notes, person)
        put(p, s, person, i, job)
        set_left(notes, job, False)
        delta += cost - p.undone[job]
    return delta


@compiled_bare
def fill(p: Problem, s: Routes, notes: Notes) -> None:
    """Put in what is left out, the dearest and then the narrowest first."""
    notes.counts[0] += 1
    notes.counts[1] = 0
    notes.counts[2] = 0
    notes.counts[3] = notes.counts[4]
    for z in range(notes.counts[4]):
        job = notes.left[z]
        notes.out[z] = job
        width = p.closes[p.past[job] - 1] - p.opens[p.first[job]]
        notes.key[z] = -p.undone[job] * 1e6 + min(width, 1 << 19)
    sort(notes)
    s.cost[0] += recreate(p, s, notes, 0.0)
    keep_best(s, notes)


@compiled_bare
def keep_best(s: Routes, notes: Notes) -> None:
    notes.best[0] = s.cost[0]
    for node in range(len(s.after)):
        notes.best_after[node] = s.after[node]


@compiled_bare
def return_to_best(p: Problem, s: Routes, notes: Notes) -> None:
    """Make the best plan met the present one."""
    for job in range(p.jobs):
        s.route[job] = -1
    s.load[:, :] = 0
    for person in range(p.people):
        node, end = p.jobs + person, p.jobs + p.people + person
        s.size[person] = 0
        while node != end:
            after = notes.best_after[node]
            s.after[node] = after
            s.ahead[after] = node
            if after != end:
                s.route[after] = person
                s.size[person] += 1
                for part in range(p.needs.shape[1]):
                    s.load[p.van[person], part] += p.needs[after, part]
            node = after
        time_whole(p, s, person)
        if p.shares:
            s.busy[person] = busy(p, s, person)
    for job in range(p.jobs):
        set_left(notes, job, s.route[job] < 0)
    for kind in range(len(s.spare)):
        s.spare[kind] = p.kind_from[kind]
    s.cost[0] = notes.best[0]


@compiled_inside
def all_fit(p: Problem, s: Routes, notes: Notes) -> bool:
    """Whether the routes touched can be driven: by losing one visit, the next may have to set up itself."""
    for number in range(notes.counts[2]):
        end = p.jobs + p.people + notes.touched[number]
        fits = s.size[notes.touched[number]] == 0
        for clock in range(s.leave.shape[1]):
            fits = fits or s.leave[end, clock] <= s.reach[end, clock]
        if not fits:
            return False
    return True


@compiled_bare
def anneal(
    p: Problem,
    s: Routes,
    notes: Notes,
    tuning: Tuning,
    rounds: int,
    temperature: float,
    end: float,
) -> int:
    """Run `rounds` of ruin and recreate while it gets colder; give how many of them were kept."""
    kept = 0
    cooling = (end / temperature) ** (1.0 / rounds)
    for _ in range(rounds):
        notes.counts[0] += 1
        notes.counts[1] = 0
        notes.counts[2] = 0
        notes.counts[3] = 0
        delta = ruin(p, s, notes, tuning)
        sort_out(p, s, notes)
        delta += recreate(p, s, notes, tuning.blink)
        wanted = delta <= 0 or delta < -temperature * np.log(random(s) + 1e-300)
        if wanted and (not p.varied or all_fit(p, s, notes)):
            kept += 1
            s.cost[0] += delta
            if s.cost[0] < notes.best[0]:
                keep_best(s, notes)
        else:
            undo(p, s, notes)
        temperature *= cooling
    return kept
