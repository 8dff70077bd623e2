"""Time slots that can truly be kept, found in the days as they are planned and promised."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from scheduler.request import MINUTES_MAX, Window
from scheduler.slots import Opening, Place, Sketch, openings, sketch
from server.clock import mint
from server.customers.models import ServiceLocationRow
from server.db.engine import Database
from server.dispatch.board import day_bounds
from server.dispatch.day_clock import DayClock
from server.dispatch.day_rows import clock_of, mark, read_day
from server.dispatch.in_force import in_force
from server.dispatch.link_rows import ties
from server.dispatch.links import clip, room
from server.dispatch.plan_request import DayRows, Question, ask, has_begun
from server.dispatch.roads import travel_times
from server.dispatch.slot_rows import Needs, a_visit, confirmed_places
from server.settings import Settings
from server.work_orders import intake, repository
from server.work_orders.intake import CustomerOrder
from shared.problems import AlreadyClosed, BadValue, NotFound
from shared.work_orders import WorkOrder

ANY_TIME: tuple[int, int] | None = (0, MINUTES_MAX)
DAYS = 5
DAYS_MAX = 14
SKETCHES_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the visit is for: an order that is there, or one that a customer is about to give."""

    work_order_id: UUID | None = None
    order: CustomerOrder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One window on offer. `added_minor`: what it adds to the day's cost, in minor units.

    near: somebody is near then anyway. rank: 1 for the cheapest.
    """

    start: datetime
    end: datetime
    added_minor: int
    detour_minutes: int
    near: bool
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """The cheapest first. `roads_estimated`: no road was looked at."""

    slots: tuple[Slot, ...]
    roads: str
    roads_estimated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A wish as a visit. `order`: the order that is there."""

    visit: WorkOrder
    needs: Needs
    order: WorkOrder | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One day with a wish in it. `free`: (window, its opening), in order of time; `mark`: see day_rows."""

    clock: DayClock
    question: Question
    mark: str
    free: tuple[tuple[tuple[datetime, datetime], Opening], ...]


def offers(
    database: Database,
    settings: Settings,
    wish: Wish,
    now: datetime,
    *,
    first: date | None = None,
    days: int = DAYS,
) -> Offers:
    """Every window of `days` days from `first` (today) on that can be kept. Raises as `wanted` does."""
    if not 1 <= days <= DAYS_MAX:
        raise BadValue(f"Ask for 1 to {DAYS_MAX} days", field="days")
    today = now.astimezone(settings.zone).date()
    first = today if first is None else first
    day_bounds(first, settings.zone)  # a day that there is
    if first < today:
        raise BadValue(f"{first:%d.%m.%Y} is over; choose today or a day to come", field="first")
    asked = wanted(database, wish)
    travel = travel_times(settings)
    roads, estimated = travel.name, travel.estimated
    found: list[tuple[tuple[datetime, datetime], Opening]] = []
    for number in range(days):
        looked = look(database, settings, first + timedelta(days=number), asked, now)
        if request := looked.question.request:
            roads, estimated = request.travel.engine, request.travel.estimated
        found += looked.free
    ranked = sorted(found, key=lambda one: (one[1].added_cost, one[0]))
    return Offers(
        slots=tuple(_slot(window, opening, rank) for rank, (window, opening) in enumerate(ranked, 1)),
        roads=roads,
        roads_estimated=estimated,
    )


def _slot(window: tuple[datetime, datetime], opening: Opening, rank: int) -> Slot:
    return Slot(
        start=window[0],
        end=window[1],
        added_minor=opening.added_cost,
        detour_minutes=opening.detour_minutes,
        near=opening.near,
        rank=rank,
    )


def wanted(database: Database, wish: Wish) -> Wanted:
    """Raises NotFound, BadValue, or AlreadyClosed for a visit that has begun."""
    with database.read() as session:
        return wanted_of(session, wish)


def wanted_of(session: Session, wish: Wish) -> Wanted:
    if (wish.work_order_id is None) == (wish.order is None):
        raise BadValue("Name a work order, or say what is ordered", field="work_order_id")
    number = f"a new visit ({mint().hex})"
    if wish.work_order_id is not None:
        order = open_order(session, wish.work_order_id)
        needs = Needs.of(order)
        visit = a_visit(needs, order.place, id=order.id, number=number, priority=order.priority)
        return Wanted(visit=visit, needs=needs, order=order)
    assert wish.order is not None
    foreseen = intake.foresee(session, replace(wish.order, window_start=None, window_end=None))
    needs = Needs(
        minutes=foreseen.minutes,
        required_skills=foreseen.requirements.required_skills,
        required_equipment=foreseen.requirements.required_equipment,
        required_parts=foreseen.requirements.required_parts,
        kind=wish.order.kind,
    )
    place = session.get_one(ServiceLocationRow, foreseen.location_id)
    return Wanted(visit=a_visit(needs, place, id=mint(), number=number), needs=needs, order=None)


def open_order(session: Session, work_order_id: UUID) -> WorkOrder:
    found = repository.load(session, [work_order_id])
    if not found:
        raise NotFound("There is no such work order", subject=str(work_order_id))
    if has_begun(found[0]):
        raise AlreadyClosed(f"{found[0].number} has begun or is over", subject=found[0].number)
    return found[0]


def look(database: Database, settings: Settings, day: date, asked: Wanted, now: datetime) -> Looked:
    """Where the wish has a place on `day`. No transaction is open while it is worked out.

    The visit of an order that is there stays where it is until another time is confirmed, so both count.
    """
    clock = clock_of(settings, day, now)
    mine = asked.order.id if asked.order else None
    with database.read() as session:
        found = read_day(session, clock, now, not_held_for=mine)
        rests_on = mark(session, clock, now, not_held_for=mine)
        known = confirmed_places(session, day)
        left = ANY_TIME
        if mine is not None:
            left = room(ties(session, [mine]), mine, clock, asked.needs.minutes)
    # A pin of the visit asked about says where it is now, not where it may go.
    pins = {id: pin for id, pin in found.rows.pins.items() if id != mine}
    rows = replace(found.rows, held=(*found.rows.held, asked.visit), pins=pins)
    question = ask(rows, travel_times(settings))
    number = asked.visit.number
    free = tuple(_free(settings, rows, question, number, known, database.url, left)) if left else ()
    return Looked(clock=clock, question=question, mark=rests_on, free=free)


def _free(
    settings: Settings,
    rows: DayRows,
    question: Question,
    number: str,
    known: Mapping[UUID, tuple[UUID, datetime]],
    url: str,
    left: tuple[int, int],
) -> Iterator[tuple[tuple[datetime, datetime], Opening]]:
    request, clock = question.request, rows.clock
    windows = [window for window in windows_of(settings, clock) if clock.minute(window[0]) >= rows.now]
    if request is None or not windows or all(job.id != number for job in request.jobs):
        return
    names = {technician_id: name for name, technician_id in question.technicians.items()}
    places: dict[str, Place] = {
        order.number: (names[known[order.id][0]], clock.minute(known[order.id][1]))
        for order in question.orders.values()
        if order.id in known and known[order.id][0] in names
    }
    key = (url, clock.day)
    now, found = sketch(
        request, in_force(request, number), places, without=[number], before=_sketches.of(key)
    )
    _sketches.keep(key, found)
    # What others that depend on it leave of each slot.
    spans = [clip((Window(clock.minute(start), clock.minute(end) - 1),), left) for start, end in windows]
    windows = [window for window, span in zip(windows, spans, strict=True) if span]
    slots = [one for span in spans for one in span]
    for window, opening in zip(windows, openings(now, found, number, slots), strict=True):
        if opening is not None:
            yield window, opening


def windows_of(settings: Settings, clock: DayClock) -> list[tuple[datetime, datetime]]:
    """The day's time slots as instants."""
    return [
        (clock.instant(clock.of_wall(start)), clock.instant(clock.of_wall(end)))
        for start, end in settings.slots
    ]


class _Sketches:
    """Where promised work without a technician last found a place: the next look begins from there."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, date], Sketch] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: tuple[str, date]) -> Sketch | None:
        with self._lock:
            return self._known.get(key)

    def keep(self, key: tuple[str, date], found: Sketch) -> None:
        with self._lock:
            self._known[key] = found
            self._known.move_to_end(key)
            while len(self._known) > SKETCHES_MAX:
                self._known.popitem(last=False)


_sketches = _Sketches()
