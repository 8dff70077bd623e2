"""Rows ↔ the WorkOrder that rules decide on and phones keep."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Bundle, Session

from server.assets.models import AssetRow
from server.customers.models import CustomerRow, PlanRow, ServiceLocationRow, ServiceRow
from server.db.base import Base
from server.work_orders.models import WorkOrderRow
from shared.assets import AssetState
from shared.skills import SkillNeed
from shared.windows import TimeWindow
from shared.work_orders import (
    CheckResult,
    CheckSpec,
    Contact,
    ContactSuggestion,
    EarlierPlan,
    EquipmentNeed,
    EvidenceRef,
    FittedAsset,
    Note,
    PartLine,
    Place,
    RemovedAsset,
    ServiceCard,
    ServiceState,
    SplitOff,
    UnfinishedReason,
    VisitReport,
    WorkOrder,
    WorkOrderKind,
    WorkOrderState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What a visit asks for; fixed when the order comes in."""

    required_skills: tuple[SkillNeed, ...] = ()
    required_equipment: tuple[EquipmentNeed, ...] = ()
    required_parts: tuple[PartLine, ...] = ()
    required_checks: tuple[CheckSpec, ...] = ()
    removal_required: bool = False
    signature_required: bool = False
    photos_required: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRecord:
    """What visits recorded and what conflicts left; only ever grows, but for a device fitted by mistake."""

    checks: tuple[CheckResult, ...] = ()
    parts: tuple[PartLine, ...] = ()
    fitted: tuple[FittedAsset, ...] = ()
    removed: tuple[RemovedAsset, ...] = ()
    evidence: tuple[EvidenceRef, ...] = ()
    notes: tuple[Note, ...] = ()
    parts_booked: int = 0
    reports: tuple[VisitReport, ...] = ()
    suggestions: tuple[ContactSuggestion, ...] = ()
    earlier_plans: tuple[EarlierPlan, ...] = ()
    split_off: tuple[SplitOff, ...] = ()
    call_out_at: datetime | None = None
    deleted_at: datetime | None = None


def to_json(value: Requirements | VisitRecord) -> dict[str, Any]:
    """A value as it lies in a JSON column."""
    built: dict[str, Any] = msgspec.to_builtins(value)
    return built


_NAMES = {shape: tuple(field.name for field in fields(shape)) for shape in (Requirements, VisitRecord)}


def _values(value: Requirements | VisitRecord) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _NAMES[type(value)]}


def _taken_from(order: WorkOrder, shape: type[Requirements | VisitRecord]) -> dict[str, Any]:
    return {name: getattr(order, name) for name in _NAMES[shape]}


def _columns(kind: type[Base], names: str) -> Bundle[Any]:
    """Columns under their names, without the bookkeeping of a row that may change."""
    return Bundle(kind.__tablename__, *(getattr(kind, name) for name in names.split()))


_ROWS = (WorkOrderRow, CustomerRow, ServiceLocationRow, ServiceRow, PlanRow)
_READ = (
    _columns(
        WorkOrderRow,
        "id number kind state priority summary expected_minutes window_start window_end sla_due_at"
        " technician_id former_technician_ids planned_start planned_end travel_minutes route_position"
        " travel_started_at arrived_at finished_at unfinished_reason requirements record version",
    ),
    _columns(CustomerRow, "id name phone language"),
    _columns(ServiceLocationRow, "id street house_number postcode city lat lon access_notes cabinet"),
    _columns(ServiceRow, "id state"),
    _columns(PlanRow, "code name down_mbps"),
)
"""What `_build` looks at: a phone's first pull reads a thousand orders."""


def _joined(shown: tuple[Any, ...]) -> Select[Any]:
    return (
        select(*shown)
        .select_from(WorkOrderRow)
        .join(CustomerRow, CustomerRow.id == WorkOrderRow.customer_id)
        .join(ServiceLocationRow, ServiceLocationRow.id == WorkOrderRow.location_id)
        .join(ServiceRow, ServiceRow.id == WorkOrderRow.service_id)
        .join(PlanRow, PlanRow.code == WorkOrderRow.plan_code)
    )


_FIND = _joined(_READ)
_LOCK = (
    _joined(_ROWS)
    .where(WorkOrderRow.id.in_(bindparam("ids", expanding=True)))
    # The place too, and first: who is given a job there, and who hangs something up there, see each other. In
    # this order two transactions that name several jobs at several places never wait in a circle.
    .order_by(WorkOrderRow.location_id, WorkOrderRow.id)
    .with_for_update(of=(ServiceLocationRow, WorkOrderRow), key_share=True)
    .execution_options(populate_existing=True)
)
_ON_SITE = (
    select(AssetRow.holder_id, AssetRow.serial)
    .where(
        AssetRow.holder_id.in_(bindparam("places", expanding=True)), AssetRow.state == AssetState.INSTALLED
    )
    .order_by(AssetRow.serial)
)


def load(session: Session, ids: Iterable[UUID]) -> list[WorkOrder]:
    """The orders of `ids` that exist, in no particular order."""
    wanted = list(ids)
    return find(session, WorkOrderRow.id.in_(wanted)) if wanted else []


def find(session: Session, *conditions: ColumnElement[bool]) -> list[WorkOrder]:
    """The orders that meet `conditions` on WorkOrderRow, with two queries however many they are."""
    return found(session, finding(*conditions))


def finding(*conditions: ColumnElement[bool]) -> Select[Any]:
    """`find` as a statement: where it is asked often, building it once halves the cost."""
    return _FIND.where(*conditions)


def found(session: Session, statement: Select[Any], **values: Any) -> list[WorkOrder]:
    """What `finding` built, asked with `values` for its parameters."""
    rows = session.execute(statement, values).all()
    on_site = _serials_on_site(session, [row[2].id for row in rows])
    return [_build(row, on_site) for row in rows]


@dataclass(frozen=True, slots=True)
class Opened:
    """An order to change, with the rows it was made of."""

    row: WorkOrderRow
    order: WorkOrder
    customer: CustomerRow


def lock_all(session: Session, ids: Iterable[UUID]) -> dict[UUID, Opened]:
    """The orders to change, held with their places till the transaction ends. Unknown ids are missing."""
    rows = session.execute(_LOCK, {"ids": sorted(ids)}).all()
    on_site = _serials_on_site(session, [row[2].id for row in rows])
    return {row[0].id: Opened(row[0], _build(row, on_site), row[1]) for row in rows}


def _serials_on_site(session: Session, location_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    on_site: dict[UUID, list[str]] = defaultdict(list)
    if location_ids:
        for holder_id, serial in session.execute(_ON_SITE, {"places": location_ids}):
            on_site[holder_id].append(serial)
    return on_site


def _build(found: Any, on_site: dict[UUID, list[str]]) -> WorkOrder:
    row, customer, location, service, plan = found
    requirements = msgspec.convert(row.requirements, Requirements)
    record = msgspec.convert(row.record, VisitRecord)
    window = TimeWindow(row.window_start, row.window_end) if row.window_start and row.window_end else None
    return WorkOrder(
        id=row.id,
        number=row.number,
        kind=WorkOrderKind(row.kind),
        state=WorkOrderState(row.state),
        priority=row.priority,
        contact=Contact(
            customer_id=customer.id, name=customer.name, phone=customer.phone, language=customer.language
        ),
        place=Place(
            id=location.id,
            street=location.street,
            house_number=location.house_number,
            postcode=location.postcode,
            city=location.city,
            lat=location.lat,
            lon=location.lon,
            access_notes=location.access_notes,
            cabinet=location.cabinet,
        ),
        service=ServiceCard(
            id=service.id,
            state=ServiceState(service.state),
            plan_code=plan.code,
            plan_name=plan.name,
            down_mbps=plan.down_mbps,
        ),
        summary=row.summary,
        expected_minutes=row.expected_minutes,
        window=window,
        sla_due_at=row.sla_due_at,
        technician_id=row.technician_id,
        former_technician_ids=frozenset(UUID(item) for item in row.former_technician_ids),
        planned_start=row.planned_start,
        planned_end=row.planned_end,
        travel_minutes=row.travel_minutes,
        route_position=row.route_position,
        on_site_serials=tuple(on_site.get(location.id, ())),
        travel_started_at=row.travel_started_at,
        arrived_at=row.arrived_at,
        finished_at=row.finished_at,
        unfinished_reason=UnfinishedReason(row.unfinished_reason) if row.unfinished_reason else None,
        version=row.version,
        **_values(requirements),
        **_values(record),
    )


def store(row: WorkOrderRow, order: WorkOrder) -> None:
    """Write what events may have changed back to the row."""
    row.state = order.state
    row.technician_id = order.technician_id
    row.former_technician_ids = sorted(str(item) for item in order.former_technician_ids)
    row.planned_start = order.planned_start
    row.planned_end = order.planned_end
    row.travel_minutes = order.travel_minutes
    row.route_position = order.route_position
    row.travel_started_at = order.travel_started_at
    row.arrived_at = order.arrived_at
    row.finished_at = order.finished_at
    row.unfinished_reason = order.unfinished_reason
    row.version = order.version
    row.window_start = order.window.start if order.window else None
    row.window_end = order.window.end if order.window else None
    if order.split_off:  # nothing else changes what a visit asks for
        row.requirements = to_json(Requirements(**_taken_from(order, Requirements)))
    row.record = to_json(VisitRecord(**_taken_from(order, VisitRecord)))
