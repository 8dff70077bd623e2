"""When each visit of an order can begin, with several breaks or traffic: more than the two clocks of `Day`.

Breaks come in their order, each on a drive, which it may interrupt, or right before or after one. For k
breaks k + 1 clocks run side by side, one for each number of breaks had: the earliest minute at which one can
be there with so many. Each break begins as soon as it may on the drive that it falls on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scheduler.pace import STEADY, Pace

NEVER = 1 << 40
Rest = tuple[int, int, int]
"""Earliest start, latest start, minutes. The breaks of a day are in order of both."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A visit: minutes of driving that lead to it, its windows (opens, closes) in order, minutes it takes."""

    drive: int
    windows: tuple[tuple[int, int], ...]
    stay: int


@dataclass(frozen=True, slots=True)
class Walk:
    """What has been done by `minute`: visits begun at `starts`, and breaks, each with its drive and start."""

    minute: int
    starts: tuple[int, ...] = ()
    rests: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class TooLate:
    """Nothing more is possible from the stop numbered `at` (None: the way home) on."""

    kind: Literal["window", "lunch", "shift"]
    at: int | None
    minute: int
    limit: int


def earliest(
    begin: int, rests: Sequence[Rest], stops: Sequence[Stop], home: int, limit: int, pace: Pace | None
) -> Walk | TooLate:
    """Make all stops and drive `home` minutes back by `limit`. Breaks that can wait are left out."""
    walks: list[Walk | None] = [Walk(begin), *[None] * len(rests)]
    for at, stop in enumerate(stops):
        there = _drive(walks, stop.drive, at, rests, pace)
        if isinstance(there, TooLate):
            return there
        walks = [walk and _visit(walk, stop) for walk in there]
        if not any(walks):
            first = min(walk.minute for walk in there if walk)
            return TooLate("window", at, first, stop.windows[-1][1])
    there = _drive(walks, home, len(stops), rests, pace)
    if isinstance(there, TooLate):
        return TooLate(there.kind, None, there.minute, there.limit)
    for walk, rest in zip(there, [*rests, None], strict=True):
        if walk and walk.minute <= min(rest[1] if rest else NEVER, limit):
            return walk
    last = there[-1]
    if last is None:
        late, by = next((walk, rest[1]) for walk, rest in zip(there, rests, strict=False) if walk)
        return TooLate("lunch", None, late.minute, by)
    return TooLate("shift", None, last.minute, limit)


def resting_on(
    begin: int,
    rests: Sequence[Rest],
    stops: Sequence[Stop],
    home: int,
    limit: int,
    pace: Pace | None,
    legs: Sequence[int],
) -> Walk | None:
    """The same with each of the first breaks on the drive that `legs` names, or None where that can't be."""
    walk = Walk(begin)
    for at, stop in enumerate([*stops, Stop(home, ((0, NEVER),), 0)]):
        due = rests[len(walk.rests) : sum(leg <= at for leg in legs)]
        there = with_rests(walk, stop.drive, at, due, pace)
        done = there and _visit(there, stop)
        if done is None:
            return None
        walk = done
    had = len(walk.rests)
    by = limit if had == len(rests) else min(limit, rests[had][1])
    return Walk(walk.minute, walk.starts[:-1], walk.rests) if walk.minute <= by else None


def _drive(
    walks: Sequence[Walk | None], minutes: int, leg: int, rests: Sequence[Rest], pace: Pace | None
) -> list[Walk | None] | TooLate:
    """Arrivals by every clock. A clock is over when the next break could no more begin."""
    alive = [
        walk if walk and (number == len(rests) or walk.minute <= rests[number][1]) else None
        for number, walk in enumerate(walks)
    ]
    if not any(alive):
        number, walk = next((n, w) for n, w in enumerate(walks) if w)
        return TooLate("lunch", leg, walk.minute, rests[number][1])
    there = [walk and with_rests(walk, minutes, leg, (), pace) for walk in alive]
    for number, begun in enumerate(alive):
        for until in range(number + 1, len(rests) + 1):
            one = begun and with_rests(begun, minutes, leg, rests[number:until], pace)
            known = there[until]
            if one and (known is None or one.minute < known.minute):
                there[until] = one
    return there


def with_rests(walk: Walk, minutes: int, leg: int, rests: Sequence[Rest], pace: Pace | None) -> Walk | None:
    """Drive for `minutes` by the matrix, and have these breaks on the way, each as soon as it may be; None
    where one would begin too late."""
    now, left, had = walk.minute, minutes * STEADY, walk.rests
    for soonest, latest, length in rests:
        begins = max(now, soonest)
        if begins > latest:
            return None
        left = max(0, left - (pace.driven(now, begins) if pace else STEADY * (begins - now)))
        now, had = begins + length, (*had, (leg, begins))
    return Walk(pace.arrival(now, left) if pace else now + left // STEADY, walk.starts, had)


def _visit(walk: Walk, stop: Stop) -> Walk | None:
    for opens, closes in stop.windows:
        if walk.minute <= closes:
            start = max(walk.minute, opens)
            return Walk(start + stop.stay, (*walk.starts, start), walk.rests)
    return None
