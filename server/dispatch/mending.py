"""Mend the day: what would move and who must be told, as a proposal; and its booking, if it still holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from pydantic import AwareDatetime, Field
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from scheduler.mend import KeptLate, Mended, mend
from scheduler.plan import Plan, Route, Visit
from server import office
from server.db import feed
from server.db.engine import Database
from server.dispatch.board import day_bounds, newest_plan
from server.dispatch.day_clock import DayClock
from server.dispatch.day_rows import clock_of, read_day
from server.dispatch.in_force import in_force
from server.dispatch.link_rows import link_ids
from server.dispatch.models import TechnicianRow
from server.dispatch.override_rows import let_go, pins
from server.dispatch.plan_request import Question, ask
from server.dispatch.rechecks import Coming, Spot, coming_of, in_the_way, objections, spot_now, spot_of
from server.dispatch.roads import travel_times
from server.dispatch.slot_models import SlotHoldRow
from server.dispatch.slot_rows import Needs, follow, held_meanwhile, lock_day
from server.settings import Settings
from server.work_orders import repository
from server.work_orders.models import WorkOrderRow
from shared.commands import AssignWorkOrder
from shared.problems import BadValue, ChangedMeanwhile, NotFound
from shared.work_orders import WorkOrder, WorkOrderState
from sync.server.ports import Clash

TELL_MAX = 5
"""So many customers are told a new time, unless the dispatcher says otherwise."""
TELL_LIMIT = 200
Small = Annotated[int, Field(ge=0, le=10_000)]
SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One visit at its new place. `tells`: its customer must be told a new time. `was`: as it is told now."""

    work_order_id: UUID
    number: str
    technician_id: UUID
    technician: str
    planned_start: AwareDatetime
    planned_end: AwareDatetime
    travel_minutes: Small
    route_position: Small
    tells: bool
    was: datetime | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaysLate:
    """A visit that is left as it is and will not be in time. `why`: "limit" or "nobody" (can come sooner)."""

    work_order_id: UUID
    number: str
    minutes: int
    why: Literal["limit", "nobody"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMove:
    """A held time slot that gets another place behind its window."""

    hold_id: UUID
    technician_id: UUID
    planned_start: AwareDatetime
    travel_minutes: Small


@dataclass(frozen=True, slots=True, kw_only=True)
class RestsOn:
    """What the proposal was worked out from. `orders`: work order → version, of all whom it touches.

    absences: those that were known then.
    """

    orders: dict[UUID, int]
    technicians: tuple[UUID, ...]
    holds: tuple[UUID, ...]
    links: tuple[UUID, ...] = ()
    absences: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is booked when the dispatcher says yes. lunches: technician → minute, where a round changes;
    breaks: those beside lunch, by their earliest start by the wall.

    whole: the moves are for one another's sake, so that all are booked or none.
    """

    day: date
    moves: tuple[Move, ...]
    holds: tuple[HeldMove, ...]
    lunches: dict[UUID, Small]
    rests_on: RestsOn
    breaks: dict[UUID, dict[int, Small]] = field(default_factory=dict)
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MendProposal:
    """costs in minor units, with the price of every broken promise and every visit moved."""

    choice: Choice
    told: int
    tell_max: int
    stays_late: tuple[StaysLate, ...]
    left_out: tuple[StaysLate, ...]
    cost_before_minor: int
    cost_after_minor: int
    roads: str
    roads_estimated: bool
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MendOutcome:
    """refused: a sentence for each move that can't be any more; its visit stays as it was."""

    moved: int
    told: int
    refused: tuple[str, ...] = ()


def propose_mend(
    database: Database,
    settings: Settings,
    now: datetime,
    day: date,
    *,
    tell_max: int = TELL_MAX,
    seconds: float = SECONDS,
    rounds: int | None = None,
) -> MendProposal:
    """Nothing is booked. Raises BadValue for a day that is over."""
    if not 0 <= tell_max <= TELL_LIMIT:
        raise BadValue(f"Tell 0 to {TELL_LIMIT} customers", field="tell_max")
    clock = clock_of(settings, day, now)
    with database.read() as session:
        found = read_day(session, clock, now)
        people = {id: name for id, name in session.execute(select(TechnicianRow.id, TechnicianRow.name))}
    travel = travel_times(settings)
    question = ask(found.rows, travel)
    if question.request is None:
        choice = Choice(
            day=day, moves=(), holds=(), lunches={}, rests_on=RestsOn(orders={}, technicians=(), holds=())
        )
        return _proposal(choice, None, (), (), tell_max, travel.name, travel.estimated)
    plan = as_told(question, clock, people)
    mended = mend(question.request, plan, tell_max=tell_max, seconds=seconds, rounds=rounds)
    choice = choice_of(
        clock,
        question,
        plan,
        mended.plan,
        set(mended.told),
        {c.job_id for c in mended.changes},
        absences=found.absences,
    )
    stays = tuple(_stays(question, late) for late in mended.kept_late if late.place is not None)
    left = tuple(_stays(question, late) for late in mended.kept_late if late.place is None)
    request = question.request
    return _proposal(choice, mended, stays, left, tell_max, request.travel.engine, request.travel.estimated)


def _proposal(
    choice: Choice,
    mended: Mended | None,
    stays: tuple[StaysLate, ...],
    left: tuple[StaysLate, ...],
    tell_max: int,
    roads: str,
    estimated: bool,
) -> MendProposal:
    told = sum(move.tells for move in choice.moves)
    parts = [f"{_count(len(choice.moves), 'visit')} moved" if choice.moves else "Nothing has to move"]
    if choice.moves:
        parts.append(f"{_count(told, 'customer')} to be told a new time" if told else "nobody has to be told")
    if stays or left:
        parts.append(f"{len(stays) + len(left)} late as they are")
    return MendProposal(
        choice=choice,
        told=told,
        tell_max=tell_max,
        stays_late=stays,
        left_out=left,
        cost_before_minor=mended.cost_before if mended else 0,
        cost_after_minor=mended.cost_after if mended else 0,
        roads=roads,
        roads_estimated=estimated,
        sentence="; ".join(parts),
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def as_told(question: Question, clock: DayClock, people: Mapping[UUID, str]) -> Plan:
    """The plan in force, with the visits of those who are not there any more under their own names."""
    assert question.request is not None
    plan = in_force(question.request, "")
    known = set(question.technicians.values())
    gone: dict[UUID, list[WorkOrder]] = {}
    for order in question.open_orders:
        told = order.state is WorkOrderState.ASSIGNED and order.planned_start is not None
        if told and order.technician_id is not None and order.technician_id not in known:
            gone.setdefault(order.technician_id, []).append(order)
    routes = tuple(_route_of(people.get(id, "Somebody"), some, clock) for id, some in gone.items())
    return Plan(
        routes=plan.routes + routes,
        unassigned=(),
        cost=plan.cost,
        engine=plan.engine,
        roads=plan.roads,
        roads_estimated=plan.roads_estimated,
        seed=0,
    )


def _route_of(name: str, orders: Sequence[WorkOrder], clock: DayClock) -> Route:
    visits = []
    for order in sorted(orders, key=lambda one: (one.planned_start, one.number)):
        start = max(0, clock.minute(order.planned_start)) if order.planned_start else 0
        visits.append(
            Visit(
                job_id=order.number,
                arrive=start,
                start=start,
                end=start + order.expected_minutes,
                travel_minutes=0,
                travel_metres=0,
            )
        )
    return Route(technician_id=f"{name} (away)", visits=tuple(visits), leave=0, back=0)


def choice_of(
    clock: DayClock,
    question: Question,
    before: Plan,
    after: Plan,
    told: set[str],
    changed: set[str],
    *,
    absences: Collection[UUID] = (),
    whole: bool = False,
) -> Choice:
    """What books the visits `changed` of `after`, and what it rests on."""
    was = {visit.job_id: (person, visit.start) for person, visit in before.visits()}
    moves: list[Move] = []
    holds: list[HeldMove] = []
    names: set[str] = set()
    for route in after.routes:
        for position, visit in enumerate(route.visits):
            if visit.job_id not in changed:
                continue
            names |= {route.technician_id, *([was[visit.job_id][0]] if visit.job_id in was else [])}
            drive = question.on_the_road(visit.arrive, visit.travel_minutes)
            order, technician_id = question.orders[visit.job_id], question.technicians[route.technician_id]
            start = clock.instant(visit.start)
            if visit.job_id in question.held:
                holds.append(
                    HeldMove(
                        hold_id=order.id, technician_id=technician_id, planned_start=start,
                        travel_minutes=drive,
                    )
                )  # fmt: skip
                continue
            moves.append(
                Move(
                    work_order_id=order.id,
                    number=order.number,
                    technician_id=technician_id,
                    technician=route.technician_id,
                    planned_start=start,
                    planned_end=start + timedelta(minutes=max(1, visit.end - visit.start)),
                    travel_minutes=drive,
                    route_position=position,
                    tells=visit.job_id in told,
                    was=order.planned_start if visit.job_id in was else None,
                    sentence=_sentence(clock, order, route.technician_id, start, was.get(visit.job_id)),
                )
            )
    touched = [question.technicians[name] for name in sorted(names) if name in question.technicians]
    return Choice(
        day=clock.day,
        moves=tuple(sorted(moves, key=lambda move: (move.planned_start, move.number))),
        holds=tuple(holds),
        lunches={
            question.technicians[route.technician_id]: route.lunch_start
            for route in after.routes
            if route.technician_id in names and route.lunch_start is not None
        },
        breaks={
            who: dict(zip(question.breaks.get(who, ()), route.break_starts, strict=False))
            for route in after.routes
            if route.technician_id in names and route.break_starts
            for who in [question.technicians[route.technician_id]]
        },
        rests_on=RestsOn(
            orders=_versions(question, set(touched), {move.work_order_id for move in moves}),
            technicians=tuple(touched),
            holds=tuple(sorted(question.orders[number].id for number in question.held)),
            links=tuple(sorted(question.links)),
            absences=tuple(sorted(absences)),
        ),
        whole=whole,
    )


def _versions(question: Question, technicians: set[UUID], moved: set[UUID]) -> dict[UUID, int]:
    return {
        order.id: order.version
        for number, order in question.orders.items()
        if number not in question.held and (order.technician_id in technicians or order.id in moved)
    }


def _sentence(
    clock: DayClock, order: WorkOrder, technician: str, start: datetime, was: tuple[str, int] | None
) -> str:
    def local(at: datetime) -> str:
        return f"{at.astimezone(clock.zone):%H:%M}"

    if was is None:
        return f"{order.number} to {technician} at {local(start)}"
    who, minute = was
    to = f"to {technician}, " if who != technician else f"stays with {technician}, "
    return f"{order.number} {to}{local(clock.instant(minute))} → {local(start)}"


def _stays(question: Question, late: KeptLate) -> StaysLate:
    return StaysLate(
        work_order_id=question.orders[late.job_id].id,
        number=late.job_id,
        minutes=late.minutes,
        why=late.why,
        reason=late.reason,
    )


def apply_mend(
    database: Database, settings: Settings, choice: Choice, now: datetime, *, by: str
) -> MendOutcome:
    """Book what was proposed, but for moves to somebody who can't come any more.

    Raises ChangedMeanwhile, naming what, and then nothing has moved.
    """
    clock = clock_of(settings, choice.day, now)
    for _ in range(office.TRIES):
        with suppress(Clash), database.write() as session:
            return _book(session, settings, choice, clock, now, by)
    raise ChangedMeanwhile("Somebody changed the same visits again and again in this moment. Look again")


def _book(
    session: Session, settings: Settings, choice: Choice, clock: DayClock, now: datetime, by: str
) -> MendOutcome:
    lock_day(session, choice.day)
    _check(session, settings, choice, clock, now)
    for one in choice.holds:
        _check_hold(session, one)
    refused = _refused(session, settings, choice)
    choice = _without(choice, refused)
    if refused and (choice.whole or not (choice.moves or choice.holds)):
        raise ChangedMeanwhile(f"{'. '.join(refused.values())}. Look at the day again")
    commands = [
        AssignWorkOrder(
            work_order_id=move.work_order_id,
            technician_id=move.technician_id,
            planned_start=move.planned_start,
            planned_end=move.planned_end,
            travel_minutes=move.travel_minutes,
            route_position=move.route_position,
        )
        for move in choice.moves
    ]
    office.apply(session, settings, commands, by, now)
    let_go(session, [move.work_order_id for move in choice.moves], by=by, now=now, why="the day was mended")
    places = {
        one.hold_id: (one.technician_id, clock.minute(one.planned_start), one.travel_minutes)
        for one in choice.holds
    }
    follow(session, clock, places)
    _lunches(session, choice, by, now)
    return MendOutcome(
        moved=len(choice.moves),
        told=sum(move.tells for move in choice.moves),
        refused=tuple(refused.values()),
    )


def _refused(session: Session, settings: Settings, choice: Choice) -> dict[str, str]:
    """Id → why that move can't be any more, of visits and held slots."""
    ids = {move.work_order_id for move in choice.moves}
    orders = {str(order.id): order for order in repository.load(session, ids)}
    pinned = pins(session, ids)
    coming: dict[str, Coming] = {}
    now: dict[str, Spot] = {}
    for move in choice.moves:
        name, order = str(move.work_order_id), orders[str(move.work_order_id)]
        spot = spot_of(move.technician_id, move.planned_start, move.planned_end, move.travel_minutes)
        coming[name] = coming_of(order, spot, by_hand=order.id in pinned)
        if there := spot_now(order):
            now[name] = there
    for one in choice.holds:
        row = session.get_one(SlotHoldRow, one.hold_id)
        needs = msgspec.convert(row.needs, Needs)
        name, lasts = str(row.id), timedelta(minutes=needs.minutes)
        now[name] = spot_of(row.technician_id, row.starts_at, row.starts_at + lasts, row.travel_minutes)
        start = one.planned_start
        spot = spot_of(one.technician_id, start, start + lasts, one.travel_minutes)
        coming[name] = Coming(spot=spot, skills=needs.required_skills)
    found = objections(session, settings.zone, coming, known=choice.rests_on.absences)
    if not found:
        return {}
    numbers = {name: order.number for name, order in orders.items()}
    said = in_the_way(found, coming, now)
    return {name: f"{numbers.get(name, 'A held time slot')}: {sentence}" for name, sentence in said.items()}


def _without(choice: Choice, refused: Mapping[str, str]) -> Choice:
    if not refused:
        return choice
    return replace(
        choice,
        moves=tuple(move for move in choice.moves if str(move.work_order_id) not in refused),
        holds=tuple(one for one in choice.holds if str(one.hold_id) not in refused),
    )


def _check_hold(session: Session, one: HeldMove) -> None:
    row, person = session.get(SlotHoldRow, one.hold_id), session.get(TechnicianRow, one.technician_id)
    if row is None or person is None:
        raise NotFound("There is no such hold or technician", field="holds")
    if not row.window_start <= one.planned_start < row.window_end:
        raise BadValue("A held time slot keeps its window", field="holds")


def _check(session: Session, settings: Settings, choice: Choice, clock: DayClock, now: datetime) -> None:
    """The orders that it moves, and all others of the technicians that it touches, are as they were."""
    ids = {*choice.rests_on.orders} | {move.work_order_id for move in choice.moves}
    start, end = day_bounds(clock.day, clock.zone)
    row = WorkOrderRow
    theirs = and_(
        row.technician_id.in_(choice.rests_on.technicians),
        row.planned_start >= start,
        row.planned_start < end,
    )
    query = (
        select(row).where(or_(row.id.in_(ids), theirs)).order_by(row.location_id, row.id).with_for_update()
    )
    found = session.scalars(query.execution_options(populate_existing=True)).all()
    seen = choice.rests_on.orders
    changed = sorted(one.number for one in found if seen.get(one.id) != one.version)
    if changed or len(found) < len(ids):
        what = ", ".join(changed[:5]) or "An order"
        raise ChangedMeanwhile(f"{what} changed meanwhile. Look at the proposal again", subject=what)
    if link_ids(session, ids) - set(choice.rests_on.links):
        raise ChangedMeanwhile("Somebody has linked one of the visits since. Look at the proposal again")
    if held_meanwhile(session, choice.day, choice.rests_on.holds, now):
        raise ChangedMeanwhile("Somebody holds a time slot of this day since. Look at the proposal again")


def _lunches(session: Session, choice: Choice, by: str, now: datetime) -> None:
    """Lunch moves with the round, and the board shows when it is."""
    plan = newest_plan(session, choice.day)
    if plan is None or not (choice.lunches or choice.breaks):
        return
    plan.lunches = {**plan.lunches, **{str(id): minute for id, minute in choice.lunches.items()}}
    moved = {str(id): {str(name): at for name, at in some.items()} for id, some in choice.breaks.items()}
    plan.breaks = {**plan.breaks, **{id: {**plan.breaks.get(id, {}), **some} for id, some in moved.items()}}
    facts = {"day": choice.day.isoformat()}
    feed.append(session, [feed.BOARD], "day_plan", plan.id, "DayMended", at=now, actor=by, facts=facts)
