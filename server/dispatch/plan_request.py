"""Rows of one day → what the scheduler is asked. Pure: no session, no clock.

Technicians go by their name and work orders by their number, so that the scheduler's sentences can be shown
as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from scheduler.request import (
    PRIORITIES,
    InvalidRequest,
    Job,
    Lunch,
    PlanRequest,
    Technician,
    Window,
)
from scheduler.travel.protocol import BadPoint, Point, TravelTimes
from server.dispatch.breaks import Due, due, with_breaks
from server.dispatch.day_clock import DayClock
from server.dispatch.links import LINKED, NO_TIES, NOT_TIED, Tied, Ties, tie
from server.dispatch.models import TechnicianRow
from server.dispatch.pins import KEPT_OUT, Pin, pinned
from server.dispatch.policy import PlanningPolicy
from server.dispatch.preferences import Preferred
from server.dispatch.roads import measure, no_place
from server.dispatch.traffic import on_the_road
from server.dispatch.van_parts import Pools
from shared.problems import BadValue
from shared.windows import TimeWindow
from shared.work_orders import WorkOrder, WorkOrderKind, WorkOrderState

NOWHERE = "place"
NOBODY = "no_technician"
MINUTES_MAX = 4 * 24 * 60  # what lies further ahead is not for this day to weigh


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftUndone:
    """A work order without a visit, by number; `code` and `reason` as a dispatcher reads them."""

    number: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRows:
    """One day as the database holds it.

    stock: van → SKU → units that this day may use. lunches: technician → minute, by the plan in force.
    now: the day's minute from which on something may still be decided; 0 before the day.
    policy: what plans are weighed by. pins: work order → what a person has decided of it; plans keep to it.
    held: visits that are no work orders: time slots that somebody holds, with their places. shifts: who →
    the minutes left of a shift that is not whole. ties: which orders depend on which.
    setups: kind → minutes of a visit that are for setting up. breaks: technician → earliest start by the
    wall → minute, by the plan in force. preferred: work order → when its customer would like the visit.
    pace: how fast one drives in each hour, as the request has it.
    """

    clock: DayClock
    technicians: Sequence[TechnicianRow]
    orders: Sequence[WorkOrder]
    stock: Mapping[UUID, Mapping[str, int]]
    lunches: Mapping[UUID, int]
    now: int
    policy: PlanningPolicy
    pins: Mapping[UUID, Pin] = field(default_factory=dict)
    held: Sequence[WorkOrder] = ()
    shifts: Mapping[UUID, tuple[int, int]] = field(default_factory=dict)
    ties: Ties = NO_TIES
    setups: Mapping[WorkOrderKind, int] = field(default_factory=dict)
    breaks: Mapping[UUID, Mapping[int, int]] = field(default_factory=dict)
    preferred: Mapping[UUID, Preferred] = field(default_factory=dict)
    pace: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request, and who its names are. `request` is None when there is nobody to plan for.

    nowhere: orders left out of the request, at no place on earth or kept out by hand. pins: number → what a
    person has decided, as far as the request holds to it. lunches_had: technician → minute of a lunch
    that has begun, which the request does not hold any more. off_roads: a sentence for each place that no
    road comes near; drives from and to it are estimated. held: names in `orders` that are no work orders.
    links: those between work orders that this was asked with. breaks: technician → which breaks the request
    holds, by their earliest start by the wall; breaks_had: of those that have begun also the minute.
    """

    request: PlanRequest | None
    technicians: Mapping[str, UUID]
    orders: Mapping[str, WorkOrder]
    nowhere: tuple[LeftUndone, ...] = ()
    lunches_had: Mapping[UUID, int]
    off_roads: tuple[str, ...] = ()
    pins: Mapping[str, Pin] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    links: frozenset[UUID] = frozenset()
    breaks: Mapping[UUID, tuple[int, ...]] = field(default_factory=dict)
    breaks_had: Mapping[UUID, Mapping[int, int]] = field(default_factory=dict)

    def on_the_road(self, arrive: int, drive: int) -> int:
        """Minutes in traffic of a drive of `drive` minutes by the matrix that is over at `arrive`."""
        return on_the_road(self.request.pace if self.request else (), arrive, drive)

    @property
    def open_orders(self) -> list[WorkOrder]:
        return [o for o in self.orders.values() if not has_begun(o) and o.number not in self.held]


def has_begun(order: WorkOrder) -> bool:
    return order.state.is_under_way or order.state.is_over


def ask(rows: DayRows, travel: TravelTimes, *, anew: bool = False) -> Question:
    """Put the day as a request. Raises BadValue, naming the field, when a row can't be planned with.

    anew: the day is planned, so what can't be for its links is left out, though somebody was told of it.
    """
    people = _names(rows.technicians)
    known = set(people.values())
    orders = [order for order in rows.orders if not has_begun(order) or order.technician_id in known]
    orders += rows.held
    reasons = {order.number: no_place(_place(order)) for order in orders}
    kept_out = {order.number: pin for order in orders if (pin := _out(rows, order))}
    placed = [order for order in orders if not reasons[order.number] and order.number not in kept_out]
    left = tuple(
        LeftUndone(number=order.number, code=NOWHERE, reason=f"{order.place.line}: {reason}")
        for order in orders
        if (reason := reasons[order.number]) and not has_begun(order)
    )
    left += tuple(
        LeftUndone(number=number, code=KEPT_OUT, reason=pin.words)
        for number, pin in kept_out.items()
        if not reasons[number]
    )
    tied = (
        tie(
            rows.ties,
            placed,
            rows.clock,
            windows={order.number: _windows(rows, order.window) for order in placed},
            technicians=len(people),
            gone={order.id for order in orders} - {order.id for order in placed},
            pinned={id for id, pin in rows.pins.items() if pin.technician_id in known},
            anew=anew,
        )
        if people
        else NOT_TIED
    )
    left += tuple(
        LeftUndone(number=number, code=LINKED, reason=reason) for number, reason in tied.out.items()
    )
    placed = [order for order in placed if order.number not in tied.out]
    begun: dict[UUID, list[tuple[int, int]]] = {}
    for order in placed:
        if has_begun(order) and order.technician_id:
            begun.setdefault(order.technician_id, []).append(_happened(rows, order))
    had = {
        row.id: minute
        for row in rows.technicians
        if (minute := _lunch_begun(rows, row, begun.get(row.id, []))) is not None
    }
    rests = {row.id: _breaks(rows, row, begun.get(row.id, [])) for row in rows.technicians}
    kept: dict[UUID, tuple[int, ...]] = {}
    request, off = _request(rows, travel, people, placed, had, tied, rests, kept) if people else (None, {})
    return Question(
        request=request,
        technicians=people,
        orders={order.number: order for order in orders},
        nowhere=left,
        lunches_had=had,
        off_roads=_off_roads(rows, people, placed, off),
        held=frozenset(order.number for order in rows.held),
        links=frozenset(link.id for link in rows.ties.links),
        breaks=kept,
        breaks_had={id: rest.had for id, rest in rests.items() if rest.had},
        pins={
            order.number: pin
            for order in placed
            if (pin := rows.pins.get(order.id)) and pin.technician_id in known and not has_begun(order)
        },
    )


def _out(rows: DayRows, order: WorkOrder) -> Pin | None:
    """What a person said who wants no plan to touch the order."""
    pin = None if has_begun(order) else rows.pins.get(order.id)
    return pin if pin and pin.technician_id is None else None


def _request(
    rows: DayRows,
    travel: TravelTimes,
    people: Mapping[str, UUID],
    orders: Sequence[WorkOrder],
    had: Mapping[UUID, int],
    tied: Tied,
    rests: Mapping[UUID, Due],
    kept: dict[UUID, tuple[int, ...]],
) -> tuple[PlanRequest, Mapping[Point, str]]:
    ends = [place for row in rows.technicians for place in _ends(row)]
    points = list(dict.fromkeys([*ends, *(_place(order) for order in orders)]))
    number = {point: n for n, point in enumerate(points)}
    pools = Pools.of(orders)
    last = max(rows.clock.of_wall(row.shift_end_minute) + row.overtime_minutes for row in rows.technicians)
    names = {technician_id: name for name, technician_id in people.items()}
    try:
        drives, off = measure(travel, points)
        request = PlanRequest(
            technicians=tuple(
                _technician(rows, row, names[row.id], number, pools, had.get(row.id), rests[row.id], kept)
                for row in rows.technicians
            ),
            jobs=tuple(
                tied.tie(_job(rows, order, names, number[_place(order)], pools, last)) for order in orders
            ),
            travel=drives,
            weights=rows.policy.weights,
            now=rows.now,
            day=rows.clock.day.isoformat(),
            pace=rows.pace,
        )
    except (InvalidRequest, BadPoint) as error:
        raise BadValue(f"The day can't be planned: {error}") from error
    return request, off


def _off_roads(
    rows: DayRows, people: Mapping[str, UUID], orders: Sequence[WorkOrder], off: Mapping[Point, str]
) -> tuple[str, ...]:
    """Who or what lies at each place that is off the roads, in words."""
    names = {technician_id: name for name, technician_id in people.items()}
    said = []
    for row in rows.technicians:
        for what, point in zip(("start", "end"), _ends(row), strict=True):
            if point in off:
                said.append(f"The {what} of {names[row.id]}'s day {off[point]}")
    said += [f"{o.number}, {o.place.line}, {off[_place(o)]}" for o in orders if _place(o) in off]
    return tuple(dict.fromkeys(said))


def _names(technicians: Sequence[TechnicianRow]) -> dict[str, UUID]:
    """A name of its own for everybody; namesakes are numbered."""
    seen: Counter[str] = Counter()
    names: dict[str, UUID] = {}
    for row in technicians:
        wanted = row.name.strip() or "Nameless"
        seen[wanted] += 1
        names[wanted if seen[wanted] == 1 else f"{wanted} ({seen[wanted]})"] = row.id
    return names


def _ends(row: TechnicianRow) -> tuple[Point, Point]:
    return (row.start_lon, row.start_lat), (row.end_lon, row.end_lat)


def _place(order: WorkOrder) -> Point:
    return order.place.lon, order.place.lat


def _technician(
    rows: DayRows,
    row: TechnicianRow,
    name: str,
    places: Mapping[Point, int],
    pools: Pools,
    lunch_had: int | None,
    rests: Due,
    kept: dict[UUID, tuple[int, ...]],
) -> Technician:
    """`kept`: takes down which of the breaks there is time for."""
    whole = rows.clock.of_wall(row.shift_start_minute), rows.clock.of_wall(row.shift_end_minute)
    start, end = rows.shifts.get(row.id, whole)
    if lunch_had is not None:
        # Nobody is sent out in the middle of lunch.
        start = max(start, min(lunch_had + row.lunch_minutes, end - 1))
    start = max(start, min(rests.until, end - 1))
    home, goal = _ends(row)
    person = Technician(
        id=name,
        start_place=places[home],
        end_place=places[goal],
        shift_start=start,
        shift_end=end,
        # Who is away from an hour on does not work longer before it.
        overtime_max=row.overtime_minutes if end >= whole[1] else 0,
        lunch=_lunch(rows, row, start, end) if lunch_had is None else None,
        skills={skill: int(level) for skill, level in row.skills.items() if int(level) > 0},
        valid_until={
            skill: until for skill, until in row.valid_until.items() if int(row.skills.get(skill, 0)) > 0
        },
        territories=tuple(row.territories),
        stays=row.stays and bool(row.territories),
        parts=pools.carried(rows.stock.get(row.van_id, {})),
    )
    person, kept[row.id] = with_breaks(person, rests.breaks)
    return person


def _breaks(rows: DayRows, row: TechnicianRow, begun: Sequence[tuple[int, int]]) -> Due:
    """The breaks beside lunch that are still to come, and those that were had."""
    whole = rows.clock.of_wall(row.shift_start_minute), rows.clock.of_wall(row.shift_end_minute)
    return due(
        row,
        rows.clock,
        planned=rows.breaks.get(row.id, {}),
        shift=rows.shifts.get(row.id, whole),
        now=rows.now,
        begun=begun,
    )


def _lunch(rows: DayRows, row: TechnicianRow, start: int, end: int) -> Lunch | None:
    if row.lunch_from_minute is None or row.lunch_until_minute is None or row.lunch_minutes <= 0:
        return None
    earliest, latest = rows.clock.of_wall(row.lunch_from_minute), rows.clock.of_wall(row.lunch_until_minute)
    fits = start <= latest and earliest + row.lunch_minutes <= end
    if not fits or (rows.now > latest and row.id not in rows.lunches):
        return None  # its time is over, and nobody knows that it did not happen
    return Lunch(earliest=earliest, latest=latest, minutes=row.lunch_minutes)


def _lunch_begun(rows: DayRows, row: TechnicianRow, begun: Sequence[tuple[int, int]]) -> int | None:
    """When the lunch of the plan in force began, unless its technician worked instead."""
    minute = rows.lunches.get(row.id)
    if minute is None or minute > rows.now:
        return None
    until = min(minute + row.lunch_minutes, rows.now)
    worked = any(start < until and minute < start + length for start, length in begun)
    return None if worked else minute


def _happened(rows: DayRows, order: WorkOrder) -> tuple[int, int]:
    """(start, minutes) of a visit that has begun: as it was, or as it looks now."""
    minute = rows.clock.minute
    reached = order.arrived_at
    if reached is None and order.travel_started_at is not None:
        reached = order.travel_started_at
        if order.state is WorkOrderState.TRAVELLING:
            there = minute(reached) + order.travel_minutes
            return _bounded(max(there, rows.now)), order.expected_minutes
    reached = reached or order.finished_at
    start = _bounded(minute(reached)) if reached else rows.now
    if order.finished_at is not None:
        return start, max(0, _bounded(rows.clock.minute_after(order.finished_at)) - start)
    return start, max(order.expected_minutes, rows.now - start)


def _bounded(minute: int) -> int:
    return min(max(0, minute), MINUTES_MAX)


def _job(
    rows: DayRows,
    order: WorkOrder,
    names: Mapping[UUID, str],
    place: int,
    pools: Pools,
    last: int,
) -> Job:
    holder = names.get(order.technician_id) if order.technician_id else None
    if has_begun(order):
        start, minutes = _happened(rows, order)
        return Job(
            id=order.number,
            place=place,
            minutes=minutes,
            setup_minutes=rows.setups.get(order.kind, 0),
            # A closed visit's parts have left the van's balance; those of a visit under way are still in it.
            parts=pools.wanted(order) if order.state.is_under_way else {},
            technician=holder,
            fixed_start=start,
        )
    due = _due(rows, order)
    priority = min(max(order.priority, PRIORITIES[0]), PRIORITIES[-1])
    weights = rows.policy.weights
    undone = weights.unserved[priority - 1]
    if due is not None:
        # Left undone it is late all the same: overdue work must not be cheaper to leave than to do.
        undone += max(0, last - due) * weights.late_minute
    skills: dict[str, int] = {}
    for need in order.required_skills:
        skills[need.name] = max(need.level, skills.get(need.name, 1))
    told = _told(rows, order) if holder else None
    setup = min(rows.setups.get(order.kind, 0), max(0, order.expected_minutes - 1))
    job = Job(
        id=order.number,
        place=place,
        minutes=order.expected_minutes - setup,
        setup_minutes=setup,
        skills=skills,
        parts=pools.wanted(order),
        windows=_windows(rows, order.window),
        preferred=_windows(rows, _wish(rows, order)),
        priority=priority,
        drop_cost=undone,
        due=due,
        previous_technician=holder if told is not None else None,
        previous_start=told,
        territory=rows.policy.territory_of(order.place.postcode),
    )
    pin = rows.pins.get(order.id)
    if pin is None or pin.technician_id not in names:
        return job  # who was chosen does not work on this day
    [who] = [row for row in rows.technicians if row.id == pin.technician_id]
    carried = pools.carried(rows.stock.get(who.van_id, {}))
    minute = rows.clock.minute(pin.start) if pin.start else None
    return pinned(job, names[who.id], minute, carried, rows.now)


def _wish(rows: DayRows, order: WorkOrder) -> TimeWindow | None:
    preferred = rows.preferred.get(order.id)
    return TimeWindow(preferred.start, preferred.end) if preferred else None


def _windows(rows: DayRows, window: TimeWindow | None) -> tuple[Window, ...]:
    """The promise as far as it lies on this day. A dispatcher who moved the job here set it aside."""
    if window is None:
        return ()
    opens, closes = rows.clock.minute_after(window.start), rows.clock.minute_after(window.end) - 1
    if closes < 0 or opens >= rows.clock.of_wall(24 * 60):
        return ()
    return (Window(_bounded(opens), _bounded(max(opens, closes))),)


def _due(rows: DayRows, order: WorkOrder) -> int | None:
    if order.sla_due_at is None:
        return None
    minute = rows.clock.minute(order.sla_due_at)
    return None if minute > MINUTES_MAX else max(0, minute)


def _told(rows: DayRows, order: WorkOrder) -> int | None:
    if order.planned_start is None:
        return None
    minute = rows.clock.minute(order.planned_start)
    return minute if 0 <= minute <= MINUTES_MAX else None
