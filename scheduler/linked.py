"""Plan a day in which visits depend on each other.

The engine plans routes that know nothing of each other, so it is given days whose linked visits are held in
windows (scheduler/links.py, scheduler/standing.py). Here those windows are chosen:

1. The engine plans the day as though there were no links.
2. The linked visits are taken out of that plan and put back, a group after what it waits for: for each common
   minute the cheapest technicians, all different, are found exactly.
3. By turns, the engine improves the whole day within the windows, and sets of linked visits are taken out,
   with some others near them, and put back at other minutes; what gets dearer is undone.

No step ever leaves a link broken, so it can end at any moment with the best plan so far.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from heapq import nsmallest
from itertools import pairwise
from typing import TYPE_CHECKING

from scheduler.baseline import Orders, keep_feasible
from scheduler.duty import home_by
from scheduler.links import SHUT, Links
from scheduler.standing import Standing, settled
from scheduler.timing import NEVER, Day, Misfit

if TYPE_CHECKING:
    from scheduler.engine.search import Budget

PLACES_TRIED = 60  # places of least detour at which a linked visit is tried
PLACES_BY_CHANCE = 24  # the same where sets are put back by chance
MINUTES_TRIED = 24  # common minutes of a group for which technicians are sought
TURNS = 6  # of the engine within windows
SHARE_WITHOUT_LINKS = 0.3  # of the effort, for the first plan
SHARE_OF_PLACES = 0.25  # of each turn's time, for other minutes
MOVES_MAX = 400  # in one turn
OVERLOOKED = (0.0, 0.05, 0.2, 0.4)  # of the places, likewise
LOSS = 0.03  # of what the routes cost: so much dearer may plans be on the way to a better one, at first
STRIPPED_MAX = 6  # visits without links taken out together with a linked set

Engine = Callable[[Day, Orders, float, bool], Orders]
"""(day, feasible orders to begin from, share of the whole effort, whether to stay near them) → orders that
fit."""


@dataclass(frozen=True, slots=True)
class Way:
    """A visit at a place of a route: what it adds there in cents, at its earliest minute."""

    added: int
    start: int
    person: int
    position: int


@dataclass(frozen=True, slots=True)
class Placing:
    """Where all jobs of an atom go, in the atom's order; `added` is what it costs, in cents."""

    added: int
    ways: tuple[Way, ...]


@dataclass(slots=True, kw_only=True)
class Effort:
    """engine: what improves a day within windows. moves: tries of other minutes in each turn, when time is
    not what counts. left: share of the time still to come, from 1 to 0; ended: whether to stop at once."""

    engine: Engine
    moves: int | None
    left: Callable[[], float]
    ended: Callable[[], bool]
    seed: int = 0
    found: Callable[[int], None] = lambda cost: None


def at_once(day: Day, links: Links, orders: Sequence[Sequence[int]]) -> Standing:
    """`orders` (feasible, links aside) with every linked set put where it adds least."""
    standing = settled(day, links, [[n for n in order if n not in links.jobs] for order in orders])
    return with_missing(standing)


def improved(
    day: Day, links: Links, start: Standing, *, warm: bool, effort: Effort, turns: int = TURNS
) -> Standing:
    """The best plan found; never dearer than `start`. warm: people know `start`."""
    chance = random.Random(effort.seed)
    best = start
    if not warm:
        nothing: Orders = [[] for _ in start.orders]
        orders = effort.engine(_without_links(start), nothing, SHARE_WITHOUT_LINKS, False)
        free = at_once(day, links, orders)
        best = min(best, free, key=_total)
        effort.found(best.total)
    whole = 1.0 if warm else 1 - SHARE_WITHOUT_LINKS
    share = whole / turns
    for turn in range(turns):
        if effort.ended():
            break
        cost = best.total
        part = min(share * (1 - SHARE_OF_PLACES), effort.left())
        standing = best = _engines_turn(best, effort, part, chance, turn)
        # So much dearer may a plan be on the way to a better one; less and less.
        loss = LOSS * sum(best.costs) * (1 - turn / turns)
        until = whole - share * (turn + 1)
        for _ in range(MOVES_MAX if effort.moves is None else effort.moves):
            if effort.ended() or (effort.moves is None and effort.left() <= until):
                break
            other = _moved(standing, chance)
            if other is not None and other.total <= best.total + loss * chance.random():
                standing = other
                best = min(best, standing, key=_total)
        if best.total < cost:
            effort.found(best.total)
    return min(best, with_missing(best.copied()), key=_total)  # by chance a place may have been overlooked


def moves_for(rounds: int) -> int:
    """So many moves in each turn where so many rounds of the engine are asked for."""
    return max(8, min(MOVES_MAX, rounds // 40))


def _total(standing: Standing) -> int:
    return standing.total


def with_least_change(
    day: Day,
    links: Links,
    orders: Sequence[Sequence[int]],
    budget: "Budget",
    search: Callable[[Day, Orders, "Budget", bool], Orders],
    seed: int,
) -> Standing:
    """The plan of `orders`, of which the jobs' `previous_start` say the minutes, with what is missing put in.

    One turn: what must move little is soon found.
    """
    told = {n: start for n in links.jobs if (start := day.jobs[n].previous_start) is not None}
    standing = with_missing(settled(day, links, orders, told))

    def engine(held: Day, begun: Orders, share: float, near: bool) -> Orders:
        part = replace(
            budget,
            seconds=budget.seconds * share,
            rounds=None if budget.rounds is None else max(1, int(budget.rounds * share)),
            began=budget.clock(),
        )
        return keep_feasible(held, search(held, keep_feasible(held, begun), part, near))

    def left() -> float:
        return 1.0 if budget.rounds is not None else max(0.0, 1 - budget.elapsed / max(1e-9, budget.seconds))

    effort = Effort(
        engine=engine,
        moves=None if budget.rounds is None else moves_for(budget.rounds),
        left=left,
        ended=lambda: left() <= 0,
        seed=seed,
    )
    return improved(day, links, standing, warm=True, effort=effort, turns=1)


def _without_links(standing: Standing) -> Day:
    day = copy(standing.day)
    day.windows = list(standing.base)
    day.open_jobs = tuple(n for n in day.open_jobs if day.windows[n] != SHUT)
    return day


def _engines_turn(
    standing: Standing, effort: Effort, share: float, chance: random.Random, turn: int
) -> Standing:
    """Let the engine improve the day within windows around the present minutes."""
    links = standing.links
    way = chance.random()
    # The first turn lets each visit before use the slack; later ones part it by chance.
    standing.hold_all((lambda slack: 0) if turn == 0 else (lambda slack: round(slack * way)))
    day = copy(standing.day)
    planned = set(standing.starts)
    day.open_jobs = tuple(n for n in day.open_jobs if n not in links.jobs or n in planned)
    day.undone = list(day.undone)
    for n in planned:
        day.undone[n] = sum(standing.day.undone[m] for m in links.falling_with(n) if m in planned)
    found = settled(standing.day, links, effort.engine(day, standing.orders, share, True))
    standing.hold_all()
    found = with_missing(found)
    return found if found.total <= standing.total else standing


def with_missing(standing: Standing, chance: random.Random | None = None, patience: float = 0.0) -> Standing:
    """Put in what is left out and pays: linked sets first, the dearest first; or by chance."""
    links, undone = standing.links, standing.day.undone
    placed = {n for order in standing.orders for n in order}
    missing = [
        atoms for atoms in links.components() if any(n not in standing.starts for atom in atoms for n in atom)
    ]
    missing.sort(key=lambda atoms: (-sum(undone[n] for atom in atoms for n in atom), atoms))
    loose = [n for n in standing.day.open_jobs if n not in placed and n not in links.jobs]
    loose.sort(key=lambda n: (-undone[n], n))
    turns = [*missing, *(((n,),) for n in loose)]
    at_last = False
    if chance:
        chance.shuffle(turns)
        at_last = chance.random() < 0.5
    for atoms in turns:
        if atoms[0][0] in links.jobs:
            standing = _with_set(standing, atoms, chance, patience, at_last)
        else:
            put_in(standing, atoms[0], chance=chance)
    for atoms in missing if at_last else ():
        _drop_unpaid(standing, atoms)  # one set alone may not pay, but with the next one on the same way
    return standing


def _with_set(
    standing: Standing,
    atoms: Sequence[tuple[int, ...]],
    chance: random.Random | None,
    patience: float,
    whatever: bool,
) -> Standing:
    """The standing with those of `atoms` that it lacks, as many as pay; early where the cheapest place leaves
    what waits no time. whatever: also those that don't pay."""
    ways = [patience] if patience else [0.0, 30.0, 1000.0] if len(atoms) > 1 else [0.0]
    best: Standing | None = None if whatever else standing
    # Whom somebody may not keep waiting for long must not begin too early.
    links = standing.links
    soon = {gap.other for atom in atoms for n in atom for gap in links.ahead.get(n, ()) if gap.most < NEVER}
    least = {n: links.likely[n][0] for n in soon if n not in links.facts}
    for minute_costs in ways:
        other = standing.copied()
        for atom in atoms:
            if any(n not in other.starts for n in atom):
                # First where all that waits for it has time; if it has none, where there is any.
                for mindful in (True, False) if len(atoms) > 1 else (False,):
                    if put_in(
                        other, atom, patience=minute_costs, whatever=True, chance=chance, mindful=mindful
                    ):
                        break
                if atom == atoms[-1]:
                    break
                earlier = other.copied()
                if earlier.settle(least) is None:
                    other = earlier
        if not whatever:
            _drop_unpaid(other, atoms)
        if best is None or other.total < best.total:
            best = other
        if all(n in other.starts for atom in atoms for n in atom) and best is other:
            break
    return best or standing


def _drop_unpaid(standing: Standing, atoms: Sequence[tuple[int, ...]]) -> None:
    """Leave out, from the last on, what nobody waits for and what costs more than its worth."""
    links = standing.links
    for atom in reversed(atoms):
        falling = links.falling_with(atom[0])
        if atom[0] not in standing.starts or any(n in standing.starts for n in falling - set(atom)):
            continue
        routes = [
            cost
            for order, cost in zip(standing.orders, standing.costs, strict=True)
            if any(n in order for n in atom)
        ]
        if sum(standing.day.undone[n] for n in atom) >= sum(routes):
            continue  # no more than this could be saved
        other = standing.copied()
        other.take_out(set(atom))
        if _again(other) and other.total < standing.total:
            standing.orders, standing.costs, standing.known = other.orders, other.costs, other.known
            standing.starts, standing.day = other.starts, other.day


def _again(standing: Standing) -> bool:
    """Settle after a change; False where it can't be."""
    least = dict(standing.starts)
    return standing.settle() is None or standing.settle(least) is None


def _moved(standing: Standing, chance: random.Random) -> Standing | None:
    """Take a linked set out, with some visits near it, and put all of it back elsewhere."""
    links, day = standing.links, standing.day
    sets = links.components()
    atoms = chance.choice(sets)
    other = standing.copied()
    gone = {n for atom in atoms for n in atom}
    if len(atoms) > 1 and chance.random() < 0.5:
        gone = links.falling_with(chance.choice(sorted(gone)))
    near = chance.choice(sorted(gone))
    people = [person for person, order in enumerate(other.orders) if order]
    many = chance.randint(0, STRIPPED_MAX)
    if people and many:
        place = day.jobs[near].place
        loose = [n for person in people for n in other.orders[person] if n not in links.jobs]
        picked = nsmallest(
            many, loose, key=lambda n: (day.drive_cost[place][day.jobs[n].place] * (0.5 + chance.random()), n)
        )
        gone.update(picked)
    if len(sets) > 1 and chance.random() < 0.3:
        gone.update(n for atom in chance.choice(sets) for n in atom)
    other.take_out(gone)
    if not _again(other):
        return None
    patience = chance.choice([0.0, 0.0, 10.0, 50.0, 1000.0]) if len(atoms) > 1 else 0.0
    other = with_missing(other, chance, patience)
    # What was put in may let the others begin earlier than at first.
    early = other.copied()
    return early if early.settle() is None and early.total <= other.total else other


def put_in(
    standing: Standing,
    atom: tuple[int, ...],
    *,
    patience: float = 0.0,
    whatever: bool = False,
    mindful: bool = False,
    chance: random.Random | None = None,
) -> bool:
    """Put the jobs of `atom` in where they add least; nothing changes where they can't be or, unless
    `whatever`, don't pay.

    patience: cents that each minute of a later begin counts, to leave time to what waits. chance: a good
    place is overlooked now and then. mindful: only at minutes that leave time to what waits.
    """
    day = standing.day
    placing = cheapest_placing(standing, atom, patience=patience, mindful=mindful, chance=chance)
    if placing is None or (not whatever and placing.added >= sum(day.undone[n] for n in atom)):
        return False
    start = max(way.start for way in placing.ways)
    for n, way in zip(atom, placing.ways, strict=True):
        standing.orders[way.person].insert(way.position, n)
        if n in standing.links.jobs:
            standing.hold(n, start, start)
    _pin_neighbours(standing, atom)
    for way in placing.ways:
        if not standing.time(way.person):
            raise ValueError(f"a way to put in {day.jobs[atom[0]].id} that was found does not fit")
    standing.hold_all()
    return True


def _pin_neighbours(standing: Standing, atom: Sequence[int]) -> None:
    """Whoever the atom waits for, or who waits for it, keeps the present minute."""
    for n in atom:
        for gap in (*standing.links.ahead.get(n, ()), *standing.links.behind.get(n, ())):
            if gap.other in standing.starts:
                standing.hold(gap.other, standing.starts[gap.other], standing.starts[gap.other])


def cheapest_placing(
    standing: Standing,
    atom: tuple[int, ...],
    *,
    patience: float = 0.0,
    mindful: bool = False,
    chance: random.Random | None = None,
) -> Placing | None:
    """Where the jobs of `atom`, none of them planned, add least; everybody else keeps within the windows."""
    links = standing.links
    if any(
        gap.other not in standing.starts and gap.other not in links.facts
        for n in atom
        for gap in links.ahead.get(n, ())
    ):
        return None
    _pin_neighbours(standing, atom)
    limits = [links.bounds(n, standing.starts) for n in atom]
    earliest = max(bounds.earliest for bounds in limits)
    latest = min(bounds.latest for bounds in limits)
    if mindful:
        earliest = max(earliest, *(links.likely[n][0] for n in atom))
        latest = min(latest, *(links.likely[n][1] for n in atom))
    try:
        ways = []
        for n in atom:
            standing.hold(n, earliest, latest)
            ways.append(_ways(standing, n, chance))
            if not ways[-1]:
                return None
        if len(atom) == 1:
            best = min(ways[0], key=lambda way: (way.added + patience * way.start, way.person, way.position))
            return Placing(best.added, (best,))
        return _together(standing, atom, ways, latest, patience)
    finally:
        for n in atom:
            standing.hold(n, 0, NEVER)
        standing.hold_all()


def _ways(standing: Standing, job: int, chance: random.Random | None) -> list[Way]:
    """The places of least detour where `job` fits, within its window as it is."""
    found = []
    overlooked = chance.choice(OVERLOOKED) if chance else 0.0
    most = PLACES_BY_CHANCE if chance else PLACES_TRIED
    for _, person, position in nsmallest(most, _detours(standing, job)):
        if chance and chance.random() < overlooked:
            continue
        way = _way(standing, job, person, position)
        if way is not None:
            found.append(way)
    return found


def _way(standing: Standing, job: int, person: int, position: int) -> Way | None:
    order = standing.orders[person]
    timed = standing.day.timed(person, [*order[:position], job, *order[position:]])
    if isinstance(timed, Misfit):
        return None
    times, cost = timed
    return Way(cost.total - standing.costs[person], times.starts[position], person, position)


def _detours(standing: Standing, job: int) -> Iterator[tuple[int, int, int]]:
    """(cents of driving, technician, position) of every place."""
    day = standing.day
    here = day.jobs[job].place
    earliest, latest = day.windows[job][0][0], day.windows[job][-1][1]
    for person, order in enumerate(standing.orders):
        origin = day.origins[person]
        if latest < origin.minute or earliest > home_by(day.technicians[person]):
            continue
        if not day.may_go(person, job) or not day.parts_suffice(person, [*order, job], standing.orders):
            continue
        extra = day.policy.extra(day.technicians[person], day.jobs[job])
        stops = [
            origin.place, *(day.jobs[n].place for n in order), day.technicians[person].end_place
        ]  # fmt: skip
        for position, (before, after) in enumerate(pairwise(stops)):
            straight = day.drive_cost[before][after] if order or origin.begun else 0
            yield (
                day.drive_cost[before][here] + day.drive_cost[here][after] - straight + extra,
                person,
                position,
            )


def _together(
    standing: Standing, atom: tuple[int, ...], ways: Sequence[Sequence[Way]], latest: int, patience: float
) -> Placing | None:
    """The cheapest common minute, and a technician each. No minute between two earliest ones is cheaper."""
    first = max(min(way.start for way in of_job) for of_job in ways)
    opens = {opening for n in atom for opening, _ in standing.base[n]}
    minutes = {way.start for of_job in ways for way in of_job} | opens
    bounds = []
    for minute in sorted(m for m in minutes if first <= m <= latest):
        least = sum(min(way.added for way in of_job if way.start <= minute) for of_job in ways)
        bounds.append((least + patience * minute, minute))
    best: Placing | None = None
    for bound, minute in nsmallest(MINUTES_TRIED, bounds):
        if best is not None and bound >= best.added + patience * best.ways[0].start:
            break
        found = _at(standing, atom, ways, minute)
        if found is not None and (
            best is None or (found.added + patience * minute) < best.added + patience * best.ways[0].start
        ):
            best = found
    return best


def _at(
    standing: Standing, atom: tuple[int, ...], ways: Sequence[Sequence[Way]], minute: int
) -> Placing | None:
    """The cheapest choice of different technicians who can all begin at `minute`."""
    options: list[list[Way]] = []
    for n, of_job in zip(atom, ways, strict=True):
        standing.hold(n, minute, minute)
        best: dict[int, Way] = {}
        for way in sorted((w for w in of_job if w.start <= minute), key=lambda w: (w.added, w.person)):
            known = best.get(way.person)
            if known is None and len(best) >= len(atom):
                break  # so many technicians are enough: the others of the group can't take them all
            if known is not None and known.added <= way.added:
                continue
            now = _way(standing, n, way.person, way.position)
            if now is not None and (known is None or now.added < known.added):
                best[way.person] = now
        options.append(sorted(best.values(), key=lambda w: (w.added, w.person)))
    chosen = _different(options, standing.day.van, (), None)
    return None if chosen is None else Placing(sum(way.added for way in chosen), chosen)


def _different(
    options: Sequence[Sequence[Way]],
    van: Sequence[int],
    taken: tuple[Way, ...],
    best: tuple[Way, ...] | None,
) -> tuple[Way, ...] | None:
    """The cheapest choice of one way from each of `options`, no van, and so nobody, twice."""
    if len(taken) == len(options):
        return taken
    for way in options[len(taken)]:
        spent = sum(w.added for w in taken) + way.added
        if best is not None and spent + sum(o[0].added for o in options[len(taken) + 1 :]) >= sum(
            w.added for w in best
        ):
            break
        if all(van[way.person] != van[other.person] for other in taken):
            best = _different(options, van, (*taken, way), best) or best
    return best
