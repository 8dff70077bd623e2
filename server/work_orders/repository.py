"""Rows ↔ the WorkOrder that rules decide on and phones keep."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Column, ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session

from server.assets.models import AssetRow
from server.customers.models import CustomerRow, PlanRow, ServiceLocationRow, ServiceRow
from server.db.base import Base, columns_of, table_of
from server.work_orders.models import WorkOrderRow
from shared.assets import AssetState
from shared.charges import Bill
from shared.problems import BadValue
from shared.skills import SkillNeed
from shared.work_orders import (
    Answer,
    AskedVisit,
    Checklist,
    CheckResult,
    CheckSpec,
    Consent,
    ContactSuggestion,
    EarlierPlan,
    EquipmentNeed,
    EvidenceRef,
    FittedAsset,
    Note,
    PartLine,
    Pause,
    Place,
    RemovedAsset,
    SplitOff,
    TimeCorrection,
    VisitReport,
    VisitTimes,
    WorkOrder,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What a visit asks for; fixed when the order comes in."""

    required_skills: tuple[SkillNeed, ...] = ()
    required_equipment: tuple[EquipmentNeed, ...] = ()
    required_parts: tuple[PartLine, ...] = ()
    required_checks: tuple[CheckSpec, ...] = ()
    checklist: Checklist | None = None
    removal_required: bool = False
    signature_required: bool = False
    photos_required: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRecord:
    """What visits recorded and what conflicts left; only ever grows, but for a device fitted by mistake."""

    checks: tuple[CheckResult, ...] = ()
    answers: tuple[Answer, ...] = ()
    parts: tuple[PartLine, ...] = ()
    fitted: tuple[FittedAsset, ...] = ()
    removed: tuple[RemovedAsset, ...] = ()
    failed: tuple[RemovedAsset, ...] = ()
    evidence: tuple[EvidenceRef, ...] = ()
    notes: tuple[Note, ...] = ()
    parts_booked: int = 0
    reports: tuple[VisitReport, ...] = ()
    suggestions: tuple[ContactSuggestion, ...] = ()
    earlier_plans: tuple[EarlierPlan, ...] = ()
    split_off: tuple[SplitOff, ...] = ()
    call_out_at: datetime | None = None
    deleted_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    time_corrections: tuple[TimeCorrection, ...] = ()
    earlier_visits: tuple[VisitTimes, ...] = ()
    asked_for: tuple[AskedVisit, ...] = ()
    consents: tuple[Consent, ...] = ()
    bill: Bill | None = None


def to_json(value: Requirements | VisitRecord) -> dict[str, Any]:
    """A value as it lies in a JSON column."""
    built: dict[str, Any] = msgspec.to_builtins(value)
    return built


_NAMES = {shape: tuple(field.name for field in fields(shape)) for shape in (Requirements, VisitRecord)}


def _taken_from(order: WorkOrder, shape: type[Requirements | VisitRecord]) -> dict[str, Any]:
    return {name: getattr(order, name) for name in _NAMES[shape]}


# Columns, not rows: a phone's first pull reads a thousand orders, and nobody will change them.
_order, _customer, _place, _service, _plan = (
    columns_of(kind) for kind in (WorkOrderRow, CustomerRow, ServiceLocationRow, ServiceRow, PlanRow)
)
_FIRST = (_order.requirements, _order.record, _order.window_start, _order.window_end)
_OWN = {field.name: _order[field.name] for field in fields(WorkOrder) if field.name in _order}
_CONTACT = {
    "customer_id": _customer.id,
    "name": _customer.name,
    "phone": _customer.phone,
    "language": _customer.language,
}
_PLACE = {field.name: _place[field.name] for field in fields(Place)}
_SERVICE = {
    "id": _service.id,
    "state": _service.state,
    "plan_code": _plan.code,
    "plan_name": _plan.name,
    "down_mbps": _plan.down_mbps,
    "running_plan_code": _service.plan_code,
}
_READ = (*_FIRST, *_OWN.values(), *_CONTACT.values(), *_PLACE.values(), *_SERVICE.values())
"""What `_draft` takes, in this order."""


def _joined(*shown: Any) -> Select[Any]:
    return (
        select(*shown)
        .select_from(table_of(WorkOrderRow))
        .join(table_of(CustomerRow), _customer.id == _order.customer_id)
        .join(table_of(ServiceLocationRow), _place.id == _order.location_id)
        .join(table_of(ServiceRow), _service.id == _order.service_id)
        .join(table_of(PlanRow), _plan.code == _order.plan_code)
    )


_FIND = _joined(*_READ)
_LOCK = (
    _joined(WorkOrderRow, CustomerRow, *_PLACE.values(), *_SERVICE.values())
    .where(WorkOrderRow.id.in_(bindparam("ids", expanding=True)))
    # The place too, and first: who is given a job there, and who hangs something up there, see each other. In
    # this order two transactions that name several jobs at several places never wait in a circle.
    .order_by(WorkOrderRow.location_id, WorkOrderRow.id)
    .with_for_update(of=(ServiceLocationRow, WorkOrderRow), key_share=True)
    .execution_options(populate_existing=True)
)
_asset = columns_of(AssetRow)
_ON_SITE = (
    select(_asset.holder_id, _asset.serial)
    .where(_asset.holder_id.in_(bindparam("places", expanding=True)), _asset.state == AssetState.INSTALLED)
    .order_by(_asset.serial)
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
    return _with_serials(session, drafts(session, statement, **values))


@dataclass(frozen=True, slots=True)
class Draft:
    """An order as it was read, but for what hangs at its place."""

    values: dict[str, Any]

    @property
    def place_id(self) -> UUID:
        place_id: UUID = self.values["place"]["id"]
        return place_id

    @property
    def fitted_serials(self) -> list[str]:
        return [device["serial"] for device in self.values.get("fitted", ())]

    def finish(self, on_site: Mapping[UUID, Sequence[str]]) -> WorkOrder:
        """`on_site`: place → serials of the devices installed there, in their order."""
        return msgspec.convert({**self.values, "on_site_serials": on_site.get(self.place_id, ())}, WorkOrder)


def drafts(session: Session, statement: Select[Any], **values: Any) -> list[Draft]:
    """As `found`, for who reads the devices anyway."""
    return [_draft(columns) for columns in session.execute(statement, values).all()]


@dataclass(frozen=True, slots=True)
class Opened:
    """An order to change, with the rows it was made of."""

    row: WorkOrderRow
    order: WorkOrder
    customer: CustomerRow


def lock_all(session: Session, ids: Iterable[UUID]) -> dict[UUID, Opened]:
    """The orders to change, held with their places till the transaction ends. Unknown ids are missing."""
    rows = session.execute(_LOCK, {"ids": sorted(ids)}).all()
    read = [
        _draft([*_values(row, *_FIRST, *_OWN.values()), *_values(customer, *_CONTACT.values()), *more])
        for row, customer, *more in rows
    ]
    orders = _with_serials(session, read)
    return {
        order.id: Opened(row, order, customer)
        for (row, customer, *_), order in zip(rows, orders, strict=True)
    }


def _values(row: Base, *columns: Column[Any]) -> list[Any]:
    return [getattr(row, column.key) for column in columns]


def _with_serials(session: Session, read: Sequence[Draft]) -> list[WorkOrder]:
    on_site: dict[UUID, list[str]] = defaultdict(list)
    if read:
        for holder_id, serial in session.execute(_ON_SITE, {"places": [draft.place_id for draft in read]}):
            on_site[holder_id].append(serial)
    return [draft.finish(on_site) for draft in read]


def _draft(columns: Sequence[Any]) -> Draft:
    left = iter(columns)
    requirements, record, start, end = islice(left, len(_FIRST))
    return Draft(
        {
            **requirements,
            **record,
            # In the order of `_READ`: each takes of what is left as many as it has names for.
            **dict(zip(_OWN, left, strict=False)),
            "contact": dict(zip(_CONTACT, left, strict=False)),
            "place": dict(zip(_PLACE, left, strict=False)),
            "service": dict(zip(_SERVICE, left, strict=False)),
            "window": {"start": start, "end": end} if start and end else None,
        }
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


def must_exist(session: Session, order_id: UUID | None) -> None:
    """Raises BadValue where a command that is about something else names a job that there is not."""
    if (
        order_id is not None
        and session.scalar(select(WorkOrderRow.id).where(WorkOrderRow.id == order_id)) is None
    ):
        raise BadValue("There is no such work order", field="for_order_id")
