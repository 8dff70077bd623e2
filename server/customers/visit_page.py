"""What a customer may know of a visit: its window, how far it is, who comes, and the receipt.

No other customer, no position on a map, no surname, and nothing that moves once the visit is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.customers.models import CustomerRow, ServiceLocationRow
from server.customers.receipt import Receipt, receipt
from server.customers.words import Words, words_for
from server.dispatch.link_rows import ties
from server.dispatch.models import TechnicianRow
from server.dispatch.timeliness import Stop, follow_route
from server.dispatch.waiting import waits_of, who_waits
from server.stock.models import StockPlaceRow
from server.work_orders.models import WorkOrderRow
from shared.problems import NotFound
from shared.work_orders import WorkOrderKind
from shared.work_orders import WorkOrderState as State

SHOW_ESTIMATE = timedelta(hours=6)
"""An estimated arrival further away than this would be guessing."""
ROUTE_REACH = timedelta(hours=14)
WORD_JOINER = "\u2060"
"""Keeps the two ends of a window on one line of a small screen."""


class Status(StrEnum):
    WAITING = "waiting"
    PLANNED = "planned"
    ON_THE_WAY = "on_the_way"
    HERE = "here"
    DONE = "done"
    UNFINISHED = "unfinished"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        return self in (Status.DONE, Status.UNFINISHED, Status.CANCELLED)


STATUS_OF: dict[State, Status] = {
    State.UNASSIGNED: Status.WAITING,
    State.ASSIGNED: Status.PLANNED,
    State.TRAVELLING: Status.ON_THE_WAY,
    State.ON_SITE: Status.HERE,
    State.COMPLETED: Status.DONE,
    State.UNFINISHED: Status.UNFINISHED,
    State.CANCELLED: Status.CANCELLED,
}
_STEP: dict[Status, int] = {Status.PLANNED: 0, Status.ON_THE_WAY: 1, Status.HERE: 2, Status.DONE: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitView:
    """Sentences ready to be shown, in the customer's language and local time. Empty ones are left out."""

    language: str
    status: Status
    step: int | None  # 0 planned … 3 done; None where no step fits
    headline: str
    more: str
    late: bool
    kind: str
    window: str
    technician: str
    van: str
    address: str
    number: str
    receipt: Receipt | None

    @property
    def is_over(self) -> bool:
        return self.status.is_over

    @property
    def may_move(self) -> bool:
        """Nobody has set out yet."""
        return self.status in (Status.WAITING, Status.PLANNED)


def view(
    session: Session, work_order_id: UUID, zone: ZoneInfo, now: datetime, tax_basis_points: int = 0
) -> VisitView:
    """Raises NotFound when the order is gone."""
    query = (
        select(WorkOrderRow, CustomerRow.language, ServiceLocationRow, TechnicianRow.name, StockPlaceRow.name)
        .join(CustomerRow, CustomerRow.id == WorkOrderRow.customer_id)
        .join(ServiceLocationRow, ServiceLocationRow.id == WorkOrderRow.location_id)
        .outerjoin(TechnicianRow, TechnicianRow.id == WorkOrderRow.technician_id)
        .outerjoin(StockPlaceRow, StockPlaceRow.id == TechnicianRow.van_id)
        .where(WorkOrderRow.id == work_order_id)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound("There is no such visit")
    row, language, place, technician, van = found
    words, status = words_for(language), STATUS_OF[State(row.state)]
    arrival = _expected_arrival(session, row, zone, now)
    late = arrival is not None and row.window_end is not None and arrival >= row.window_end
    first_name = (technician or "").split(" ")[0]
    return VisitView(
        language=words.code,
        status=status,
        step=_STEP.get(status),
        headline=_headline(status, words, first_name),
        more=_more(status, words, row, arrival, late, zone),
        late=late,
        kind=words.kinds[WorkOrderKind(row.kind)],
        window=_window(row.window_start, row.window_end, words, zone),
        technician="" if status is Status.CANCELLED else first_name,
        van="" if status.is_over or van is None else van,
        address=f"{place.street} {place.house_number}".strip(),
        number=row.number,
        receipt=receipt(session, row, words, zone, tax_basis_points) if status is Status.DONE else None,
    )


def _headline(status: Status, words: Words, first_name: str) -> str:
    sentence: str = getattr(words, status.value)
    return sentence.format(name=first_name)


def _more(
    status: Status,
    words: Words,
    row: WorkOrderRow,
    arrival: datetime | None,
    late: bool,
    zone: ZoneInfo,
) -> str:
    match status:
        case Status.WAITING:
            return words.waiting_more
        case Status.PLANNED | Status.ON_THE_WAY if arrival is not None:
            sentence = words.running_late if late else words.expected
            return sentence.format(time=words.time(_rounded_up(arrival.astimezone(zone))))
        case Status.DONE if row.finished_at is not None:
            return words.done_more.format(time=words.time(row.finished_at.astimezone(zone)))
        case Status.UNFINISHED:
            return words.unfinished_more
        case Status.CANCELLED:
            return words.cancelled_more
    return ""


def _window(start: datetime | None, end: datetime | None, words: Words, zone: ZoneInfo) -> str:
    if start is None or end is None:
        return words.window_missing
    local_start, local_end = start.astimezone(zone), end.astimezone(zone)
    return words.span(local_start, local_end).replace("–", f"{WORD_JOINER}–{WORD_JOINER}")


def _rounded_up(at: datetime) -> datetime:
    """To the next five minutes: an estimate to the minute would promise too much."""
    early = at.replace(second=0, microsecond=0)
    extra = -early.minute % 5 if early == at else 5 - early.minute % 5
    return early + timedelta(minutes=extra)


def _expected_arrival(session: Session, row: WorkOrderRow, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When somebody will ring, by the plan and by how the technician's day really goes; None if far off."""
    if row.technician_id is None or row.planned_start is None:
        return None
    if State(row.state) not in (State.ASSIGNED, State.TRAVELLING):
        return None
    tied = ties(session, [row.id])
    # Who waits for others is as late as they are: their days are followed too.
    people = {row.technician_id, *(end.technician_id for end in tied.ends.values() if end.technician_id)}
    until = row.planned_start + (ROUTE_REACH if tied.links else timedelta())
    query = select(WorkOrderRow).where(
        WorkOrderRow.technician_id.in_(people),
        WorkOrderRow.planned_start >= row.planned_start - ROUTE_REACH,
        WorkOrderRow.planned_start <= until,
    )
    routes: dict[UUID, list[Stop]] = {}
    for one in session.scalars(query):
        if one.technician_id:
            routes.setdefault(one.technician_id, []).append(_stop(one))
    held = who_waits(waits_of(tied), routes, now, zone)
    route = follow_route(routes.get(row.technician_id, ()), now, zone, held)
    arrival = next((stop.expected_arrival for stop in route.stops if stop.id == row.id), None)
    return arrival if arrival is not None and arrival - now <= SHOW_ESTIMATE else None


def _stop(row: WorkOrderRow) -> Stop:
    return Stop(
        id=row.id,
        state=State(row.state),
        expected_minutes=row.expected_minutes,
        travel_minutes=row.travel_minutes,
        window_start=row.window_start,
        window_end=row.window_end,
        planned_start=row.planned_start,
        planned_end=row.planned_end,
        travel_started_at=row.travel_started_at,
        arrived_at=row.arrived_at,
        finished_at=row.finished_at,
    )
