"""The technician's own day and the times of one visit, in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from uuid import UUID

from mobile import words
from shared.timesheet import Activity, DaySheet, Stretch, corrections, points, recorded, stands
from shared.work_orders import TimePoint, VisitTimes, WorkOrder

Clock = Callable[[datetime], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRow:
    """One stretch of the day: `08:00–09:00`, what it was and how long, which job."""

    work_order_id: UUID
    activity: Activity
    span: str
    title: str
    detail: str

    @property
    def label(self) -> str:
        return words.listed([self.span, self.title, self.detail])


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRow:
    """One time of a visit. `tapped`: what was recorded, where another value counts now."""

    point: TimePoint
    pause: int | None
    title: str
    value: datetime
    shown: str
    said: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.point.value} {'' if self.pause is None else self.pause}".strip()

    @property
    def label(self) -> str:
        return words.listed([self.title, self.shown])


def day_rows(sheet: DaySheet, clock: Clock) -> tuple[TimeRow, ...]:
    return tuple(_time_row(one, clock) for one in sheet.stretches)


def _time_row(one: Stretch, clock: Clock) -> TimeRow:
    end = words.GOES_ON if one.open else clock(one.end)
    return TimeRow(
        work_order_id=one.work_order_id,
        activity=one.activity,
        span=words.from_to(clock(one.start), end),
        title=words.ACTIVITIES[one.activity],
        detail=words.listed([words.duration(one.minutes), one.number]),
    )


def totals(sheet: DaySheet) -> tuple[tuple[str, str], ...]:
    """(what, how long), the sum last."""
    return (
        *((words.ACTIVITIES[one], words.duration(sheet.minutes(one))) for one in Activity),
        (words.TOTAL, words.duration(sheet.minutes())),
    )


def point_rows(times: VisitTimes, clock: Clock) -> tuple[PointRow, ...]:
    """All that one may correct, in the order of the visit."""
    return tuple(_point_row(times, point, pause, clock) for point, pause in points(times))


def _point_row(times: VisitTimes, point: TimePoint, pause: int | None, clock: Clock) -> PointRow:
    first, value = recorded(times, point, pause), stands(times, point, pause)
    assert first is not None and value is not None, "it is one of the visit's points"
    said = corrections(times, point, pause)
    lines = [words.said_since(clock(one.value), clock(one.at), one.reason) for one in reversed(said)]
    if said:
        lines.append(words.tapped(clock(first)))
    title = words.POINTS[point]
    if pause is not None and len(times.pauses) > 1:
        title = words.nth(title, pause + 1)
    return PointRow(point=point, pause=pause, title=title, value=value, shown=clock(value), said=tuple(lines))


def corrected_lines(order: WorkOrder, clock: Clock) -> tuple[str, ...]:
    """Both values of each corrected time of the present visit."""
    return tuple(
        words.corrected(order.number, row.title, row.said)
        for row in point_rows(order.times, clock)
        if row.said
    )


def typed_time(text: str, near: datetime, zone: tzinfo | None) -> datetime | None:
    """`9:20`, `9.20` or `0920` on the day that brings it nearest to `near`; None for what is no time."""
    plain = re.sub(r"[\s\u061c\u200e\u200f]", "", text)
    found = re.fullmatch(r"(\d{1,2})[:.,h](\d{2})", plain) or re.fullmatch(r"(\d{2})(\d{2})", plain)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    local = near.astimezone(zone)
    chosen = datetime.combine(local.date(), time(int(found[1]), int(found[2])), local.tzinfo)
    for days in (-1, 1):
        other = chosen + timedelta(days=days)
        if abs(other - local) < abs(chosen - local) - timedelta(minutes=1):
            chosen = other
    return chosen
