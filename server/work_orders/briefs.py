"""shared.briefs on SQL: what is known of places, and whose phones show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, bindparam, case, func, or_, select, union
from sqlalchemy.orm import Session

from server.customers.models import ServiceLocationRow, ServiceRow
from server.db.base import columns_of, table_of
from server.dispatch.models import TechnicianRow
from server.faults import records as reported
from server.work_orders.models import WorkOrderRow
from shared.briefs import FAULTS_MAX, OPEN_MAX, VISITS_MAX, Fault, OpenOrder, PastVisit, PlaceBrief, Reading
from shared.work_orders import CheckResult, CheckSpec, ServiceState, WorkOrder, WorkOrderKind, WorkOrderState

KIND = "place_brief"
"""Of rows and feed entries; the key is the place's id."""

LATELY = timedelta(days=8)
"""A finished visit may still be on its technician's phone."""

_DONE = (WorkOrderState.COMPLETED, WorkOrderState.CANCELLED)
_VISITED = (WorkOrderState.COMPLETED, WorkOrderState.UNFINISHED)
_order, _place, _service, _technician = (
    columns_of(kind) for kind in (WorkOrderRow, ServiceLocationRow, ServiceRow, TechnicianRow)
)
_PLACES = select(_place.id, _place.cabinet).where(_place.id.in_(bindparam("places", expanding=True)))


def _newest(query: Select[Any], within: Any, order_by: Sequence[Any], most: int) -> Select[Any]:
    """At most so many rows of each group."""
    numbered = query.add_columns(
        func.row_number().over(partition_by=within, order_by=order_by).label("newest")
    ).subquery()
    return select(numbered).where(numbered.c.newest <= most).order_by(numbered.c.newest)


_VISITS = _newest(
    select(
        _order.location_id.label("place_id"),
        _order.id,
        _order.number,
        _order.kind,
        _order.state,
        _order.finished_at,
        _order.unfinished_reason,
        _order.requirements,
        _order.record,
        _technician.name.label("technician"),
    )
    .select_from(table_of(WorkOrderRow))
    .outerjoin(table_of(TechnicianRow), _technician.id == _order.technician_id)
    .where(
        _order.location_id.in_(bindparam("places", expanding=True)),
        _order.state.in_(_VISITED),
        _order.finished_at.is_not(None),
    ),
    _order.location_id,
    (_order.finished_at.desc(), _order.number),
    VISITS_MAX,
)
# Who is or was a customer there; what runs no more tells nothing of the customer's other addresses.
_CUSTOMERS = (
    select(
        _service.location_id,
        _service.customer_id,
        func.max(case((_service.state != ServiceState.TERMINATED, 1), else_=0)).label("runs"),
    )
    .where(_service.location_id.in_(bindparam("places", expanding=True)))
    .group_by(_service.location_id, _service.customer_id)
    .subquery()
)
# One more than is shown, for the phone leaves out the job that it is about.
_OPEN = _newest(
    select(
        _CUSTOMERS.c.location_id.label("place_id"),
        _order.id,
        _order.number,
        _order.kind,
        _order.state,
        _order.planned_start,
        _order.location_id,
    )
    .select_from(table_of(WorkOrderRow))
    .join(_CUSTOMERS, _CUSTOMERS.c.customer_id == _order.customer_id)
    .where(
        _order.state.not_in(_DONE),
        or_(_order.location_id == _CUSTOMERS.c.location_id, _CUSTOMERS.c.runs == 1),
    ),
    _CUSTOMERS.c.location_id,
    (_order.ordered_at.desc(), _order.number),
    OPEN_MAX + 1,
)
_FAULTS = _newest(
    select(_place.cabinet, _order.location_id, _order.number, _order.state, _order.ordered_at)
    .select_from(table_of(WorkOrderRow))
    .join(table_of(ServiceLocationRow), _place.id == _order.location_id)
    .where(
        _place.cabinet.in_(bindparam("cabinets", expanding=True)),
        _order.kind == WorkOrderKind.REPAIR,
        _order.state.not_in(_DONE),
        _order.ordered_at >= bindparam("since"),
    ),
    _place.cabinet,
    (_order.ordered_at.desc(), _order.number),
    2 * FAULTS_MAX,
)


def briefs(session: Session, place_ids: Iterable[UUID], faults_since: datetime) -> list[PlaceBrief]:
    """What is known of each place, with six queries at most, however many they are."""
    wanted = {"places": sorted(set(place_ids))}
    cabinets = {row.id: row.cabinet for row in session.execute(_PLACES, wanted)} if wanted["places"] else {}
    if not cabinets:
        return []
    visits: dict[UUID, list[PastVisit]] = defaultdict(list)
    for row in session.execute(_VISITS, wanted):
        visits[row.place_id].append(_visit(row))
    open_orders: dict[UUID, list[OpenOrder]] = defaultdict(list)
    for row in session.execute(_OPEN, wanted):
        open_orders[row.place_id].append(_open(row))
    faults: dict[str, list[tuple[UUID, Fault]]] = defaultdict(list)
    if named := sorted({cabinet for cabinet in cabinets.values() if cabinet}):
        for row in session.execute(_FAULTS, {"cabinets": named, "since": faults_since}):
            fault = Fault(number=row.number, state=WorkOrderState(row.state), since=row.ordered_at)
            faults[row.cabinet].append((row.location_id, fault))
    reports = reported.open_faults(session, named)
    return [
        PlaceBrief(
            place_id=place_id,
            visits=tuple(visits[place_id]),
            open_orders=tuple(open_orders[place_id]),
            faults=tuple(fault for at, fault in faults[cabinet or ""] if at != place_id)[:FAULTS_MAX],
            network_faults=(reports[cabinet],) if cabinet in reports else (),
        )
        for place_id, cabinet in cabinets.items()
    ]


def _visit(row: Any) -> PastVisit:
    specs = {
        spec.code: spec
        for spec in msgspec.convert(row.requirements.get("required_checks", ()), tuple[CheckSpec, ...])
    }
    newest: dict[str, CheckResult] = {}
    for result in msgspec.convert(row.record.get("checks", ()), tuple[CheckResult, ...]):
        if result.code not in newest or result.at >= newest[result.code].at:
            newest[result.code] = result
    return PastVisit(
        order_id=row.id,
        number=row.number,
        kind=row.kind,
        state=row.state,
        at=row.finished_at,
        technician=row.technician or "",
        reason=row.unfinished_reason,
        readings=tuple(_reading(result, specs.get(code)) for code, result in newest.items()),
    )


def _reading(result: CheckResult, spec: CheckSpec | None) -> Reading:
    return Reading(
        code=result.code,
        value=result.value,
        unit=result.unit,
        passed=result.passed,
        low=spec.low if spec else None,
        high=spec.high if spec else None,
    )


def _open(row: Any) -> OpenOrder:
    return OpenOrder(
        order_id=row.id,
        number=row.number,
        kind=row.kind,
        state=row.state,
        planned_start=row.planned_start,
        here=row.location_id == row.place_id,
    )


# Who shows it


@dataclass(frozen=True, slots=True)
class Touched:
    """A work order that changed in what briefs say of it, or a fault of a cabinet alone.

    `is_fault`: what is known of the cabinet changed with it.
    """

    cabinet: str | None
    is_fault: bool
    topic: str
    actor: str
    place_id: UUID | None = None
    customer_id: UUID | None = None


def differ(before: WorkOrder, after: WorkOrder) -> bool:
    """Whether a brief says something else of the order now, or another phone shows its place."""
    return _told(before) != _told(after)


def _told(order: WorkOrder) -> tuple[object, ...]:
    checks = order.checks if order.state in _VISITED else ()
    plan = (order.technician_id, order.planned_start, order.finished_at, order.unfinished_reason)
    return order.state, *plan, checks, order.split_off


_SHOWN = select(_order.technician_id, _order.location_id).where(
    _order.technician_id.is_not(None),
    or_(_order.finished_at.is_(None), _order.planned_start >= bindparam("since")),
)
# Each way by itself, so that each finds its index: one condition with "or" would read all orders there are.
_SHOWN_BY = union(
    _SHOWN.where(_order.location_id.in_(bindparam("places", expanding=True))),
    _SHOWN.where(
        _order.location_id.in_(
            select(_service.location_id).where(
                _service.customer_id.in_(bindparam("customers", expanding=True))
            )
        )
    ),
    _SHOWN.join(table_of(ServiceLocationRow), _place.id == _order.location_id).where(
        _place.cabinet.in_(bindparam("cabinets", expanding=True))
    ),
)


_SHOWN_OF = _SHOWN.join(table_of(ServiceLocationRow), _place.id == _order.location_id).where(
    _place.cabinet == bindparam("cabinet"), _order.technician_id == bindparam("who")
)


def shown_of(session: Session, technician_id: UUID, cabinet: str, now: datetime) -> set[UUID]:
    """Places on this cabinet whose briefs this technician's phone may show."""
    asked = {"cabinet": cabinet, "who": technician_id, "since": now - LATELY}
    return {place for _, place in session.execute(_SHOWN_OF, asked)}


def shown_by(session: Session, touched: Iterable[Touched], now: datetime) -> list[tuple[UUID, UUID]]:
    """(technician, place) of every phone that may show a brief which these change, with one query."""
    orders = list(touched)
    asked = {
        "places": sorted({order.place_id for order in orders if order.place_id}),
        "customers": sorted({order.customer_id for order in orders if order.customer_id}),
        "cabinets": sorted({order.cabinet for order in orders if order.cabinet and order.is_fault}),
        "since": now - LATELY,
    }
    return [(who, place) for who, place in session.execute(_SHOWN_BY, asked)]
