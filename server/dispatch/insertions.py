"""Where one more job would fit into the day as it is planned: the best places, and whom each delays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from scheduler.emergency import Insertion, best_insertions
from scheduler.plan import Cost, Plan, Route, Visit
from scheduler.request import Job, PlanRequest
from server.db.engine import Database
from server.dispatch.day_clock import DayClock
from server.dispatch.day_rows import clock_of, read_day
from server.dispatch.plan_request import Question, ask, has_begun
from server.dispatch.roads import travel_times
from server.settings import Settings
from server.work_orders import repository
from shared.problems import AlreadyClosed, NotFound
from shared.work_orders import WorkOrder

COUNT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Delayed:
    """A visit that would begin `minutes` later; below zero, earlier."""

    work_order_id: UUID
    number: str
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFound:
    """One way to take the job in. `added_minor`: cost by the scheduler's weights, in minor units.

    displaced: work orders that would lose their visit.
    """

    technician_id: UUID
    technician: str
    planned_start: datetime
    route_position: int
    added_minor: int
    delayed: tuple[Delayed, ...]
    displaced: tuple[Delayed, ...]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Insertions:
    """Best first; empty when nobody able has a place, even by pushing out a less urgent visit."""

    work_order_id: UUID
    number: str
    day: date
    roads: str
    roads_estimated: bool
    places: tuple[PlaceFound, ...]


def find_insertions(
    database: Database, settings: Settings, work_order_id: UUID, now: datetime, day: date | None = None
) -> Insertions:
    """The best three places on `day`; without, on the day of its window or today, whichever comes later.

    Raises NotFound, and AlreadyClosed for a job that has begun.
    """
    with database.read() as session:
        order = _open(session, work_order_id)
        today = now.astimezone(settings.zone).date()
        promised = order.window.start.astimezone(settings.zone).date() if order.window else today
        clock = clock_of(settings, day or max(today, promised), now)
        rows = read_day(session, clock, now, also=[order.id]).rows
    # Who asks where else it would fit has their own mind about what was decided before.
    rows = replace(rows, pins={id: pin for id, pin in rows.pins.items() if id != order.id})
    travel = travel_times(settings)
    question = ask(rows, travel)
    request = question.request
    nowhere = any(left.number == order.number for left in question.nowhere)
    ways: tuple[Insertion, ...] = ()
    if request is not None and not nowhere:
        ways = best_insertions(request, _in_force(request, order.number), order.number, count=COUNT)
    return Insertions(
        work_order_id=order.id,
        number=order.number,
        day=clock.day,
        roads=request.travel.engine if request else travel.name,
        roads_estimated=request.travel.estimated if request else travel.estimated,
        places=tuple(_place(clock, question, order, way) for way in ways),
    )


def _open(session: Session, work_order_id: UUID) -> WorkOrder:
    found = repository.load(session, [work_order_id])
    if not found:
        raise NotFound("There is no such work order", subject=str(work_order_id))
    if has_begun(found[0]):
        raise AlreadyClosed(f"{found[0].number} has begun or is over", subject=found[0].number)
    return found[0]


def _in_force(request: PlanRequest, number: str) -> Plan:
    """The day as its technicians know it, without the job in question."""
    told: dict[str, list[Job]] = {person.id: [] for person in request.technicians}
    for job in request.jobs:
        if job.previous_technician is not None and job.id != number:
            told[job.previous_technician].append(job)
    return Plan(
        routes=tuple(
            Route(
                technician_id=person.id,
                visits=tuple(_visit(job) for job in sorted(told[person.id], key=_start)),
                leave=person.shift_start,
                back=person.shift_start,
            )
            for person in request.technicians
        ),
        unassigned=(),
        cost=Cost(),
        engine="in force",
        roads=request.travel.engine,
        roads_estimated=request.travel.estimated,
        seed=0,
    )


def _start(job: Job) -> int:
    return job.previous_start or 0


def _visit(job: Job) -> Visit:
    start = _start(job)
    return Visit(
        job_id=job.id,
        arrive=start,
        start=start,
        end=start + job.minutes,
        travel_minutes=0,
        travel_metres=0,
    )


def _place(clock: DayClock, question: Question, order: WorkOrder, way: Insertion) -> PlaceFound:
    start = clock.instant(way.start)
    delayed = tuple(
        Delayed(work_order_id=question.orders[delay.job_id].id, number=delay.job_id, minutes=delay.minutes)
        for delay in way.affected
    )
    displaced = tuple(
        Delayed(work_order_id=question.orders[number].id, number=number, minutes=0)
        for number in way.displaced
    )
    return PlaceFound(
        technician_id=question.technicians[way.technician_id],
        technician=way.technician_id,
        planned_start=start,
        route_position=way.position,
        added_minor=way.added_cost.total,
        delayed=delayed,
        displaced=displaced,
        sentence=_sentence(clock, way.technician_id, start, delayed, displaced),
    )


def _sentence(
    clock: DayClock,
    technician: str,
    start: datetime,
    delayed: tuple[Delayed, ...],
    displaced: tuple[Delayed, ...],
) -> str:
    parts = [f"{technician} at {start.astimezone(clock.zone):%H:%M}"]
    late = [f"{one.number} by {one.minutes} min" for one in delayed if one.minutes > 0]
    parts.append(f"delays {', '.join(late)}" if late else "delays nobody")
    if displaced:
        parts.append(f"{', '.join(one.number for one in displaced)} would lose its visit")
    return "; ".join(parts)
