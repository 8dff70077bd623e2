"""What the board shows, as frozen values: one class a thing on the page. Turned to JSON as they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from server.dispatch.preferences import Preferred
from server.dispatch.timeliness import Timeliness
from shared.skills import SkillNeed
from shared.work_orders import WorkOrderKind, WorkOrderState

NOT_PLANNED = "not-planned"
"""Code of a job that is unassigned and that the newest plan of its day says nothing about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Why nobody has this job: the plan's code and sentence."""

    work_order_id: UUID
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLink:
    """What a job depends on. kind: it begins "together" with `number`, "after" it, or "before" it."""

    id: UUID
    kind: str
    work_order_id: UUID
    number: str
    state: WorkOrderState
    gap_minutes: int
    gap_most_minutes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderCard:
    """One work order as the board shows it. Instants are UTC; minutes are whole."""

    id: UUID
    number: str
    version: int
    kind: WorkOrderKind
    state: WorkOrderState
    priority: int
    summary: str
    customer: str
    address: str
    lat: float
    lon: float
    skills: tuple[SkillNeed, ...]
    expected_minutes: int
    window_start: datetime | None
    window_end: datetime | None
    sla_due_at: datetime | None
    technician_id: UUID | None
    planned_start: datetime | None
    planned_end: datetime | None
    travel_minutes: int
    travel_started_at: datetime | None
    arrived_at: datetime | None
    finished_at: datetime | None
    unfinished_reason: str | None
    freed_minutes: int
    why: dict[str, Any]
    left_out: LeftOut | None
    links: tuple[CardLink, ...] = ()
    preferred: Preferred | None = None

    def is_of(self, start: datetime, end: datetime) -> bool:
        """Whether the day [start, end) shows it. The same rule as board.of_day, for one that just changed."""
        if self.state is WorkOrderState.UNASSIGNED and (self.window_start is None or self.window_start < end):
            return True
        moments = (self.planned_start, self.travel_started_at, self.finished_at, self.window_start)
        return any(moment is not None and start <= moment < end for moment in moments)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakCard:
    """A break beside lunch: when it may begin, and when it does by the plan in force."""

    from_minute: int
    until_minute: int
    minutes: int
    planned_minute: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TechnicianCard:
    """Shift, lunch and breaks in minutes after local midnight; skills map a name to a level 1…5."""

    id: UUID
    name: str
    phone: str
    van: str
    skills: dict[str, int]
    shift_start_minute: int
    shift_end_minute: int
    lunch_from_minute: int | None
    lunch_until_minute: int | None
    lunch_minutes: int
    lunch_planned_minute: int | None
    start_lat: float
    start_lon: float
    end_lat: float
    end_lon: float
    breaks: tuple[BreakCard, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCard:
    """The plan in force. `figures` are the scheduler's own, by name."""

    id: UUID
    day: date
    made_at: datetime
    engine: str
    roads: str
    roads_estimated: bool
    seconds: float
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCard:
    """Work that a device sent and that was not booked: what `who` wanted; `detail` says what forbids it."""

    id: UUID
    who: str
    work_order_id: UUID | None
    number: str | None
    wanted: str
    detail: str
    happened_at: datetime
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TechnicianNow:
    """Where somebody was last known to be: `doing` is "at" or "to" the place of `work_order_id`.

    away_until: they can't come before that, for `away_reason` ("sick", "van", "other").
    """

    id: UUID
    minutes_behind: int
    doing: str | None
    work_order_id: UUID | None
    since: datetime | None
    lat: float | None
    lon: float | None
    away_until: datetime | None = None
    away_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayNow:
    """What follows from the time of day; true at `at` and to be asked again soon."""

    at: datetime
    technicians: tuple[TechnicianNow, ...]
    work_orders: tuple[Timeliness, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    work_orders: int
    unassigned: int
    assigned: int
    under_way: int
    completed: int
    unfinished: int
    cancelled: int
    late: int
    at_risk: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One day. `feed` is where live changes go on from; `time_zone` is an IANA name."""

    day: date
    time_zone: str
    day_start: datetime
    day_end: datetime
    generated_at: datetime
    feed: str
    plan: PlanCard | None
    technicians: tuple[TechnicianCard, ...]
    work_orders: tuple[WorkOrderCard, ...]
    unassigned: tuple[LeftOut, ...]
    held: tuple[HeldCard, ...]
    now: DayNow
    totals: Totals
