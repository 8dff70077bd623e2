"""A route at times that somebody has chosen, where more than lunch tells the time: setups, breaks, traffic.

Every break is put on the first drive that leaves it room and makes nobody wait. One that has no room is shown
where it would be due, and the checker says what is wrong with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from scheduler.duty import setup_after
from scheduler.pace import STEADY, Pace
from scheduler.request import Job, Lunch, PlanRequest, Technician


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """arrives, ends: of each visit that has not begun. leave: when to set off for the first of them."""

    leave: int
    arrives: tuple[int, ...]
    ends: tuple[int, ...]
    back: int
    rests: tuple[tuple[Lunch, int], ...]


@dataclass(slots=True)
class _Leg:
    """One drive with the breaks put on it. `ready`: when work could begin after it."""

    arrive: int
    ready: int
    begins: list[int] = field(default_factory=list)


def is_varied(request: PlanRequest, person: Technician, stops: Sequence[tuple[int, Job]]) -> bool:
    return bool(request.pace or person.breaks or any(job.setup_minutes for _, job in stops))


def timed(
    request: PlanRequest,
    person: Technician,
    begun: Sequence[tuple[int, Job]],
    ahead: Sequence[tuple[int, Job]],
    free_from: int,
) -> Timed:
    """The times of a route; `begun` and `ahead` are (start, job), each in order."""
    pace = Pace(request.pace) if request.pace else None
    last = begun[-1][1] if begun else None
    place, site, had = (last.place, last.place, last.setup_minutes) if last else (person.start_place, None, 0)
    due, rests = list(person.rests), []
    freed, arrives, ends = free_from, [], []
    leave = free_from
    for number, (start, job) in enumerate(ahead):
        drive = request.travel.minutes(place, job.place)
        leg, some = _fitted(freed, drive, due, start, free_from, pace)
        rests += list(zip(some, leg.begins, strict=True))
        due = due[len(some) :]
        if not number and not some:
            departs = pace.departure(start, drive * STEADY) if pace else start - drive
            leave = max(free_from, departs)
        arrives.append(min(start, leg.arrive))
        freed = start + job.minutes + setup_after(job, site, had)
        ends.append(freed)
        place, site, had = job.place, job.place, job.setup_minutes
    back, begins = _home(freed, request.travel.minutes(place, person.end_place), due, free_from, pace)
    rests += list(zip(due, begins, strict=True))
    return Timed(leave=leave, arrives=tuple(arrives), ends=tuple(ends), back=back, rests=tuple(rests))


def _fitted(
    freed: int, drive: int, due: Sequence[Lunch], until: int, free_from: int, pace: Pace | None
) -> tuple[_Leg, Sequence[Lunch]]:
    """The drive with as many of the breaks `due` as leave work its beginning at `until`."""
    for count in range(len(due), 0, -1):
        leg = _drive(freed, drive, due[:count], free_from, pace)
        if leg is not None and leg.ready <= until:
            return leg, due[:count]
    leg = _drive(freed, drive, (), free_from, pace)
    assert leg is not None  # without a break nothing is too late
    return leg, ()


def _home(
    freed: int, drive: int, due: Sequence[Lunch], free_from: int, pace: Pace | None
) -> tuple[int, list[int]]:
    """When one is back, and when each break `due` begins: as many as can wait are had at home."""
    for count in range(len(due) + 1):
        leg = _drive(freed, drive, due[:count], free_from, pace)
        if leg is None:
            break
        begins, minute, late = list(leg.begins), leg.ready, False
        for rest in due[count:]:
            begins.append(max(minute, rest.earliest))
            late = late or begins[-1] > max(rest.latest, free_from)
            minute = begins[-1] + rest.minutes
        if not late:
            return leg.arrive, begins
    leg = _drive(freed, drive, (), free_from, pace)
    assert leg is not None
    # No room: each is shown where it would be due.
    return leg.arrive, [max(rest.earliest, min(rest.latest, freed)) for rest in due]


def _drive(freed: int, drive: int, rests: Sequence[Lunch], free_from: int, pace: Pace | None) -> _Leg | None:
    """Drive for `drive` minutes by the matrix, `rests` on the way or after it; None where one is late."""
    now, left, arrive, begins = freed, drive * STEADY, None, []
    for rest in rests:
        there = _over(now, left, pace)
        begins.append(max(now, rest.earliest))
        if begins[-1] > max(rest.latest, free_from):
            return None
        if arrive is None and there <= begins[-1]:
            arrive, left = there, 0
        elif arrive is None:
            left -= pace.driven(now, begins[-1]) if pace else STEADY * (begins[-1] - now)
        now = begins[-1] + rest.minutes
    there = _over(now, left, pace)
    return _Leg(there if arrive is None else arrive, there, begins)


def _over(now: int, left: int, pace: Pace | None) -> int:
    return pace.arrival(now, left) if pace else now + left // STEADY
