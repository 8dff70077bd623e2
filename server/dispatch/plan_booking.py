"""Book what a plan changes, in one transaction, against the orders as they are by then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from scheduler.plan import Plan
from server import office
from server.clock import mint
from server.customers.models import ServiceLocationRow
from server.db import feed
from server.db.engine import Database
from server.dispatch import plan_records
from server.dispatch.board import newest_plan
from server.dispatch.day_clock import DayClock
from server.dispatch.link_rows import link_ids
from server.dispatch.models import DayPlanRow, UnassignedRow
from server.dispatch.plan_request import LeftUndone, Question
from server.dispatch.rechecks import Coming, coming_of, in_the_way, objections, spot_now, spot_of
from server.dispatch.slot_rows import follow, held_meanwhile, lock_day
from server.settings import Settings
from server.work_orders.models import WorkOrderRow
from shared.commands import AssignWorkOrder, OfficeCommand
from shared.work_orders import WorkOrder, WorkOrderState

ACTOR = "plan"
TRIES = 3
MEANWHILE = "meanwhile"
WHAT_TO_DO = "Plan the day again, or give it to somebody else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the scheduler wants for one day. `commands`: number → what to book; `why`: number → its reason.

    plan_id_before: the plan in force when the day was read. plan: None when there was nothing to think about.
    packed: what the scheduler was asked and answered, to be kept. pinned: what people have decided, in words.
    absences: those that were known then. whole: the commands are a choice that holds only together, and
    nothing is said of other orders. also: done last in the same transaction.
    """

    day: date
    question: Question
    plan_id_before: UUID | None
    commands: Mapping[str, OfficeCommand]
    why: Mapping[str, dict[str, Any]]
    undone: Sequence[LeftUndone]
    plan: Plan | None
    seconds: float
    seed: int
    packed: plan_records.Packed | None = None
    pinned: Sequence[str] = ()
    absences: Collection[UUID] = ()
    whole: bool = False
    also: Callable[[Session, DayPlanRow], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOutcome:
    """What came of planning a day.

    planned: open orders that have a visit now. unassigned: (number, code, reason). changed: assignments that
    were booked. skipped: numbers of orders that changed while the scheduler was thinking and were left as
    they are. refused: (number, sentence) of visits that can't be any more, for somebody fell ill meanwhile;
    these orders too are as they were. seconds: of thinking.
    """

    id: UUID
    day: date
    planned: int
    unassigned: tuple[tuple[str, str, str], ...]
    changed: int
    skipped: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    figures: dict[str, Any]
    engine: str
    roads: str
    roads_estimated: bool
    seconds: float


class Overtaken(Exception):
    """Another plan of the same day was booked meanwhile, or what was to hold as a whole can't any more."""


def book(database: Database, settings: Settings, proposal: Proposal, now: datetime) -> PlanOutcome:
    """Raises Overtaken, and then nothing was booked."""
    for attempt in range(1, TRIES + 1):
        try:
            with database.write() as session:
                return _write(session, settings, proposal, now)
        except OperationalError:
            # A deadlock with a phone's command ends one of the two, and nothing of it is left: once more.
            if attempt == TRIES:
                raise
    raise AssertionError("not reached")


def _write(session: Session, settings: Settings, proposal: Proposal, now: datetime) -> PlanOutcome:
    question, plan = proposal.question, proposal.plan
    lock_day(session, proposal.day)
    before = newest_plan(session, proposal.day)
    if (before.id if before else None) != proposal.plan_id_before:
        raise Overtaken
    held = {number: question.orders[number] for number in question.held}
    if held_meanwhile(session, proposal.day, {order.id for order in held.values()}, now):
        raise Overtaken
    rows = _lock(session, question)
    if link_ids(session, list(rows)) - question.links:
        raise Overtaken  # somebody has linked two of them meanwhile
    skipped = {order.number for order in question.open_orders if _has_changed(rows[order.id], order)}
    refused = _refused(session, settings, proposal, held, skipped)
    if (skipped or refused) and proposal.whole:
        raise Overtaken
    left = skipped | refused.keys()
    commands = [command for number, command in proposal.commands.items() if number not in left]
    office.apply(session, settings, commands, ACTOR, now)
    for order in question.open_orders:
        if proposal.whole and order.number not in proposal.why:
            continue
        why = proposal.why.get(order.number, {})
        if order.number not in left and rows[order.id].why != why:
            rows[order.id].why = why
    undone = [one for one in proposal.undone if one.number not in left]
    undone += [
        LeftUndone(number=number, code=MEANWHILE, reason=f"{sentence}. {WHAT_TO_DO}")
        for number, sentence in refused.items()
        if number not in held and question.orders[number].state is WorkOrderState.UNASSIGNED
    ]
    row = DayPlanRow(
        id=mint(),
        day=proposal.day,
        # The newest plan is the one in force, so no two of a day are made at the same time.
        made_at=max(now, before.made_at + timedelta(microseconds=1)) if before else now,
        engine=plan.engine if plan else "none",
        roads=plan.roads if plan else "none",
        roads_estimated=plan.roads_estimated if plan else True,
        seconds=proposal.seconds,
        seed=proposal.seed,
        figures=_figures(proposal, undone, len(commands), skipped, refused),
        lunches=_lunches(question, plan),
        breaks=_breaks(question, plan),
        record_id=plan_records.keep(session, proposal.packed, now) if proposal.packed else None,
    )
    session.add(row)
    session.flush()
    session.add_all(
        UnassignedRow(
            id=mint(),
            day_plan_id=row.id,
            work_order_id=question.orders[one.number].id,
            code=one.code,
            reason=one.reason,
        )
        for one in undone
    )
    clock = DayClock(proposal.day, settings.zone)
    moved = {number: order for number, order in held.items() if number not in refused}
    follow(session, clock, _places_of_held(question, plan, moved))
    if proposal.also:
        proposal.also(session, row)
    facts = {"day": proposal.day.isoformat()}
    feed.append(session, [feed.BOARD], "day_plan", row.id, "DayPlanned", at=now, actor=ACTOR, facts=facts)
    return PlanOutcome(
        id=row.id,
        day=row.day,
        planned=row.figures["planned"],
        unassigned=tuple((one.number, one.code, one.reason) for one in undone),
        changed=len(commands),
        skipped=tuple(sorted(skipped)),
        refused=tuple(sorted(("A held time slot" if n in held else n, why) for n, why in refused.items())),
        figures=row.figures,
        engine=row.engine,
        roads=row.roads,
        roads_estimated=row.roads_estimated,
        seconds=row.seconds,
    )


def _refused(
    session: Session,
    settings: Settings,
    proposal: Proposal,
    held: Mapping[str, WorkOrder],
    skipped: Collection[str],
) -> dict[str, str]:
    """Number → why its visit can't be any more: an absence, a certificate taken, or what stays for these."""
    question = proposal.question
    coming: dict[str, Coming] = {}
    for number, command in proposal.commands.items():
        if isinstance(command, AssignWorkOrder) and number not in skipped:
            order = question.orders[number]
            start, end, way = command.planned_start, command.planned_end, command.travel_minutes
            spot = spot_of(command.technician_id, start, end, way)
            coming[number] = coming_of(order, spot, by_hand=number in question.pins)
    clock = DayClock(proposal.day, settings.zone)
    orders = {order.id: order for order in held.values()}
    for hold_id, (who, minute, way) in _places_of_held(question, proposal.plan, held).items():
        order, start = orders[hold_id], clock.instant(minute)
        if (order.technician_id, order.planned_start) == (who, start):
            continue  # it stays where it is held, and is looked at when it is confirmed
        end = start + timedelta(minutes=order.expected_minutes)
        coming[order.number] = coming_of(order, spot_of(who, start, end, way))
    refused = objections(session, settings.zone, coming, known=proposal.absences)
    if not refused:
        return {}
    now = {name: there for name in coming if (there := spot_now(question.orders[name]))}
    return in_the_way(refused, coming, now)


def _places_of_held(
    question: Question, plan: Plan | None, held: Mapping[str, WorkOrder]
) -> dict[UUID, tuple[UUID, int, int]]:
    return {
        held[visit.job_id].id: (
            question.technicians[person],
            visit.start,
            question.on_the_road(visit.arrive, visit.travel_minutes),
        )
        for person, visit in (plan.visits() if plan else ())
        if visit.job_id in held
    }


def _lock(session: Session, question: Question) -> dict[UUID, WorkOrderRow]:
    """Every order that may be moved, as it is now, held until the plan is booked; by number."""
    query = (
        select(WorkOrderRow)
        .join(ServiceLocationRow, ServiceLocationRow.id == WorkOrderRow.location_id)
        .where(WorkOrderRow.id.in_([order.id for order in question.open_orders]))
        # In the order in which server/work_orders/repository.py does, so that nobody waits in a circle.
        .order_by(WorkOrderRow.location_id, WorkOrderRow.id)
        .with_for_update(of=(ServiceLocationRow, WorkOrderRow), key_share=True)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in session.scalars(query)}


def _has_changed(row: WorkOrderRow, seen: WorkOrder) -> bool:
    """Whether somebody started, cancelled or moved the order meanwhile. A note on it is no reason to wait."""
    now = (row.state, row.technician_id, row.planned_start, row.planned_end)
    return now != (seen.state, seen.technician_id, seen.planned_start, seen.planned_end)


def _figures(
    proposal: Proposal,
    undone: Sequence[LeftUndone],
    changed: int,
    skipped: set[str],
    refused: Mapping[str, str],
) -> dict[str, Any]:
    plan, question = proposal.plan, proposal.question
    routes = plan.routes if plan else ()
    visits = [visit for route in routes for visit in route.visits]
    out = skipped | refused.keys() | question.held
    begun = sum(visit.fixed for visit in visits)
    return {
        "work_orders": len(question.open_orders),
        "planned": sum(not v.fixed and v.job_id not in out for v in visits),
        "unassigned": len(undone),
        "reasons": dict(sorted(Counter(left.code for left in undone).items())),
        "begun": begun,
        "off_roads": list(question.off_roads),
        "pinned": list(proposal.pinned),
        "changed": changed,
        "skipped": len(skipped),
        "refused": [f"{number}: {sentence}" for number, sentence in sorted(refused.items())],
        "technicians": len(question.technicians),
        "technicians_used": sum(bool(route.visits) for route in routes),
        "travel_minutes": sum(route.travel_minutes for route in routes),
        "travel_km": round(sum(route.travel_metres for route in routes) / 1000, 1),
        "cost_minor": {**asdict(plan.cost), "total": plan.cost.total} if plan else {},
    }


def _breaks(question: Question, plan: Plan | None) -> dict[str, dict[str, int]]:
    """Technician → earliest start by the wall → minute; breaks that have begun stay, as lunches do."""
    found = {
        str(who): {str(name): at for name, at in had.items()} for who, had in question.breaks_had.items()
    }
    for route in plan.routes if plan else ():
        who = question.technicians[route.technician_id]
        for name, start in zip(question.breaks.get(who, ()), route.break_starts, strict=False):
            found.setdefault(str(who), {})[str(name)] = start
    return found


def _lunches(question: Question, plan: Plan | None) -> dict[str, int]:
    """Technician → minute; lunches that have begun stay, for the next plan must know them."""
    lunches = {str(technician): minute for technician, minute in question.lunches_had.items()}
    for route in plan.routes if plan else ():
        if route.lunch_start is not None:
            lunches[str(question.technicians[route.technician_id])] = route.lunch_start
    return lunches
