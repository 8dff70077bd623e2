"""What people decide against the plan: kept with reason and cost, and pinned until somebody releases it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.check import check
from scheduler.told import Places
from server import office
from server.clock import mint
from server.db.engine import Database
from server.dispatch import day_rows, plan_records
from server.dispatch.board import newest_plan
from server.dispatch.day_clock import DayClock
from server.dispatch.links import NO_TIES, Ties
from server.dispatch.links import broken as broken_links
from server.dispatch.models import PlanOverrideRow, TechnicianRow
from server.dispatch.override_rows import REASONS, active, words_of
from server.dispatch.plan_request import Question, ask, has_begun
from server.dispatch.roads import travel_times
from server.dispatch.saved_plans import places_now, plan_now
from server.dispatch.texts import tidy
from server.settings import Settings
from server.work_orders import repository
from server.work_orders.models import WorkOrderRow
from shared.commands import AssignWorkOrder, OfficeCommand, RescheduleWorkOrder, UnassignWorkOrder
from shared.problems import AlreadyClosed, BadValue, NotFound
from shared.work_orders import WorkOrder, WorkOrderState

NOTE_LENGTH_MAX = 200
BROKEN_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """A dispatcher's reason: one of REASONS, or "", and their own words."""

    reason: str = ""
    note: str = ""

    def checked(self) -> Why:
        """Raises BadValue for a reason that is none of ours."""
        if self.reason and self.reason not in REASONS:
            raise BadValue(f"Choose one of {', '.join(REASONS)}", field="reason")
        return Why(reason=self.reason, note=tidy(self.note, NOTE_LENGTH_MAX))


NO_REASON = Why()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What the plan wanted and what it costs to do otherwise, by the scheduler's weights.

    wanted: `technician`, `technician_id`, `start` of its visit; or `left_out`, its reason; {} where no plan
    said anything. cost: cents by cause and `total`, of the day after less the day before. breaks: rules that
    are broken by it, as sentences.
    """

    day: date
    wanted: dict[str, Any]
    cost: dict[str, int] = field(default_factory=dict)
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One decision of a person. technician: who was chosen; None: taken off. `pinned`: plans keep to it."""

    id: UUID
    work_order_id: UUID
    number: str
    day: date
    made_at: datetime
    made_by: str
    technician: str | None
    start: datetime | None
    wanted: dict[str, Any]
    reason: str
    note: str
    words: str
    cost_minor: dict[str, int]
    breaks: tuple[str, ...]
    pinned: bool
    released_at: datetime | None
    released_by: str | None
    released_why: str


def act(
    database: Database,
    settings: Settings,
    command: AssignWorkOrder | UnassignWorkOrder | RescheduleWorkOrder,
    *,
    by: str,
    now: datetime,
    why: Why = NO_REASON,
    pin: bool = True,
) -> UUID | None:
    """Run the command, and keep that a person decided it; gives the id of what was kept.

    pin: whether plans keep to it until it is released. None is given where there is nothing to keep: the day
    is over, or the plan wants the same. Raises what the command is refused for, and then nothing is kept.
    """
    why = why.checked()
    with database.read() as session:
        found = repository.load(session, [command.work_order_id])
    before = found[0] if found else None
    after = _meant(command, before)
    weighed = _weigh(database, settings, before, after, now) if before else None
    kept: list[UUID] = []

    def keep(session: Session) -> None:
        kept.clear()  # the transaction may be tried again
        earlier = active(session, [command.work_order_id])
        for row in earlier:
            _release(row, by, now, "decided anew")
        if weighed is None or after is None:
            return
        wanted = earlier[0].wanted if earlier else weighed.wanted
        if _as_wanted(wanted, after):
            return
        row = PlanOverrideRow(
            id=mint(),
            work_order_id=command.work_order_id,
            day=weighed.day,
            made_at=now,
            made_by=by,
            technician_id=after.technician_id,
            start=after.start,
            wanted=wanted,
            reason=why.reason,
            note=why.note,
            cost=weighed.cost,
            breaks=list(weighed.breaks),
            released_at=None if pin else now,
            released_by=None if pin else by,
            released_why="" if pin else "left to the plan",
        )
        session.add(row)
        kept.append(row.id)

    office.run(database, settings, command, by, also=keep)
    return kept[0] if kept else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meant:
    """Where a command puts an order; `technician_id` None: with nobody."""

    technician_id: UUID | None
    start: datetime | None
    day_of: datetime


def _meant(command: OfficeCommand, before: WorkOrder | None) -> _Meant | None:
    """None: it decides nothing about who goes when."""
    match command:
        case AssignWorkOrder():
            return _Meant(
                technician_id=command.technician_id,
                start=command.planned_start,
                day_of=command.planned_start,
            )
        case UnassignWorkOrder() if before and before.planned_start:
            return _Meant(technician_id=None, start=None, day_of=before.planned_start)
        case RescheduleWorkOrder() if command.planned_start and before and before.technician_id:
            return _Meant(
                technician_id=before.technician_id,
                start=command.planned_start,
                day_of=command.planned_start,
            )
    return None


def _as_wanted(wanted: Mapping[str, Any], after: _Meant) -> bool:
    if after.technician_id is None or after.start is None:
        return False
    return (wanted.get("technician_id"), wanted.get("start")) == (
        str(after.technician_id),
        after.start.isoformat(),
    )


def _weigh(
    database: Database, settings: Settings, before: WorkOrder, after: _Meant | None, now: datetime
) -> Weighed | None:
    """Look at the days of the technicians it concerns; None when the day is over, or nothing is moved."""
    if after is None or not 1900 < after.day_of.year < 9000:
        return None
    day = after.day_of.astimezone(settings.zone).date()
    if day < now.astimezone(settings.zone).date():
        return None
    clock = day_rows.clock_of(settings, day, now)
    with database.read() as session:
        wanted = _wanted(session, clock, before)
        concerned = {id for id in (before.technician_id, after.technician_id) if id}
        found = day_rows.read_day(session, clock, now, also=[before.id], of=concerned)
    parted = _parted(found.rows.ties, clock, before, after)
    # Who is linked may be with somebody whom this day here does not know: links are looked at by themselves.
    question = ask(replace(found.rows, pins={}, ties=NO_TIES), travel_times(settings))
    request = question.request
    if request is None or before.number not in {job.id for job in request.jobs} or has_begun(before):
        return Weighed(day=day, wanted=wanted, breaks=parted)
    places = places_now(clock, question)
    plan = plan_now(question, found, {}, places)
    then = plan_now(question, found, {}, _with(clock, question, places, before.number, after))
    broken = {(one.rule, one.job_id) for one in check(request, plan)}
    more = then.cost - plan.cost
    return Weighed(
        day=day,
        wanted=wanted,
        cost={**{cause: cents for cause, cents in asdict(more).items() if cents}, "total": more.total},
        breaks=(
            *parted,
            *(one.text for one in check(request, then) if (one.rule, one.job_id) not in broken),
        )[:BROKEN_SHOWN],
    )


def _parted(ties: Ties, clock: DayClock, order: WorkOrder, after: _Meant) -> tuple[str, ...]:
    """Which links the hand breaks that hold as everybody is told by now."""
    if order.id not in ties.ends:
        return ()
    end = ties.ends[order.id]
    length = (order.planned_end - order.planned_start) if order.planned_end and order.planned_start else None
    moved = replace(
        end,
        state=WorkOrderState.ASSIGNED if after.technician_id else WorkOrderState.UNASSIGNED,
        technician_id=after.technician_id,
        planned_start=after.start,
        planned_end=after.start + length if after.start and length else None,
    )
    then = replace(ties, ends={**ties.ends, order.id: moved})
    before = broken_links(ties, order.id, clock)
    return tuple(text for text in broken_links(then, order.id, clock) if text not in before)


def _with(
    clock: DayClock, question: Question, places: Places, number: str, after: _Meant
) -> dict[str, tuple[str, int]]:
    names = {id: name for name, id in question.technicians.items()}
    others = {job: place for job, place in places.items() if job != number}
    if after.technician_id not in names or after.start is None:
        return others
    return {**others, number: (names[after.technician_id], max(0, clock.minute(after.start)))}


def _wanted(session: Session, clock: DayClock, order: WorkOrder) -> dict[str, Any]:
    """What the plan in force says of the order, by what was kept of it."""
    in_force = newest_plan(session, clock.day)
    if in_force is None or in_force.record_id is None:
        return {}
    plan, technicians = plan_records.answer_of(session, in_force.record_id)
    for name, visit in plan.visits():
        if visit.job_id == order.number:
            start = clock.instant(visit.start)
            return {"technician": name, "technician_id": technicians[name], "start": start.isoformat()}
    reasons = [one.reason for one in plan.unassigned if one.job_id == order.number]
    return {"left_out": reasons[0]} if reasons else {}


# --- what holds ---------------------------------------------------------------------------------------------


def of_day(session: Session, day: date) -> list[Override]:
    """The decisions about a day, newest first."""
    row = PlanOverrideRow
    query = (
        select(row, WorkOrderRow.number, WorkOrderRow.state, TechnicianRow.name)
        .join(WorkOrderRow, WorkOrderRow.id == row.work_order_id)
        .outerjoin(TechnicianRow, TechnicianRow.id == row.technician_id)
        .where(row.day == day)
        .order_by(row.made_at.desc(), row.id.desc())
    )
    return [_line(*found) for found in session.execute(query)]


def opened(session: Session, override_id: UUID) -> Override:
    row = _row(session, override_id, lock=False)
    order = session.get_one(WorkOrderRow, row.work_order_id)
    technician = session.get(TechnicianRow, row.technician_id) if row.technician_id else None
    return _line(row, order.number, order.state, technician.name if technician else None)


def _line(row: PlanOverrideRow, number: str, state: str, technician: str | None) -> Override:
    is_open = WorkOrderState(state) in (WorkOrderState.UNASSIGNED, WorkOrderState.ASSIGNED)
    return Override(
        id=row.id,
        work_order_id=row.work_order_id,
        number=number,
        day=row.day,
        made_at=row.made_at,
        made_by=row.made_by,
        technician=technician,
        start=row.start,
        wanted=row.wanted,
        reason=row.reason,
        note=row.note,
        words=words_of(row),
        cost_minor=row.cost,
        breaks=tuple(row.breaks),
        pinned=row.released_at is None and is_open,
        released_at=row.released_at,
        released_by=row.released_by,
        released_why=row.released_why,
    )


def _row(session: Session, override_id: UUID, *, lock: bool = True) -> PlanOverrideRow:
    row = session.get(PlanOverrideRow, override_id, with_for_update=lock or None)
    if row is None:
        raise NotFound("Nothing like that was decided by hand", subject=str(override_id))
    return row


def give_reason(session: Session, override_id: UUID, why: Why) -> None:
    """Say afterwards why; what was said before is replaced."""
    why = why.checked()
    row = _row(session, override_id)
    row.reason, row.note = why.reason, why.note


def release(session: Session, override_id: UUID, *, by: str, now: datetime) -> None:
    """Leave the order to the next plan. Raises AlreadyClosed when it is."""
    row = _row(session, override_id)
    if row.released_at is not None:
        raise AlreadyClosed(f"{row.released_by} has released it already")
    _release(row, by, now, "released")


def _release(row: PlanOverrideRow, by: str, now: datetime, why: str) -> None:
    row.released_at, row.released_by, row.released_why = now, by, why
