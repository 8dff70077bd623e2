"""Breaks of a shift beside lunch: said by the office, put into the request, found again in the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

from pydantic import Field

from scheduler.request import InvalidRequest, Lunch, Technician
from server.dispatch.day_clock import DayClock
from server.dispatch.models import TechnicianRow
from shared.problems import BadValue

Whole = Annotated[int, Field(strict=True)]
BREAKS_MAX = 4
MINUTES_MAX = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Begins between two minutes after midnight by the clock on the wall, both included."""

    from_minute: Whole
    until_minute: Whole
    minutes: Whole


def breaks_of(row: TechnicianRow) -> tuple[Break, ...]:
    return tuple(Break(**one) for one in row.breaks or ())


def to_json(breaks: Sequence[Break]) -> list[dict[str, Any]]:
    return [asdict(one) for one in breaks]


def checked(row: TechnicianRow, breaks: Sequence[Break]) -> tuple[Break, ...]:
    """`breaks` in the order of the day. Raises BadValue where they don't fit into the shift beside lunch."""
    if len(breaks) > BREAKS_MAX:
        raise BadValue(f"No more than {BREAKS_MAX} breaks a shift", field="breaks")
    ordered = sorted(breaks, key=lambda one: (one.from_minute, one.until_minute))
    for one in ordered:
        if not 1 <= one.minutes <= MINUTES_MAX:
            raise BadValue(f"A break lasts 1 to {MINUTES_MAX} minutes", field="minutes")
        if not 0 <= one.from_minute <= one.until_minute <= 2 * 24 * 60:
            raise BadValue("The latest start of a break is no earlier than its earliest", field="breaks")
    if len({one.from_minute for one in ordered}) < len(ordered):
        raise BadValue("Two breaks can't have the same earliest start", field="breaks")
    lunch = None
    if row.lunch_minutes > 0 and row.lunch_from_minute is not None and row.lunch_until_minute is not None:
        lunch = Lunch(
            earliest=row.lunch_from_minute, latest=row.lunch_until_minute, minutes=row.lunch_minutes
        )
    try:
        Technician(
            id=row.name.strip() or "Nameless",
            start_place=0,
            end_place=0,
            shift_start=row.shift_start_minute,
            shift_end=row.shift_end_minute,
            lunch=lunch,
            breaks=tuple(_as_lunch(one) for one in ordered),
        )
    except InvalidRequest:
        said = f"The breaks and lunch of {row.name} do not fit into the shift one after another"
        raise BadValue(said, field="breaks") from None
    return tuple(ordered)


def in_the_shift(row: TechnicianRow, one: Break) -> Break:
    """`one` as a clock shows it, in a shift that may go on over midnight: then it may be on the day after."""
    if row.shift_end_minute <= 24 * 60 or one.from_minute >= row.shift_start_minute:
        later = 24 * 60 if one.until_minute < one.from_minute and row.shift_end_minute > 24 * 60 else 0
        return replace(one, until_minute=one.until_minute + later)
    return replace(one, from_minute=one.from_minute + 24 * 60, until_minute=one.until_minute + 24 * 60)


def _as_lunch(one: Break) -> Lunch:
    return Lunch(earliest=one.from_minute, latest=one.until_minute, minutes=one.minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is still to come of a day's breaks, each with the `from_minute` it is known by; and what was had:
    that minute → the day's minute at which it began. until: when the last of these ends.
    """

    breaks: tuple[tuple[int, Lunch], ...] = ()
    had: Mapping[int, int] = field(default_factory=dict)
    until: int = 0


def due(
    row: TechnicianRow,
    clock: DayClock,
    *,
    planned: Mapping[int, int],
    shift: tuple[int, int],
    now: int,
    begun: Sequence[tuple[int, int]],
) -> Due:
    """planned: `from_minute` → the minute by the plan in force. begun: (start, minutes) of visits."""
    left: list[tuple[int, Lunch]] = []
    had: dict[int, int] = {}
    until = 0
    for one in breaks_of(row):
        start = planned.get(one.from_minute)
        if start is not None and start <= now and not _worked(start, one.minutes, begun, now):
            had[one.from_minute] = start
            until = max(until, start + one.minutes)
            continue
        earliest, latest = clock.of_wall(one.from_minute), clock.of_wall(one.until_minute)
        fits = shift[0] <= latest and earliest + one.minutes <= shift[1]
        if fits and (now <= latest or start is not None):
            left.append((one.from_minute, Lunch(earliest=earliest, latest=latest, minutes=one.minutes)))
    return Due(breaks=tuple(left), had=had, until=until)


def _worked(start: int, minutes: int, begun: Sequence[tuple[int, int]], now: int) -> bool:
    until = min(start + minutes, now)
    return any(at < until and start < at + length for at, length in begun)


def with_breaks(
    person: Technician, breaks: Sequence[tuple[int, Lunch]]
) -> tuple[Technician, tuple[int, ...]]:
    """`person` with as many of the breaks as fit into what is left of the shift, and their names."""
    names: tuple[int, ...] = ()
    for name, one in breaks:
        try:
            person, names = replace(person, breaks=(*person.breaks, one)), (*names, name)
        except InvalidRequest:
            continue  # there is no time for it any more
    return person, names
