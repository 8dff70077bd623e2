"""Who could do a job in the day as it is planned, and what speaks against everybody else.

The board shows these sentences; it knows no rule of its own. A hand may still break one: it is told which.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from scheduler.explain import Fit, fit, fit_at, fits
from server.db.engine import Database
from server.dispatch.day_clock import DayClock
from server.dispatch.day_rows import clock_of, read_day
from server.dispatch.in_force import in_force
from server.dispatch.insertions import day_for, link_reason, open_order
from server.dispatch.plan_request import Question, ask
from server.dispatch.roads import travel_times
from server.settings import Settings
from shared.problems import NotFound
from shared.work_orders import WorkOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Suits:
    """One technician and the job. against: a sentence for each rule that forbids it, none if it is possible.

    helps: the smallest changes that would make it possible, the least first. planned_start, added_minor: when
    it would begin and what it would cost more, in minor units; None when it is not possible.
    """

    technician_id: UUID
    technician: str
    possible: bool
    against: tuple[str, ...]
    helps: tuple[str, ...] = ()
    planned_start: datetime | None = None
    added_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoSuits:
    """Every technician of the day."""

    work_order_id: UUID
    number: str
    day: date
    technicians: tuple[Suits, ...]


def who_suits(
    database: Database, settings: Settings, work_order_id: UUID, now: datetime, day: date | None = None
) -> WhoSuits:
    """Judge everybody. Raises NotFound, and AlreadyClosed for a job that has begun."""
    clock, question, order = _read(database, settings, work_order_id, now, day)
    request = question.request
    if reason := link_reason(question, order.number):
        return _nobody(clock, question, order, reason)
    found: tuple[Fit, ...] = ()
    if request is not None and _is_placed(question, order):
        found = fits(request, in_force(request, order.number), order.number)
    return WhoSuits(
        work_order_id=order.id,
        number=order.number,
        day=clock.day,
        technicians=tuple(_suits(clock, question, one) for one in found),
    )


def suits(
    database: Database,
    settings: Settings,
    work_order_id: UUID,
    technician_id: UUID,
    now: datetime,
    *,
    planned_start: datetime | None = None,
    day: date | None = None,
) -> Suits:
    """Judge one technician, beginning at `planned_start` where that is given, and say what would help.

    Raises NotFound for a technician who is not on duty or a job at no place, else as `who_suits`.
    """
    if planned_start is not None:
        day = planned_start.astimezone(settings.zone).date()
    clock, question, order = _read(database, settings, work_order_id, now, day)
    names = {id: name for name, id in question.technicians.items()}
    if question.request is None or technician_id not in names:
        raise NotFound("There is no such technician on duty", field="technician_id")
    if reason := link_reason(question, order.number):
        who = names[technician_id]
        return Suits(technician_id=technician_id, technician=who, possible=False, against=(reason,))
    if not _is_placed(question, order):
        raise NotFound(f"{order.number} lies at no place that can be driven to", subject=order.number)
    request, plan = question.request, in_force(question.request, order.number)
    if planned_start is None:
        judged = fit(request, plan, order.number, names[technician_id])
    else:
        start = max(0, clock.minute(planned_start))
        judged = fit_at(request, plan, order.number, names[technician_id], start)
    return _suits(clock, question, judged)


def _nobody(clock: DayClock, question: Question, order: WorkOrder, reason: str) -> WhoSuits:
    """What the order depends on is not there on this day: then it is for nobody."""
    return WhoSuits(
        work_order_id=order.id,
        number=order.number,
        day=clock.day,
        technicians=tuple(
            Suits(technician_id=id, technician=name, possible=False, against=(reason,))
            for name, id in question.technicians.items()
        ),
    )


def _read(
    database: Database, settings: Settings, work_order_id: UUID, now: datetime, day: date | None
) -> tuple[DayClock, Question, WorkOrder]:
    with database.read() as session:
        order = open_order(session, work_order_id)
        clock = clock_of(settings, day or day_for(settings, order, now), now)
        rows = read_day(session, clock, now, also=[order.id]).rows
    rows = replace(rows, pins={id: pin for id, pin in rows.pins.items() if id != order.id})
    # A routing server may be slow: no transaction waits for it.
    return clock, ask(rows, travel_times(settings)), order


def _is_placed(question: Question, order: WorkOrder) -> bool:
    return all(left.number != order.number for left in question.nowhere)


def _suits(clock: DayClock, question: Question, judged: Fit) -> Suits:
    return Suits(
        technician_id=question.technicians[judged.technician_id],
        technician=judged.technician_id,
        possible=judged.feasible,
        against=tuple(rule.text for rule in judged.broken),
        helps=tuple(remedy.text for remedy in judged.remedies),
        planned_start=None if judged.start is None else clock.instant(judged.start),
        added_minor=judged.added_cost.total if judged.added_cost else None,
    )
