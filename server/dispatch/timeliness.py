"""Will the promise be kept? Pure: one technician's route and the time, and what follows for each visit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.work_orders import WorkOrderState as State

AT_RISK = timedelta(minutes=15)
"""A visit that is expected this close to the end of its window is at risk."""
DRIFT = timedelta(minutes=15)
"""A visit that is expected so much later than planned drifts, however far the end of its window is."""
UNASSIGNED_AT_RISK = timedelta(hours=2)
"""A job that nobody has is at risk when its window ends this soon."""


class Level(StrEnum):
    FINE = "fine"
    AT_RISK = "at_risk"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One work order as far as time goes. Instants are aware; `expected_minutes` is the time on site."""

    id: UUID
    state: State
    expected_minutes: int
    travel_minutes: int = 0
    window_start: datetime | None = None
    window_end: datetime | None = None
    sla_due_at: datetime | None = None
    planned_start: datetime | None = None
    planned_end: datetime | None = None
    travel_started_at: datetime | None = None
    arrived_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def on_site(self) -> timedelta:
        if self.planned_start and self.planned_end:
            return self.planned_end - self.planned_start
        return timedelta(minutes=self.expected_minutes)

    @property
    def travel(self) -> timedelta:
        return timedelta(minutes=self.travel_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """When the visit began or will begin, and ended or will end; None when nobody is to go."""

    arrival: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeliness:
    """`words` say why in local time, and nothing when all is well. `minutes_late` counts from the promise,
    `drift_minutes` from the plan, and is 0 as long as it is no more than a little. `because`: whom it waits
    for, where that is why it is expected then.
    """

    id: UUID
    level: Level
    words: str
    minutes_late: int
    expected_arrival: datetime | None
    expected_end: datetime | None
    drift_minutes: int = 0
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTimeliness:
    """`minutes_behind` the plan at the next stop that has not been reached, or at the present one's end."""

    minutes_behind: int
    stops: tuple[Timeliness, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A visit can't begin before `at`, for what `because` says."""

    at: datetime
    because: str


NOBODY: Mapping[UUID, Held] = {}


def follow_route(
    stops: Iterable[Stop], now: datetime, zone: ZoneInfo, held: Mapping[UUID, Held] = NOBODY
) -> RouteTimeliness:
    """Walk one technician's day in planned order: a delay at one visit moves every later one.

    held: those who wait for visits of others.
    """
    expected, behind, free_at = [], None, None
    route = sorted(stops, key=_order)
    for stop in route:
        at = expect(stop, free_at, now, held.get(stop.id))
        expected.append(at)
        if at.end is not None:
            free_at = max(free_at, at.end) if free_at else at.end
        if behind is None and not stop.state.is_over:
            behind = _behind(stop, at)
    judged = tuple(
        judge(stop, at, now, zone, held.get(stop.id)) for stop, at in zip(route, expected, strict=True)
    )
    return RouteTimeliness(minutes_behind=behind or 0, stops=judged)


def _order(stop: Stop) -> tuple[bool, datetime, str]:
    begun = stop.arrived_at or stop.travel_started_at or stop.planned_start
    far = datetime.max.replace(tzinfo=UTC)
    # What is over or under way came before what is still planned, however the plan had it.
    return (not (stop.state.is_over or stop.state.is_under_way), begun or far, str(stop.id))


def expect(stop: Stop, free_at: datetime | None, now: datetime, held: Held | None = None) -> Expected:
    """When `stop` happens if its technician is free at `free_at` (None: nothing before) and it is `now`."""
    if stop.state is State.CANCELLED or stop.state is State.UNASSIGNED:
        return Expected(arrival=None, end=None)
    if stop.state.is_over:
        return Expected(arrival=stop.arrived_at or stop.finished_at, end=stop.finished_at)
    if stop.state is State.ON_SITE and stop.arrived_at:
        return Expected(arrival=stop.arrived_at, end=max(now, stop.arrived_at + stop.on_site))
    if stop.state is State.TRAVELLING and stop.travel_started_at:
        arrival = max(now, stop.travel_started_at + stop.travel)
    else:
        departure = max(now, free_at) if free_at else now
        arrival = max(stop.planned_start or departure, departure + stop.travel)
        if held is not None:
            arrival = max(arrival, held.at)
    return Expected(arrival=arrival, end=arrival + stop.on_site)


def _behind(stop: Stop, at: Expected) -> int:
    if stop.state is State.ON_SITE:
        late = at.end - stop.planned_end if at.end and stop.planned_end else timedelta()
    else:
        late = at.arrival - stop.planned_start if at.arrival and stop.planned_start else timedelta()
    return max(0, _minutes(late))


def judge(stop: Stop, at: Expected, now: datetime, zone: ZoneInfo, held: Held | None = None) -> Timeliness:
    """Hold what is expected against the window and the SLA; the worse of the two counts."""
    verdicts = [_window_verdict(stop, at, now, zone), _sla_verdict(stop, at, now, zone)]
    level, words, minutes = max(verdicts, key=lambda verdict: (_WORSE[verdict[0]], verdict[2]))
    drift = _drift(stop, at)
    if drift and level is Level.FINE and at.arrival:
        words = f"Expected {_clock(at.arrival, zone)}, {drift} min later than planned"
    late = stop.planned_start is None or (at.arrival and at.arrival > stop.planned_start)
    because = held.because if held and at.arrival == held.at and late else ""
    if because and words:
        words = f"{words}: {because}"
    return Timeliness(
        id=stop.id,
        level=level,
        words=words,
        minutes_late=minutes,
        expected_arrival=at.arrival,
        expected_end=at.end,
        drift_minutes=drift,
        because=because,
    )


def _drift(stop: Stop, at: Expected) -> int:
    """Minutes later than planned that somebody will be at a door where nobody has been yet."""
    waits = stop.state in (State.ASSIGNED, State.TRAVELLING)
    if not waits or at.arrival is None or stop.planned_start is None:
        return 0
    late = at.arrival - stop.planned_start
    return _minutes(late) if late > DRIFT else 0


Verdict = tuple[Level, str, int]
_FINE: Verdict = (Level.FINE, "", 0)
_WORSE = {Level.FINE: 0, Level.AT_RISK: 1, Level.LATE: 2}


def _window_verdict(stop: Stop, at: Expected, now: datetime, zone: ZoneInfo) -> Verdict:
    end = stop.window_end
    if end is None or stop.state is State.CANCELLED:
        return _FINE
    until = f"promised until {_clock(end, zone)}"
    if at.arrival is None:
        if now >= end:
            return (Level.LATE, f"Nobody went, {until}", _minutes(now - end))
        if end - now <= UNASSIGNED_AT_RISK:
            return (Level.AT_RISK, f"Nobody assigned, {until}", 0)
        return _FINE
    came = stop.arrived_at is not None or stop.state.is_over
    if at.arrival >= end:
        minutes = max(1, _minutes(at.arrival - end))
        how = "Arrived" if came else "Expected"
        return (Level.LATE, f"{how} {_clock(at.arrival, zone)}, {until}", minutes)
    if not came and end - at.arrival < AT_RISK:
        return (Level.AT_RISK, f"Expected {_clock(at.arrival, zone)}, {until}", 0)
    return _FINE


def _sla_verdict(stop: Stop, at: Expected, now: datetime, zone: ZoneInfo) -> Verdict:
    due = stop.sla_due_at
    if due is None or stop.state is State.CANCELLED:
        return _FINE
    mended = stop.finished_at if stop.state is State.COMPLETED else None
    end = mended or at.end or now
    by = f"SLA due {_moment(due, now, zone)}"
    if end > due:
        how = (
            f"Done {_clock(end, zone)}"
            if mended
            else (f"Expected done {_clock(end, zone)}" if at.end else "Open")
        )
        return (Level.LATE, f"{how}, {by}", max(1, _minutes(end - due)))
    if mended is None and (due - end < AT_RISK or (at.end is None and due - now <= UNASSIGNED_AT_RISK)):
        return (Level.AT_RISK, f"Little time left, {by}", 0)
    return _FINE


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"


def _moment(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else f"{local:%d.%m. %H:%M}"


def judge_alone(stops: Sequence[Stop], now: datetime, zone: ZoneInfo) -> list[Timeliness]:
    """For jobs that nobody has."""
    return [judge(stop, expect(stop, None, now), now, zone) for stop in stops]
