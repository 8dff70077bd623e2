"""What would the day look like, if: named changes on a day as it is, before the scheduler is asked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Discriminator, TypeAdapter

from scheduler.request import COST_MAX, PRIORITIES, InvalidRequest, Job, PlanRequest, Weights
from server.dispatch.links import Ties
from server.dispatch.models import TechnicianRow
from server.dispatch.pins import WORTH, Pin
from server.dispatch.plan_request import DayRows, has_begun
from server.dispatch.policy import drawn
from server.dispatch.texts import tidy
from shared.problems import BadValue
from shared.work_orders import WorkOrder, WorkOrderState

Weight = Literal[
    "drive_hour",
    "drive_km",
    "late_minute",
    "later_minute",
    "other_technician",
    "overtime_hour",
    "other_territory",
    "uneven_hour",
    "unpreferred_minute",
    "unpinned",
]
CHANGES_MAX = 200
NAME_LENGTH_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class TechnicianOff:
    """Somebody is ill or has the day off. What they have begun stays theirs."""

    technician_id: UUID
    kind: Literal["technician_off"] = "technician_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftChanged:
    """Minutes after midnight by the clock on the wall; they may pass 1440."""

    technician_id: UUID
    start_minute: int
    end_minute: int
    kind: Literal["shift"] = "shift"


@dataclass(frozen=True, slots=True, kw_only=True)
class TechnicianAdded:
    """One more, who starts where `like` does and can and carries the same."""

    name: str
    like: UUID
    id: UUID
    kind: Literal["technician_added"] = "technician_added"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAdded:
    """An order that is only imagined: at the place and of the kind of `like`, promised for any time."""

    like: UUID
    number: str
    id: UUID
    minutes: int | None = None
    priority: int | None = None
    kind: Literal["order_added"] = "order_added"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBrought:
    """An order of another day, or of none, is done on this one."""

    work_order_id: UUID
    kind: Literal["order_brought"] = "order_brought"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRemoved:
    """An order is not done on this day."""

    work_order_id: UUID
    kind: Literal["order_removed"] = "order_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMoved:
    """An order goes to `technician_id`, from `start` on or whenever it suits."""

    work_order_id: UUID
    technician_id: UUID
    start: datetime | None = None
    kind: Literal["order_moved"] = "order_moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightChanged:
    """One cost of the scheduler's, in cents."""

    weight: Weight
    cents: int
    kind: Literal["weight"] = "weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnservedChanged:
    """What it costs to leave a visit of `priority` 1 to 4 undone, in cents."""

    priority: int
    cents: int
    kind: Literal["unserved"] = "unserved"


@dataclass(frozen=True, slots=True, kw_only=True)
class TerritoriesDrawn:
    """Other territories: name → the beginnings of the postcodes that lie in it."""

    territories: dict[str, tuple[str, ...]]
    kind: Literal["territories"] = "territories"


Change = Annotated[
    TechnicianOff
    | ShiftChanged
    | TechnicianAdded
    | OrderAdded
    | OrderBrought
    | OrderRemoved
    | OrderMoved
    | WeightChanged
    | UnservedChanged
    | TerritoriesDrawn,
    Discriminator("kind"),
]
_changes: TypeAdapter[list[Change]] = TypeAdapter(list[Change])


def to_json(changes: Sequence[Change]) -> list[dict[str, Any]]:
    built: list[dict[str, Any]] = _changes.dump_python(list(changes), mode="json")
    return built


def from_json(value: Any) -> list[Change]:
    return _changes.validate_python(value)


def tidied(change: Change) -> Change:
    """With names that every database can keep."""
    match change:
        case TechnicianAdded():
            return replace(change, name=tidy(change.name, NAME_LENGTH_MAX) or "One more")
        case OrderAdded():
            return replace(change, number=tidy(change.number, NAME_LENGTH_MAX) or "IF")
        case TerritoriesDrawn():
            kept = {name: tuple(starts) for name, starts in drawn(change.territories).items()}
            return replace(change, territories=kept)
    return change


@dataclass(frozen=True, slots=True, kw_only=True)
class Imagined:
    """The day with the changes made. `words`: each change as a dispatcher says it."""

    rows: DayRows
    weights: Weights
    words: tuple[str, ...]
    strangers: frozenset[UUID] = field(default_factory=frozenset)
    """Technicians and orders that exist only here."""


def imagine(rows: DayRows, changes: Sequence[Change]) -> Imagined:
    """Make the changes one after another. Raises BadValue for one that can't be made, and says which."""
    if len(changes) > CHANGES_MAX:
        raise BadValue(f"At most {CHANGES_MAX} changes at once", field="changes")
    day = _Day(rows)
    for change in changes:
        day.words.append(day.make(change))
    return Imagined(
        rows=replace(
            rows,
            technicians=tuple(sorted(day.people.values(), key=lambda row: (row.name, row.id))),
            orders=tuple(sorted(day.orders.values(), key=lambda order: order.number)),
            stock=day.stock,
            lunches={who: minute for who, minute in rows.lunches.items() if who in day.people},
            pins=day.pins,
            policy=replace(rows.policy, territories=day.territories),
            # Who is said to work other hours works these, whatever was left of their own.
            shifts={who: left for who, left in rows.shifts.items() if who not in day.other_hours},
            ties=_without(rows.ties, day.removed),
        ),
        weights=day.weights,
        words=tuple(day.words),
        strangers=frozenset(day.strangers),
    )


def _without(ties: Ties, removed: set[UUID]) -> Ties:
    """Nobody goes to the orders `removed`, whatever was planned."""
    ends = {
        id: replace(end, state=WorkOrderState.UNASSIGNED) if id in removed else end
        for id, end in ties.ends.items()
    }
    return replace(ties, ends=ends)


class _Day:
    """The day while changes are made to it; no row of the database is touched."""

    def __init__(self, rows: DayRows) -> None:
        self.clock = rows.clock
        self.people = {row.id: row for row in rows.technicians}
        self.orders = {order.id: order for order in rows.orders}
        self.stock = dict(rows.stock)
        self.pins = dict(rows.pins)
        self.weights = rows.policy.weights
        self.territories = rows.policy.territories
        self.other_hours: set[UUID] = set()
        self.removed: set[UUID] = set()
        self.words: list[str] = []
        self.strangers: set[UUID] = set()

    def make(self, change: Change) -> str:
        match change:
            case TechnicianOff():
                return f"{self.people.pop(self.person(change.technician_id).id).name} is off"
            case ShiftChanged():
                return self.shift(change)
            case TechnicianAdded():
                return self.one_more(change)
            case OrderAdded():
                return self.imagined_order(change)
            case OrderBrought():
                return f"{self.order(change.work_order_id).number} is done on this day"
            case OrderRemoved():
                order = self.open_order(change.work_order_id)
                del self.orders[order.id]
                self.removed.add(order.id)
                return f"{order.number} is not done"
            case OrderMoved():
                return self.moved(change)
            case WeightChanged():
                return self.weight(change)
            case UnservedChanged():
                return self.unserved(change)
            case TerritoriesDrawn():
                self.territories = change.territories
                return f"{len(change.territories)} territories, drawn anew"

    def person(self, technician_id: UUID) -> TechnicianRow:
        if technician_id not in self.people:
            raise BadValue("There is no such technician on this day", field="technician_id")
        return self.people[technician_id]

    def order(self, work_order_id: UUID) -> WorkOrder:
        if work_order_id not in self.orders:
            raise BadValue("There is no such work order on this day", field="work_order_id")
        return self.orders[work_order_id]

    def open_order(self, work_order_id: UUID) -> WorkOrder:
        order = self.order(work_order_id)
        if has_begun(order):
            raise BadValue(
                f"{order.number} has begun or is over: that can't be changed", field="work_order_id"
            )
        return order

    def fresh(self, id: UUID) -> None:
        if id in self.people or id in self.orders:
            raise BadValue("Something has this id already", field="id")

    def shift(self, change: ShiftChanged) -> str:
        if not 0 <= change.start_minute < change.end_minute <= 2 * 24 * 60:
            raise BadValue("A shift ends after it starts, within two days", field="end_minute")
        row = self.person(change.technician_id)
        self.other_hours.add(row.id)
        self.people[row.id] = _copy(
            row, shift_start_minute=change.start_minute, shift_end_minute=change.end_minute
        )
        return f"{row.name} works {_clock(change.start_minute)} to {_clock(change.end_minute)}"

    def one_more(self, change: TechnicianAdded) -> str:
        like, name = self.person(change.like), change.name
        self.fresh(change.id)
        self.people[change.id] = _copy(like, id=change.id, name=name, van_id=change.id)
        self.stock[change.id] = dict(self.stock.get(like.van_id, {}))
        self.strangers.add(change.id)
        return f"{name} works too, like {like.name}"

    def imagined_order(self, change: OrderAdded) -> str:
        like = self.order(change.like)
        minutes = like.expected_minutes if change.minutes is None else change.minutes
        priority = like.priority if change.priority is None else change.priority
        if not 1 <= minutes <= 24 * 60:
            raise BadValue("A job takes between a minute and a day", field="minutes")
        if not 1 <= priority <= 4:
            raise BadValue("A priority is 1 to 4", field="priority")
        self.fresh(change.id)
        if any(order.number == change.number for order in self.orders.values()):
            raise BadValue(f"There is a {change.number} already", field="number")
        self.orders[change.id] = WorkOrder(
            id=change.id,
            number=change.number,
            kind=like.kind,
            state=WorkOrderState.UNASSIGNED,
            priority=priority,
            contact=like.contact,
            place=like.place,
            service=like.service,
            summary=like.summary,
            expected_minutes=minutes,
            required_skills=like.required_skills,
            required_equipment=like.required_equipment,
            required_parts=like.required_parts,
        )
        self.strangers.add(change.id)
        return f"One more job of {minutes} min and priority {priority}, at {like.place.line}"

    def moved(self, change: OrderMoved) -> str:
        order, who = self.open_order(change.work_order_id), self.person(change.technician_id)
        when = ""
        if change.start is not None:
            if change.start.tzinfo is None:
                raise BadValue("The start needs a time zone", field="start")
            if not 1900 < change.start.year < 9000:
                raise BadValue(f"Nobody works in the year {change.start.year}", field="start")
            when = f" at {change.start.astimezone(self.clock.zone):%H:%M}"
        words = f"{order.number} goes to {who.name}{when}"
        self.pins[order.id] = Pin(technician_id=who.id, start=change.start, words=f"What if {words}")
        return words

    def weight(self, change: WeightChanged) -> str:
        try:
            one = {change.weight: change.cents}
            self.weights = replace(self.weights, **one)  # type: ignore[arg-type]  # none of the four by priority
        except InvalidRequest as error:
            raise BadValue(str(error), field="cents") from error
        return f"{WEIGHT_NAMES[change.weight]} costs {change.cents / 100:.2f}"

    def unserved(self, change: UnservedChanged) -> str:
        if change.priority not in PRIORITIES:
            raise BadValue("A priority is 1 to 4", field="priority")
        first, second, third, fourth = (
            change.cents if priority == change.priority else cost
            for priority, cost in zip(PRIORITIES, self.weights.unserved, strict=True)
        )
        try:
            self.weights = replace(self.weights, unserved=(first, second, third, fourth))
        except InvalidRequest as error:
            raise BadValue(str(error), field="cents") from error
        return f"a visit of priority {change.priority} left undone costs {change.cents / 100:.2f}"


WEIGHT_NAMES: dict[Weight, str] = {
    "drive_hour": "an hour of driving",
    "drive_km": "a kilometre",
    "late_minute": "a minute late for the SLA",
    "later_minute": "a minute later than told",
    "other_technician": "another technician than told",
    "overtime_hour": "an hour of overtime",
    "other_territory": "a visit outside one's territories",
    "uneven_hour": "an hour beyond an even share of the work",
    "unpreferred_minute": "a minute outside the hours preferred",
    "unpinned": "a pinned visit left undone",
}


def reweighed(request: PlanRequest, weights: Weights) -> PlanRequest:
    """`request` with other weights, in what it costs to leave overdue work undone too."""
    before = request.weights
    if weights == before:
        return request

    def undone(job: Job) -> Job:
        if job.drop_cost is None or not before.late_minute:
            return job
        pin = WORTH if job.drop_cost >= WORTH else 0  # what a person decided is worth the same by any weights
        plain = before.unserved[job.priority - 1] + pin
        overdue, rest = divmod(job.drop_cost - plain, before.late_minute)
        worth = weights.unserved[job.priority - 1] + pin + overdue * weights.late_minute + rest
        return replace(job, drop_cost=min(COST_MAX, max(0, worth)))

    return replace(request, weights=weights, jobs=tuple(undone(job) for job in request.jobs))


def _copy(row: TechnicianRow, **changes: Any) -> TechnicianRow:
    """A row of its own, that no session knows."""
    values = {column.key: getattr(row, column.key) for column in TechnicianRow.__table__.columns}
    return TechnicianRow(**(values | changes))


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
