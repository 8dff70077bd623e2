"""What the database knows of one day, read for the planner from one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from server.dispatch import absences, preferences, traffic
from server.dispatch.board import day_bounds, newest_plan
from server.dispatch.day_clock import DayClock
from server.dispatch.link_rows import link_ids, ties
from server.dispatch.models import DayPlanRow, TechnicianRow
from server.dispatch.override_rows import pins
from server.dispatch.plan_request import DayRows
from server.dispatch.policy import policy_in_force
from server.dispatch.slot_rows import as_orders, holds
from server.settings import Settings
from server.stock import ledger
from server.stock.models import ReservationRow
from server.work_orders import kinds, repository
from server.work_orders.models import WorkOrderRow
from shared.problems import BadValue
from shared.work_orders import WorkOrder, WorkOrderState

OPEN = (WorkOrderState.UNASSIGNED, WorkOrderState.ASSIGNED)
UNDER_WAY = (WorkOrderState.TRAVELLING, WorkOrderState.ON_SITE)
VISITED = (WorkOrderState.COMPLETED, WorkOrderState.UNFINISHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """plan_id: the plan in force when this was read. absences: those that were known then."""

    rows: DayRows
    plan_id: UUID | None
    absences: frozenset[UUID] = frozenset()


def clock_of(settings: Settings, day: date, now: datetime) -> DayClock:
    """Raises BadValue when the day is over."""
    if day < now.astimezone(settings.zone).date():
        raise BadValue(f"{day:%d.%m.%Y} is over; plan today or a day to come", field="day")
    return DayClock(day, settings.zone)


def read_day(
    session: Session,
    clock: DayClock,
    now: datetime,
    *,
    also: Iterable[UUID] = (),
    not_held_for: UUID | None = None,
    of: Collection[UUID] | None = None,
) -> Read:
    """The day's technicians, orders, vans and held slots.

    also: orders that are read whatever their day. not_held_for: an order whose own hold is left out, for it
    is about to be replaced. of: only these technicians, and what they have; None: everybody, and what nobody
    has.
    """
    people = select(TechnicianRow).where(TechnicianRow.active)
    if of is not None:
        people = people.where(TechnicianRow.id.in_(of))
    technicians = session.scalars(people.order_by(TechnicianRow.name, TechnicianRow.id)).all()
    away = absences.of_day(session, *day_bounds(clock.day, clock.zone))
    left = absences.shifts_left(technicians, away, clock, max(0, clock.minute_after(now)))
    technicians = [row for row in technicians if left.get(row.id, ()) is not None]
    orders = _orders(session, clock, now, list(also), of)
    plan = newest_plan(session, clock.day)
    rows = DayRows(
        clock=clock,
        technicians=technicians,
        orders=orders,
        stock=_stock(session, [row.van_id for row in technicians], [order.id for order in orders]),
        lunches=_lunches(plan),
        breaks=breaks_by_plan(plan),
        now=max(0, clock.minute_after(now)),
        policy=policy_in_force(session),
        pins=pins(session, [order.id for order in orders]),
        shifts={id: shift for id, shift in left.items() if shift is not None},
        held=as_orders(session, holds(session, clock.day, now, but_for=not_held_for)),
        ties=ties(session, [order.id for order in orders]),
        setups=kinds.setups(session),
        pace=traffic.in_force(session).pace,
        preferred=preferences.of_orders(
            session, {order.id for order in orders} | ({not_held_for} if not_held_for else set())
        ),
    )
    known = frozenset(one.id for one in away)
    return Read(rows=rows, plan_id=plan.id if plan else None, absences=known)


def mark(session: Session, clock: DayClock, now: datetime, *, not_held_for: UUID | None = None) -> str:
    """What a booking rests on, in short: the same until an order, link, plan or hold of the day changes."""
    plan = newest_plan(session, clock.day)
    row = WorkOrderRow
    query = select(row.id, row.version).where(_of_day(clock, now, [])).order_by(row.id)
    found = session.execute(query).all()
    orders = [f"{id.hex} {version}" for id, version in found]
    linked = sorted(id.hex for id in link_ids(session, [id for id, _ in found]))
    held = [one.id.hex for one in holds(session, clock.day, now, but_for=not_held_for)]
    away = [(one.id, one.ends_at) for one in absences.of_day(session, *day_bounds(clock.day, clock.zone))]
    return sha256(repr((plan and plan.id, orders, linked, held, away)).encode()).hexdigest()


def _orders(
    session: Session,
    clock: DayClock,
    now: datetime,
    also: Sequence[UUID],
    of: Collection[UUID] | None,
) -> list[WorkOrder]:
    found = _of_day(clock, now, also)
    if of is not None:
        row = WorkOrderRow
        found = and_(found, or_(row.technician_id.in_(of), row.id.in_(also)))
    return sorted(repository.find(session, found), key=lambda order: order.number)


def _of_day(clock: DayClock, now: datetime, also: Sequence[UUID]) -> ColumnElement[bool]:
    row = WorkOrderRow
    start, end = day_bounds(clock.day, clock.zone)
    today, _ = day_bounds(now.astimezone(clock.zone).date(), clock.zone)
    on_this_day = and_(row.planned_start >= start, row.planned_start < end)
    # A job planned for a day gone by was not done then. One planned for any other day is not ours to move.
    free = or_(row.planned_start.is_(None), row.planned_start < today)
    promised = or_(row.window_start.is_(None), and_(row.window_start < end, row.window_end > start))
    wanted = [
        and_(row.state.in_(OPEN), or_(on_this_day, and_(free, promised))),
        and_(row.state.in_(VISITED), row.finished_at >= start, row.finished_at < end),
        row.id.in_(also),
    ]
    if start <= now < end:
        wanted.append(row.state.in_(UNDER_WAY))
    return or_(*wanted)


def _stock(session: Session, van_ids: Sequence[UUID], ours: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """What is on each van and not promised to other days' work: this day's own promises are made anew."""
    promised: dict[UUID, dict[str, int]] = defaultdict(dict)
    query = (
        select(ReservationRow.place_id, ReservationRow.sku, func.sum(ReservationRow.quantity))
        .where(ReservationRow.released_at.is_(None), ReservationRow.work_order_id.not_in(ours))
        .group_by(ReservationRow.place_id, ReservationRow.sku)
    )
    for place_id, sku, quantity in session.execute(query):
        promised[place_id][sku] = int(quantity)
    return {
        van_id: {
            sku: max(0, quantity - promised[van_id].get(sku, 0))
            for sku, quantity in ledger.balances(session, van_id).items()
        }
        for van_id in van_ids
    }


def breaks_by_plan(plan: DayPlanRow | None) -> dict[UUID, dict[int, int]]:
    """Technician → earliest start of a break by the wall → the day's minute."""
    kept = (plan.breaks or {}) if plan else {}
    return {UUID(who): {int(name): int(at) for name, at in some.items()} for who, some in kept.items()}


def _lunches(plan: DayPlanRow | None) -> dict[UUID, int]:
    return {UUID(technician): int(minute) for technician, minute in plan.lunches.items()} if plan else {}
