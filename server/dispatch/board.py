"""The dispatcher's board as values: everything the page shows of one day, from one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from server.access.models import DeviceRow
from server.customers.models import CustomerRow, ServiceLocationRow
from server.db import feed
from server.db.feed_models import CommandRow
from server.dispatch import absences
from server.dispatch.absences import AbsenceRow
from server.dispatch.breaks import breaks_of
from server.dispatch.cards import (
    NOT_PLANNED,
    Board,
    BreakCard,
    CardLink,
    DayNow,
    HeldCard,
    LeftOut,
    PlanCard,
    TechnicianCard,
    TechnicianNow,
    Totals,
    WorkOrderCard,
)
from server.dispatch.link_rows import ties
from server.dispatch.links import Ties
from server.dispatch.meaning import in_words
from server.dispatch.models import DayPlanRow, TechnicianRow, UnassignedRow
from server.dispatch.preferences import of_orders
from server.dispatch.timeliness import Level, Stop, Timeliness, follow_route, judge_alone
from server.dispatch.waiting import Wait, who_waits
from server.stock.models import StockPlaceRow
from server.work_orders.models import WorkOrderRow
from shared.problems import BadValue
from shared.skills import SkillNeed
from shared.work_orders import WorkOrderKind, WorkOrderState


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants at which the local day begins and ends: 23, 24 or 25 hours apart. Raises BadValue."""
    if not 1900 < day.year < 9000:
        raise BadValue(f"There is no plan for the year {day.year}", field="day")
    start = datetime.combine(day, time(), zone)
    end = datetime.combine(day + timedelta(days=1), time(), zone)
    return start, end


def snapshot(session: Session, day: date, zone: ZoneInfo, now: datetime) -> Board:
    """Everything the board shows of `day`, as of this session's snapshot."""
    start, end = day_bounds(day, zone)
    position = feed.head(session)
    found = _cards(session, of_day(start, end))
    crew = technicians(session, newest_plan(session, day))
    present = _day_now(found, crew, now, zone, absences.of_day(session, *_looked_at(start, end, now)))
    waiting = held(session)
    return Board(
        day=day,
        time_zone=zone.key,
        day_start=start,
        day_end=end,
        generated_at=now,
        feed=str(position),
        plan=plan_card(newest_plan(session, day)),
        technicians=crew,
        work_orders=found,
        unassigned=tuple(card.left_out for card in found if card.left_out),
        held=waiting,
        now=present,
        totals=_totals(found, present, waiting),
    )


def day_now(session: Session, day: date, zone: ZoneInfo, now: datetime) -> DayNow:
    """What the clock has done to the day's promises, without the rest."""
    start, end = day_bounds(day, zone)
    found = _cards(session, of_day(start, end))
    away = absences.of_day(session, *_looked_at(start, end, now))
    return _day_now(found, technicians(session, None), now, zone, away)


def _looked_at(start: datetime, end: datetime, now: datetime) -> tuple[datetime, datetime]:
    """Who is away at this moment, on the board of today; of another day, at any time of it."""
    return (now, now + timedelta(microseconds=1)) if start <= now < end else (start, end)


def work_orders(session: Session, ids: Iterable[UUID]) -> tuple[WorkOrderCard, ...]:
    """The cards of these work orders, whatever their day."""
    return _cards(session, WorkOrderRow.id.in_(list(ids)))


def of_day(start: datetime, end: datetime) -> ColumnElement[bool]:
    def within(column: Any) -> ColumnElement[bool]:
        return and_(column >= start, column < end)

    row = WorkOrderRow
    waiting = and_(
        row.state == WorkOrderState.UNASSIGNED, or_(row.window_start.is_(None), row.window_start < end)
    )
    moments = (row.planned_start, row.travel_started_at, row.finished_at, row.window_start)
    return or_(waiting, *(within(moment) for moment in moments))


def _cards(session: Session, condition: ColumnElement[bool]) -> tuple[WorkOrderCard, ...]:
    query = (
        select(WorkOrderRow, CustomerRow.name, ServiceLocationRow)
        .join(CustomerRow, CustomerRow.id == WorkOrderRow.customer_id)
        .join(ServiceLocationRow, ServiceLocationRow.id == WorkOrderRow.location_id)
        .where(condition)
        .order_by(WorkOrderRow.planned_start, WorkOrderRow.priority, WorkOrderRow.number)
    )
    rows = session.execute(query).all()
    reasons = _reasons(session, [row.id for row, _, _ in rows if row.state == WorkOrderState.UNASSIGNED])
    linked = card_links(ties(session, [row.id for row, _, _ in rows]))
    preferred = of_orders(session, [row.id for row, _, _ in rows])
    return tuple(
        replace(_card(row, customer, place, reasons, linked.get(row.id, ())), preferred=preferred.get(row.id))
        for row, customer, place in rows
    )


def card_links(found: Ties) -> dict[UUID, tuple[CardLink, ...]]:
    """Work order → what it depends on, and what depends on it."""
    shown: dict[UUID, tuple[CardLink, ...]] = {}
    for link in found.links:
        before = "before" if link.kind == "after" else "together"
        for id, other_id, kind in (
            (link.order_id, link.other_id, link.kind),
            (link.other_id, link.order_id, before),
        ):
            other = found.ends[other_id]
            card = CardLink(
                id=link.id,
                kind=kind,
                work_order_id=other.id,
                number=other.number,
                state=other.state,
                gap_minutes=link.gap_least,
                gap_most_minutes=link.gap_most,
            )
            shown[id] = (*shown.get(id, ()), card)
    return shown


def _card(
    row: WorkOrderRow,
    customer: str,
    place: ServiceLocationRow,
    reasons: dict[UUID, LeftOut],
    links: tuple[CardLink, ...],
) -> WorkOrderCard:
    state = WorkOrderState(row.state)
    not_planned = LeftOut(work_order_id=row.id, code=NOT_PLANNED, reason="Not in a plan yet")
    return WorkOrderCard(
        id=row.id,
        number=row.number,
        version=row.version,
        kind=WorkOrderKind(row.kind),
        state=state,
        priority=row.priority,
        summary=row.summary,
        customer=customer,
        address=f"{place.street} {place.house_number}, {place.city}".strip(", "),
        lat=place.lat,
        lon=place.lon,
        skills=tuple(
            SkillNeed(need["name"], need["level"]) for need in row.requirements.get("required_skills", [])
        ),
        expected_minutes=row.expected_minutes,
        window_start=row.window_start,
        window_end=row.window_end,
        sla_due_at=row.sla_due_at,
        technician_id=row.technician_id,
        planned_start=row.planned_start,
        planned_end=row.planned_end,
        travel_minutes=row.travel_minutes,
        travel_started_at=row.travel_started_at,
        arrived_at=row.arrived_at,
        finished_at=row.finished_at,
        unfinished_reason=row.unfinished_reason,
        freed_minutes=row.freed_minutes,
        why=row.why,
        left_out=reasons.get(row.id, not_planned) if state is WorkOrderState.UNASSIGNED else None,
        links=links,
    )


def _reasons(session: Session, ids: Sequence[UUID]) -> dict[UUID, LeftOut]:
    """What the plans in force say about these jobs; one that a newer plan of its day replaced is silent."""
    newer = aliased(DayPlanRow)
    replaced = exists().where(newer.day == DayPlanRow.day, newer.made_at > DayPlanRow.made_at)
    query = (
        select(UnassignedRow)
        .join(DayPlanRow, DayPlanRow.id == UnassignedRow.day_plan_id)
        .where(UnassignedRow.work_order_id.in_(ids), ~replaced)
        .order_by(DayPlanRow.made_at)
    )
    rows = session.scalars(query) if ids else ()
    return {
        row.work_order_id: LeftOut(work_order_id=row.work_order_id, code=row.code, reason=row.reason)
        for row in rows
    }


def newest_plan(session: Session, day: date) -> DayPlanRow | None:
    query = select(DayPlanRow).where(DayPlanRow.day == day).order_by(DayPlanRow.made_at.desc()).limit(1)
    return session.scalar(query)


def left_out_of(session: Session, plan: DayPlanRow) -> tuple[LeftOut, ...]:
    rows = session.scalars(select(UnassignedRow).where(UnassignedRow.day_plan_id == plan.id))
    return tuple(LeftOut(work_order_id=row.work_order_id, code=row.code, reason=row.reason) for row in rows)


def plan_card(row: DayPlanRow | None) -> PlanCard | None:
    if row is None:
        return None
    return PlanCard(
        id=row.id,
        day=row.day,
        made_at=row.made_at,
        engine=row.engine,
        roads=row.roads,
        roads_estimated=row.roads_estimated,
        seconds=row.seconds,
        figures=row.figures,
    )


def technicians(session: Session, plan: DayPlanRow | None) -> tuple[TechnicianCard, ...]:
    """Everybody who may drive, by name. `plan` knows when they have lunch."""
    lunches = plan.lunches if plan else {}
    query = (
        select(TechnicianRow, StockPlaceRow.name)
        .join(StockPlaceRow, StockPlaceRow.id == TechnicianRow.van_id)
        .where(TechnicianRow.active)
        .order_by(TechnicianRow.name)
    )
    return tuple(
        TechnicianCard(
            id=row.id,
            name=row.name,
            phone=row.phone,
            van=van,
            skills=row.skills,
            shift_start_minute=row.shift_start_minute,
            shift_end_minute=row.shift_end_minute,
            lunch_from_minute=row.lunch_from_minute,
            lunch_until_minute=row.lunch_until_minute,
            lunch_minutes=row.lunch_minutes,
            lunch_planned_minute=_minute(lunches.get(str(row.id))),
            start_lat=row.start_lat,
            start_lon=row.start_lon,
            end_lat=row.end_lat,
            end_lon=row.end_lon,
            breaks=_breaks(row, plan),
        )
        for row, van in session.execute(query)
    )


def _breaks(row: TechnicianRow, plan: DayPlanRow | None) -> tuple[BreakCard, ...]:
    planned = (plan.breaks or {}).get(str(row.id), {}) if plan else {}
    return tuple(
        BreakCard(
            from_minute=one.from_minute,
            until_minute=one.until_minute,
            minutes=one.minutes,
            planned_minute=_minute(planned.get(str(one.from_minute))),
        )
        for one in breaks_of(row)
    )


def _minute(found: Any) -> int | None:
    """When lunch starts, in minutes after midnight."""
    return int(found) if isinstance(found, int | float) else None


def held(session: Session, ids: Sequence[UUID] | None = None) -> tuple[HeldCard, ...]:
    """What waits for a dispatcher, oldest first; `ids` asks about some commands only."""
    query = (
        select(CommandRow, WorkOrderRow.number, TechnicianRow.name)
        .outerjoin(WorkOrderRow, WorkOrderRow.id == CommandRow.work_order_id)
        .outerjoin(DeviceRow, DeviceRow.id == CommandRow.device_id)
        .outerjoin(TechnicianRow, TechnicianRow.id == DeviceRow.technician_id)
        .where(CommandRow.outcome == "held", CommandRow.resolved_at.is_(None))
        .order_by(CommandRow.decided_at, CommandRow.seq)
    )
    if ids is not None:
        query = query.where(CommandRow.id.in_(ids))
    return tuple(
        HeldCard(
            id=row.id,
            who=technician or row.actor,
            work_order_id=row.work_order_id if number else None,
            number=number,
            wanted=in_words(row.type, row.body),
            detail=row.detail or "",
            happened_at=row.happened_at,
            decided_at=row.decided_at,
        )
        for row, number, technician in session.execute(query)
    )


def _stop(card: WorkOrderCard) -> Stop:
    return Stop(
        id=card.id,
        state=card.state,
        expected_minutes=card.expected_minutes,
        travel_minutes=card.travel_minutes,
        window_start=card.window_start,
        window_end=card.window_end,
        sla_due_at=card.sla_due_at,
        planned_start=card.planned_start,
        planned_end=card.planned_end,
        travel_started_at=card.travel_started_at,
        arrived_at=card.arrived_at,
        finished_at=card.finished_at,
    )


def _day_now(
    found: Sequence[WorkOrderCard],
    crew: Sequence[TechnicianCard],
    now: datetime,
    zone: ZoneInfo,
    absent: Sequence[AbsenceRow],
) -> DayNow:
    routes: dict[UUID, list[WorkOrderCard]] = defaultdict(list)
    nobodys: list[WorkOrderCard] = []
    for card in found:
        (routes[card.technician_id] if card.technician_id else nobodys).append(card)
    judged: list[Timeliness] = judge_alone([_stop(card) for card in nobodys], now, zone)
    day = {id: [_stop(card) for card in cards] for id, cards in routes.items()}
    held = who_waits(_waits(found), day, now, zone)
    behind: dict[UUID, int] = {}
    for technician_id, stops in day.items():
        route = follow_route(stops, now, zone, held)
        behind[technician_id] = route.minutes_behind
        judged.extend(route.stops)
    away = {row.technician_id: row for row in absent}
    people = tuple(
        _whereabouts(one.id, behind.get(one.id, 0), routes.get(one.id, []), away.get(one.id)) for one in crew
    )
    return DayNow(at=now, technicians=people, work_orders=tuple(judged))


def _waits(found: Sequence[WorkOrderCard]) -> list[Wait]:
    return [
        Wait(
            kind="after" if link.kind == "after" else "together",
            stop=card.id,
            other=link.work_order_id,
            number=link.number,
            gap_minutes=link.gap_minutes,
        )
        for card in found
        for link in card.links
        if link.kind != "before"
    ]


def _whereabouts(
    technician_id: UUID, behind: int, cards: Sequence[WorkOrderCard], away: AbsenceRow | None
) -> TechnicianNow:
    signs = [
        (at, doing, card)
        for card in cards
        for at, doing in (
            (card.travel_started_at, "to" if card.state is WorkOrderState.TRAVELLING else None),
            (card.arrived_at, "at"),
        )
        if at is not None and doing is not None
    ]
    last = max(signs, key=lambda sign: sign[0], default=None)
    return TechnicianNow(
        id=technician_id,
        minutes_behind=behind,
        doing=last[1] if last else None,
        work_order_id=last[2].id if last else None,
        since=last[0] if last else None,
        lat=last[2].lat if last else None,
        lon=last[2].lon if last else None,
        away_until=away.ends_at if away else None,
        away_reason=away.reason if away else None,
    )


def _totals(found: Sequence[WorkOrderCard], present: DayNow, waiting: Sequence[HeldCard]) -> Totals:
    def count(*states: WorkOrderState) -> int:
        return sum(card.state in states for card in found)

    def judged(level: Level) -> int:
        return sum(verdict.level is level for verdict in present.work_orders)

    return Totals(
        work_orders=len(found),
        unassigned=count(WorkOrderState.UNASSIGNED),
        assigned=count(WorkOrderState.ASSIGNED),
        under_way=count(WorkOrderState.TRAVELLING, WorkOrderState.ON_SITE),
        completed=count(WorkOrderState.COMPLETED),
        unfinished=count(WorkOrderState.UNFINISHED),
        cancelled=count(WorkOrderState.CANCELLED),
        late=judged(Level.LATE),
        at_risk=judged(Level.AT_RISK),
        held=len(waiting),
    )
