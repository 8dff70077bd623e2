"""Where a visit's time went: travel, work and pauses, by what was recorded and what was corrected since.

Times are cut to the whole minute before anything is counted, so that what a person adds up from the clock
times on the screen is the sum below them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from uuid import UUID

from shared.work_orders import TimeCorrection, TimePoint, VisitTimes, WorkOrder

MINUTE = timedelta(minutes=1)


class Activity(StrEnum):
    TRAVEL = "travel"
    WORK = "work"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """From whole minute to whole minute, UTC."""

    activity: Activity
    start: datetime
    end: datetime

    @property
    def minutes(self) -> int:
        return (self.end - self.start) // MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch(Segment):
    """A segment of the visit `work_order_id`. `open`: it goes on at this moment."""

    work_order_id: UUID
    number: str
    open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySheet:
    """One technician's day. No minute counts twice: of two visits at once the one that began first has it."""

    day: date
    stretches: tuple[Stretch, ...]

    def minutes(self, *activities: Activity) -> int:
        """Of some activities, or of all."""
        return sum(one.minutes for one in self.stretches if not activities or one.activity in activities)


def recorded(times: VisitTimes, point: TimePoint, pause: int | None = None) -> datetime | None:
    """As it was tapped, by the corrected clock."""
    match point:
        case TimePoint.TRAVEL_STARTED:
            return times.travel_started_at
        case TimePoint.ARRIVED:
            return times.arrived_at
        case TimePoint.FINISHED:
            return times.finished_at
    if pause is None or not 0 <= pause < len(times.pauses):
        return None
    found = times.pauses[pause]
    return found.started_at if point is TimePoint.PAUSE_STARTED else found.ended_at


def corrections(times: VisitTimes, point: TimePoint, pause: int | None = None) -> tuple[TimeCorrection, ...]:
    """Of one time, in the order in which they were made; the last one counts."""
    found = [one for one in times.corrections if (one.point, one.pause) == (point, pause)]
    return tuple(sorted(found, key=lambda one: one.at))


def stands(times: VisitTimes, point: TimePoint, pause: int | None = None) -> datetime | None:
    """The value that counts: the newest correction, else what was recorded; None where nothing was."""
    first = recorded(times, point, pause)
    said = corrections(times, point, pause)
    return said[-1].value if first is not None and said else first


def points(times: VisitTimes) -> tuple[tuple[TimePoint, int | None], ...]:
    """All times that this visit has, in the order in which they usually come."""
    pauses = [
        (point, number)
        for number in range(len(times.pauses))
        for point in (TimePoint.PAUSE_STARTED, TimePoint.PAUSE_ENDED)
    ]
    known = [(TimePoint.TRAVEL_STARTED, None), (TimePoint.ARRIVED, None), *pauses, (TimePoint.FINISHED, None)]
    return tuple((point, number) for point, number in known if recorded(times, point, number) is not None)


def segments(times: VisitTimes, now: datetime) -> tuple[Segment, ...]:
    """The visit in pieces; what is not over goes on until `now`."""
    set_out = stands_to_the_minute(times, TimePoint.TRAVEL_STARTED)
    arrived = stands_to_the_minute(times, TimePoint.ARRIVED)
    end = stands_to_the_minute(times, TimePoint.FINISHED) or _cut(now)
    pauses = []
    for number in range(len(times.pauses)):
        start = stands_to_the_minute(times, TimePoint.PAUSE_STARTED, number)
        assert start is not None, "a pause has begun"
        stop = stands_to_the_minute(times, TimePoint.PAUSE_ENDED, number) or end
        pauses.append(Segment(activity=Activity.PAUSE, start=start, end=stop))
    begin = set_out or arrived
    if begin is None:
        return ()
    spans = [Segment(activity=Activity.WORK, start=arrived, end=end)] if arrived else []
    if set_out:
        spans.insert(0, Segment(activity=Activity.TRAVEL, start=set_out, end=arrived or end))
    pauses = [replace(one, start=max(one.start, begin), end=min(one.end, end)) for one in pauses]
    pieces = [*pauses, *(piece for span in spans for piece in _without(span, pauses))]
    return tuple(sorted((one for one in pieces if one.end > one.start), key=lambda one: one.start))


def _without(span: Segment, pauses: Iterable[Segment]) -> list[Segment]:
    left = [span]
    for pause in pauses:
        left = (
            [
                piece
                for whole in left
                for piece in (
                    replace(whole, end=min(whole.end, pause.start)),
                    replace(whole, start=max(whole.start, pause.end)),
                )
                if piece.end > piece.start
            ]
            if pause.end > pause.start
            else left
        )
    return left


def stands_to_the_minute(times: VisitTimes, point: TimePoint, pause: int | None = None) -> datetime | None:
    """As people read and type it: seconds are nobody's."""
    at = stands(times, point, pause)
    return _cut(at) if at else None


def _cut(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def _goes_on(times: VisitTimes, activity: Activity) -> bool:
    """Whether that is what the visit is at: who pauses now works no more, though the minute is the same."""
    rests = bool(times.pauses) and times.pauses[-1].ended_at is None
    return times.finished_at is None and (activity is Activity.PAUSE) == rests


def visits_of(order: WorkOrder, technician_id: UUID) -> tuple[VisitTimes, ...]:
    """This technician's visits to a job: those before it was reopened, and the present one."""
    return tuple(
        times for times in (*order.earlier_visits, order.times) if times.technician_id == technician_id
    )


def day_span(day: date, zone: tzinfo | None) -> tuple[datetime, datetime]:
    """From midnight to midnight, UTC: 23 or 25 hours where clocks change. No zone: the device's own."""

    def midnight(of: date) -> datetime:
        local = datetime.combine(of, time(), zone)
        return local.astimezone(UTC)

    return midnight(day), midnight(day + timedelta(days=1))


def day_sheet(
    orders: Iterable[WorkOrder], technician_id: UUID, day: date, zone: tzinfo | None, now: datetime
) -> DaySheet:
    """What of `technician_id`'s visits lies in `day`, local time, in order."""
    begin, end = day_span(day, zone)
    found = [
        Stretch(
            activity=piece.activity,
            start=max(piece.start, begin),
            end=min(piece.end, end),
            work_order_id=order.id,
            number=order.number,
            open=piece.end == _cut(now) and _goes_on(times, piece.activity),
        )
        for order in orders
        for times in visits_of(order, technician_id)
        for piece in segments(times, now)
        if piece.end > begin and piece.start < end
    ]
    kept: list[Stretch] = []
    for one in sorted(found, key=lambda one: (one.start, one.end)):
        free = replace(one, start=max(one.start, kept[-1].end)) if kept else one
        if free.end > free.start:
            kept.append(free)
    return DaySheet(day=day, stretches=tuple(kept))
