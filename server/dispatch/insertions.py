"""Where one more job would fit into the day as it is planned: the best places, and whom each delays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from scheduler.emergency import Insertion, best_insertions, least_disruption
from scheduler.explain import why_unassigned
from scheduler.live import standing, without_loose
from scheduler.mend import TELL_FROM_MINUTES
from scheduler.request import PlanRequest
from server.db.engine import Database
from server.dispatch.day_clock import DayClock
from server.dispatch.day_rows import clock_of, read_day
from server.dispatch.in_force import in_force
from server.dispatch.links import LINKED
from server.dispatch.mending import Choice, choice_of
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
class Rearranged:
    """A place made by moving others, as few as can be: `choice` is booked as a mended day is.

    moved: visits of others that move; told: how many of their customers must be told a new time.
    """

    choice: Choice
    moved: int
    told: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Insertions:
    """Best first; empty when nobody able has a place, even by pushing out a less urgent visit.

    rearranged: where nobody has a place without pushing somebody out, who would have to move instead.
    against: what the order depends on, where that is why it has no place.
    """

    work_order_id: UUID
    number: str
    day: date
    roads: str
    roads_estimated: bool
    places: tuple[PlaceFound, ...]
    rearranged: Rearranged | None = None
    against: str = ""


def find_insertions(
    database: Database, settings: Settings, work_order_id: UUID, now: datetime, day: date | None = None
) -> Insertions:
    """The best three places on `day`; without, on the day of its window or today, whichever comes later.

    Raises NotFound, and AlreadyClosed for a job that has begun.
    """
    with database.read() as session:
        order = open_order(session, work_order_id)
        clock = clock_of(settings, day or day_for(settings, order, now), now)
        found = read_day(session, clock, now, also=[order.id])
    # Who asks where else it would fit has their own mind about what was decided before.
    rows = replace(found.rows, pins={id: pin for id, pin in found.rows.pins.items() if id != order.id})
    travel = travel_times(settings)
    question = ask(rows, travel)
    request = question.request
    nowhere = any(left.number == order.number for left in question.nowhere)
    ways: tuple[Insertion, ...] = ()
    rearranged = None
    against = link_reason(question, order.number)
    if request is not None and not nowhere:
        ways = best_insertions(request, in_force(request, order.number), order.number, count=COUNT)
        if all(way.displaced for way in ways):
            rearranged = _rearranged(clock, question, request, order.number, found.absences)
        if not ways and rows.ties.of(order.id):
            against = why_unassigned(request, in_force(request, order.number), order.number).reason
    return Insertions(
        work_order_id=order.id,
        number=order.number,
        day=clock.day,
        roads=request.travel.engine if request else travel.name,
        roads_estimated=request.travel.estimated if request else travel.estimated,
        places=tuple(_place(clock, question, order, way) for way in ways),
        rearranged=rearranged,
        against=f"{order.number} {against}" if against else "",
    )


def link_reason(question: Question, number: str) -> str:
    """Why an order is not in the question, where what it depends on is the reason."""
    found = [one.reason for one in question.nowhere if one.number == number and one.code == LINKED]
    return found[0] if found else ""


def day_for(settings: Settings, order: WorkOrder, now: datetime) -> date:
    """The day of the order's window or today, whichever comes later."""
    today = now.astimezone(settings.zone).date()
    return max(today, order.window.start.astimezone(settings.zone).date()) if order.window else today


def open_order(session: Session, work_order_id: UUID) -> WorkOrder:
    found = repository.load(session, [work_order_id])
    if not found:
        raise NotFound("There is no such work order", subject=str(work_order_id))
    if has_begun(found[0]):
        raise AlreadyClosed(f"{found[0].number} has begun or is over", subject=found[0].number)
    return found[0]


def _rearranged(
    clock: DayClock, question: Question, request: PlanRequest, number: str, absences: Collection[UUID]
) -> Rearranged | None:
    """Half a second of search for the fewest others to move; nobody loses a visit or a promise for it."""
    before = in_force(request, number)
    # Who is late already keeps the place: the search must not see an impossible route.
    now = standing(request, before)
    if number in now.loose:
        return None
    after = least_disruption(without_loose(now).request, before, number)
    was = {visit.job_id: (person, visit.start) for person, visit in before.visits()}
    then = {visit.job_id: (person, visit.start) for person, visit in after.visits()}
    if number not in then or any(id not in then for id in was):
        return None
    others = {id for id in was if then[id] != was[id]}
    told = {id for id in others if abs(then[id][1] - was[id][1]) > TELL_FROM_MINUTES}
    choice = choice_of(clock, question, before, after, told, others | {number}, absences=absences, whole=True)
    words = "; ".join(move.sentence for move in choice.moves)
    return Rearranged(choice=choice, moved=len(others), told=len(told), sentence=words)


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
