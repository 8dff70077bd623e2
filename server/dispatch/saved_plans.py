"""Plans that are only tried: made of a day with changes, kept with what made them, set side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.compare import TELL_FROM_MINUTES, Figures, figures_of
from scheduler.plan import Plan, Unassigned
from scheduler.told import Places, told
from server.clock import mint
from server.db.engine import Database
from server.dispatch import plan_records
from server.dispatch.board import newest_plan
from server.dispatch.day_clock import DayClock
from server.dispatch.day_rows import Read, clock_of, read_day
from server.dispatch.models import PlanRecordRow, SavedPlanRow, UnassignedRow
from server.dispatch.plan_records import Record, effort_in_words, open_record
from server.dispatch.plan_request import Question, ask, has_begun
from server.dispatch.roads import travel_times
from server.dispatch.texts import tidy
from server.dispatch.thinking import Effort, think
from server.dispatch.what_if import Change, OrderBrought, from_json, imagine, reweighed, tidied, to_json
from server.settings import Settings
from server.work_orders import repository
from shared.problems import BadValue, NotFound
from shared.work_orders import WorkOrder, WorkOrderState

NAME_LENGTH_MAX = 80
SIDES_MAX = 6
NO_COMPENSATION = "No contract kept here says what a broken promise is worth to its customer."


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A saved plan as a list shows it. outcome: what became of each move when it was applied."""

    id: UUID
    day: date
    name: str
    made_at: datetime
    made_by: str
    words: tuple[str, ...]
    changes: tuple[dict[str, Any], ...]
    effort: str
    repeatable: bool
    record_id: UUID
    versions: dict[str, str]
    applied_at: datetime | None
    applied_by: str | None
    outcome: tuple[dict[str, Any], ...]


def save(
    database: Database,
    settings: Settings,
    day: date,
    name: str,
    changes: Sequence[Change],
    effort: Effort,
    *,
    by: str,
    now: datetime,
) -> SavedPlan:
    """Think about `day` with `changes` made, and keep what comes out. Nothing of the day itself moves.

    Raises BadValue for a day that is over, a change that can't be made, and a day without people or work.
    """
    called = tidy(name, NAME_LENGTH_MAX)
    if not called:
        raise BadValue("Give it a name", field="name")
    changes = [tidied(change) for change in changes]
    clock = clock_of(settings, day, now)
    brought = [change.work_order_id for change in changes if isinstance(change, OrderBrought)]
    with database.read() as session:
        found = read_day(session, clock, now, also=brought)
    imagined = imagine(found.rows, changes)
    question = ask(imagined.rows, travel_times(settings), anew=True)
    if question.request is None or not question.request.jobs:
        raise BadValue("There is nothing to plan: nobody works, or there is no job", field="changes")
    thought = think(reweighed(question.request, imagined.weights), effort)
    packed = plan_records.pack(thought, question)
    row = SavedPlanRow(
        id=mint(),
        day=day,
        name=called,
        made_at=now,
        made_by=by,
        changes=to_json(changes),
        words=list(imagined.words),
        seen={order.number: stand_of(order) for order in found.rows.orders},
        strangers=[str(id) for id in imagined.strangers],
        applied_at=None,
        applied_by=None,
        outcome=[],
    )
    with database.write() as session:
        row.record_id = plan_records.keep(session, packed, now)
        session.add(row)
        session.flush()
        return _line(row, session.get_one(PlanRecordRow, row.record_id))


def stand_of(order: WorkOrder) -> list[str | None]:
    """What a hand or a plan changes of an order, as JSON keeps it."""
    return [
        order.state.value,
        str(order.technician_id) if order.technician_id else None,
        order.planned_start.isoformat() if order.planned_start else None,
        order.planned_end.isoformat() if order.planned_end else None,
    ]


def saved(session: Session, day: date) -> list[SavedPlan]:
    """The saved plans of a day, newest first."""
    query = (
        select(SavedPlanRow, PlanRecordRow)
        .join(PlanRecordRow, PlanRecordRow.id == SavedPlanRow.record_id)
        .where(SavedPlanRow.day == day)
        .order_by(SavedPlanRow.made_at.desc(), SavedPlanRow.id.desc())
    )
    return [_line(row, record) for row, record in session.execute(query)]


def row_of(session: Session, saved_plan_id: UUID) -> SavedPlanRow:
    row = session.get(SavedPlanRow, saved_plan_id)
    if row is None:
        raise NotFound("There is no such saved plan", subject=str(saved_plan_id))
    return row


def opened(session: Session, saved_plan_id: UUID) -> SavedPlan:
    row = row_of(session, saved_plan_id)
    return _line(row, session.get_one(PlanRecordRow, row.record_id))


def delete(session: Session, saved_plan_id: UUID) -> None:
    """What it was made of goes with it, but for a plan in force that was applied from it."""
    row = row_of(session, saved_plan_id)
    record = session.get_one(PlanRecordRow, row.record_id)
    session.delete(row)
    session.flush()
    session.delete(record)


def _line(row: SavedPlanRow, record: PlanRecordRow) -> SavedPlan:
    effort = plan_records.effort_of(record)
    return SavedPlan(
        id=row.id,
        day=row.day,
        name=row.name,
        made_at=row.made_at,
        made_by=row.made_by,
        words=tuple(row.words),
        changes=tuple(row.changes),
        effort=effort_in_words(effort),
        repeatable=effort.repeatable,
        record_id=row.record_id,
        versions=record.versions,
        applied_at=row.applied_at,
        applied_by=row.applied_by,
        outcome=tuple(row.outcome),
    )


# --- side by side -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a job is in a plan."""

    technician_id: UUID
    technician: str
    start: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedJob:
    """A job that is elsewhere, or at another time, than in the plan in force; None: it has no visit there.

    told_again: its customer knows a time, and has to hear of another, or that nobody comes.
    """

    number: str
    before: Spot | None
    after: Spot | None
    told_again: bool
    imagined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One plan in figures. `id` is None for the plan in force.

    unassigned: by priority 1 to 4. promises_broken: numbers. cost_minor: by cause and in total, by the day's
    usual weights, so that plans made with others can be compared. came_since: orders that the plan knows
    nothing of. compensation_minor: None where nothing says what a broken promise is worth.
    """

    id: UUID | None
    name: str
    visits: int
    unassigned: tuple[int, ...]
    travel_metres: int
    travel_minutes: int
    overtime_minutes: int
    late_minutes: int
    promises_broken: tuple[str, ...]
    compensation_minor: int | None
    cost_minor: dict[str, int]
    moved: tuple[MovedJob, ...] = ()
    technician_changed: int = 0
    told_again: int = 0
    came_since: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """The plan in force as it stands now, then the saved plans that were asked for."""

    day: date
    sides: tuple[Side, ...]
    compensation: str


def compare(
    database: Database, settings: Settings, day: date, ids: Sequence[UUID], now: datetime
) -> SideBySide:
    """Raises BadValue for a day that is over and for a plan that is not of this day."""
    if len(ids) > SIDES_MAX:
        raise BadValue(f"At most {SIDES_MAX} plans side by side", field="plan")
    clock = clock_of(settings, day, now)
    with database.read() as session:
        found = read_day(session, clock, now)
        left = reasons_in_force(session, day)
        kept = [session.get(SavedPlanRow, id) for id in ids]
        rows = [row for row in kept if row is not None and row.day == day]
        if len(rows) < len(kept):
            raise BadValue("There is no such saved plan of this day", field="plan")
        records = [open_record(session, row.record_id) for row in rows]
        named = {id for record in records for id in record.orders.values()}
        known = {order.id: order for order in repository.load(session, named)}
    question = ask(found.rows, travel_times(settings))
    sides = [_in_force_side(clock, question, found, left)]
    for row, record in zip(rows, records, strict=True):
        sides.append(_side(clock, question, known, row, record))
    return SideBySide(day=day, sides=tuple(sides), compensation=NO_COMPENSATION)


def reasons_in_force(session: Session, day: date) -> dict[UUID, UnassignedRow]:
    """Work order → why the plan in force left it out."""
    plan = newest_plan(session, day)
    if plan is None:
        return {}
    rows = session.scalars(select(UnassignedRow).where(UnassignedRow.day_plan_id == plan.id))
    return {row.work_order_id: row for row in rows}


def places_now(clock: DayClock, question: Question) -> dict[str, tuple[str, int]]:
    """Number → (technician, minute) of the open orders that somebody is to visit, in the order of the day.

    Slots that somebody holds are among them.
    """
    names = {technician_id: name for name, technician_id in question.technicians.items()}
    midnight = clock.of_wall(24 * 60)
    found = [
        (minute, order.route_position or 0, order.number, names[order.technician_id])
        for order in (*question.open_orders, *(question.orders[number] for number in question.held))
        if order.state is WorkOrderState.ASSIGNED
        and order.planned_start
        and order.technician_id in names
        # What was not done yesterday, or is for tomorrow, has no visit on this day.
        and 0 <= (minute := clock.minute(order.planned_start)) < midnight
    ]
    return {number: (name, minute) for minute, _, number, name in sorted(found)}


def left_out_now(question: Question, left: Mapping[UUID, UnassignedRow]) -> dict[str, Unassigned]:
    return {
        order.number: Unassigned(job_id=order.number, code="day_full", reason=left[order.id].reason)
        for order in question.open_orders
        if order.id in left
    }


def lunches_now(question: Question, found: Read) -> dict[str, int]:
    names = {technician_id: name for name, technician_id in question.technicians.items()}
    return {names[who]: minute for who, minute in found.rows.lunches.items() if who in names}


def plan_now(question: Question, found: Read, left: Mapping[UUID, UnassignedRow], places: Places) -> Plan:
    """The open orders at `places`, whether that can be or not."""
    assert question.request
    return told(
        question.request,
        places,
        engine="in force",
        left_out=left_out_now(question, left),
        lunches=lunches_now(question, found),
    )


def _in_force_side(
    clock: DayClock, question: Question, found: Read, left: Mapping[UUID, UnassignedRow]
) -> Side:
    if question.request is None:
        raise BadValue("Nobody works on this day, so there is no plan to compare with", field="day")
    plan = plan_now(question, found, left, places_now(clock, question))
    return _in_figures(None, "In force", figures_of(question.request, plan))


def _in_figures(id: UUID | None, name: str, figures: Figures, **more: Any) -> Side:
    return Side(
        id=id,
        name=name,
        visits=figures.visits,
        unassigned=figures.unassigned,
        travel_metres=figures.travel_metres,
        travel_minutes=figures.travel_minutes,
        overtime_minutes=figures.overtime_minutes,
        late_minutes=figures.late_minutes,
        promises_broken=figures.promises_broken,
        compensation_minor=None,
        cost_minor={**asdict(figures.cost), "total": figures.cost.total},
        **more,
    )


def _side(
    clock: DayClock,
    question: Question,
    known_orders: Mapping[UUID, WorkOrder],
    row: SavedPlanRow,
    record: Record,
) -> Side:
    asked, plan = record.asked, record.plan
    names = {id: name for name, id in {**record.technicians, **question.technicians}.items()}
    strangers = {UUID(id) for id in row.strangers}
    spots = spots_of(clock, record)
    begun = {job.id for job in asked.jobs if job.fixed_start is not None}
    removed = _removed(row, question)
    moved = []
    for job in asked.jobs:
        order = question.orders.get(job.id) or known_orders.get(record.orders[job.id])
        imagined = record.orders.get(job.id) in strangers
        if job.id in begun or job.id in question.held or (has_begun(order) if order else not imagined):
            continue
        moved.append(_moved(job.id, order, spots.get(job.id), names, imagined))
    moved += [_moved(order.number, order, None, names, False) for order in removed]
    real = tuple(one for one in moved if one is not None)
    usual = question.request.weights if question.request else asked.weights
    known = {job.id for job in asked.jobs} | {order.number for order in removed}
    return _in_figures(
        row.id,
        row.name,
        figures_of(reweighed(asked, usual), plan),
        moved=real,
        technician_changed=sum(
            bool(one.before and one.after and one.before.technician_id != one.after.technician_id)
            for one in real
        ),
        told_again=sum(one.told_again for one in real),
        came_since=tuple(order.number for order in question.open_orders if order.number not in known),
    )


def _removed(row: SavedPlanRow, question: Question) -> list[WorkOrder]:
    ids = {change.work_order_id for change in from_json(row.changes) if change.kind == "order_removed"}
    return [order for order in question.open_orders if order.id in ids]


def spots_of(clock: DayClock, record: Record) -> dict[str, Spot]:
    """Number → where the saved plan has it, of what had not begun."""
    return {
        visit.job_id: Spot(
            technician_id=record.technicians[name], technician=name, start=clock.instant(visit.start)
        )
        for name, visit in record.plan.visits()
        if not visit.fixed
    }


def _moved(
    number: str, order: WorkOrder | None, after: Spot | None, names: Mapping[UUID, str], imagined: bool
) -> MovedJob | None:
    before = None
    if order and order.technician_id and order.planned_start:
        name = names.get(order.technician_id, "somebody who has left")
        before = Spot(technician_id=order.technician_id, technician=name, start=order.planned_start)
    if before == after or (
        before and after and (before.technician_id, before.start) == (after.technician_id, after.start)
    ):
        return None
    again = before is not None and (
        after is None or abs(after.start - before.start) >= timedelta(minutes=TELL_FROM_MINUTES)
    )
    return MovedJob(number=number, before=before, after=after, told_again=again, imagined=imagined)
