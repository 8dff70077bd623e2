"""A customer's order → a work order: what the visit needs follows from its kind and the plan ordered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.assets import register
from server.assets.models import AssetRow
from server.clock import mint
from server.customers.models import CustomerRow, PlanRow, ServiceLocationRow, ServiceRow
from server.db import feed
from server.outbox.happenings import of_placed
from server.outbox.writing import put, subscriptions, webhook_rows
from server.settings import Settings
from server.stock.models import ProductRow
from server.work_orders import briefs, kinds
from server.work_orders.models import WorkOrderRow
from server.work_orders.repository import Requirements, VisitRecord, load, to_json
from shared.assets import Asset, AssetState
from shared.checklists import checklist_for
from shared.problems import BadValue, Conflict, NotFound
from shared.skills import SkillNeed
from shared.windows import TimeWindow
from shared.work_orders import (
    RULES_BY_KIND,
    EquipmentNeed,
    PartLine,
    ServiceState,
    WorkOrderKind,
    WorkOrderState,
    checks_for,
)

ONT = "ONT"
EMERGENCY_HOURS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualWork:
    """What a visit of one kind usually asks for; an order may say otherwise. `sla_hours` run from the order.

    How long it takes is in server/work_orders/kinds.py.
    """

    summary: str
    priority: int
    sla_hours: int
    skills: Mapping[str, int]


USUAL: dict[WorkOrderKind, UsualWork] = {
    WorkOrderKind.INSTALL: UsualWork(
        summary="New connection",
        priority=3,
        sla_hours=10 * 24,
        skills={"fibre_install": 2, "customer_premises": 2},
    ),
    WorkOrderKind.UPGRADE: UsualWork(
        summary="Upgrade of the plan",
        priority=3,
        sla_hours=10 * 24,
        skills={"config": 2, "customer_premises": 2},
    ),
    WorkOrderKind.REPAIR: UsualWork(
        summary="Repair of the connection",
        priority=2,
        sla_hours=24,
        skills={"splice": 2, "customer_premises": 1},
    ),
    WorkOrderKind.SWAP: UsualWork(
        summary="Replacement of the ONT",
        priority=3,
        sla_hours=48,
        skills={"config": 1, "customer_premises": 2},
    ),
    WorkOrderKind.DISCONNECT: UsualWork(
        summary="Collect the devices, close the line",
        priority=4,
        sla_hours=30 * 24,
        skills={"customer_premises": 1},
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerOrder:
    """What a customer ordered. An installation names a location and makes the service; others name a service.

    `plan_code`: the plan that runs afterwards, None for the present one. What is None follows from the kind.
    Parts: SKU → quantity. Skills: name → level from 1 to 5. Equipment: role → the SKUs that will do.
    """

    kind: WorkOrderKind
    customer_id: UUID
    location_id: UUID | None = None
    service_id: UUID | None = None
    plan_code: str | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None
    summary: str = ""
    priority: int | None = None
    expected_minutes: int | None = None
    sla_due_at: datetime | None = None
    skills: dict[str, int] | None = None
    equipment: dict[str, list[str]] | None = None
    parts: dict[str, int] | None = None


def place(
    session: Session,
    settings: Settings,
    order: CustomerOrder,
    *,
    actor: str,
    now: datetime,
    number: str | None = None,
) -> WorkOrderRow:
    """Check `order` and turn it into an unassigned work order. Raises NotFound, BadValue or Conflict."""
    _check_values(order)
    if session.get(CustomerRow, order.customer_id) is None:
        raise NotFound("There is no such customer", field="customer_id")
    service = _service(session, order)
    plan = session.get(PlanRow, order.plan_code or service.plan_code)
    if plan is None:
        raise NotFound(f"There is no plan {order.plan_code}", field="plan_code")
    on_site = register.find(
        session, AssetRow.holder_id == service.location_id, AssetRow.state == AssetState.INSTALLED
    )
    requirements = requirements_for(order, plan, on_site)
    _check_skus(session, requirements)
    usual = USUAL[order.kind]
    priority = order.priority or usual.priority
    hours = EMERGENCY_HOURS if priority == 1 else usual.sla_hours
    row = WorkOrderRow(
        id=mint(),
        number=number or _next_number(session, settings, now),
        kind=order.kind,
        state=WorkOrderState.UNASSIGNED,
        priority=priority,
        customer_id=order.customer_id,
        location_id=service.location_id,
        service_id=service.id,
        plan_code=plan.code,
        summary=order.summary.strip() or f"{usual.summary}, {plan.name}",
        expected_minutes=order.expected_minutes or kinds.times(session)[order.kind].minutes,
        window_start=order.window_start,
        window_end=order.window_end,
        sla_due_at=order.sla_due_at or now + timedelta(hours=hours),
        former_technician_ids=[],
        travel_minutes=0,
        requirements=to_json(requirements),
        record=to_json(VisitRecord()),
        why={},
        version=0,
        ordered_at=now,
    )
    session.add(row)
    session.flush()
    facts = {"number": row.number, "state": row.state}
    feed.append(
        session, [feed.BOARD], "work_order", row.id, "WorkOrderPlaced", at=now, actor=actor, facts=facts
    )
    _tell_phones(session, row, now, actor)
    if asked := subscriptions(session):
        placed = of_placed(load(session, [row.id])[0], at=now)
        put(session, webhook_rows(asked, [placed], now, mint, settings.base_url))
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What a visit for an order would be, before there is one."""

    location_id: UUID
    minutes: int
    requirements: Requirements


def foresee(session: Session, order: CustomerOrder) -> Foreseen:
    """What `place` would ask of the visit. Raises as it does; nothing is written."""
    _check_values(order)
    if session.get(CustomerRow, order.customer_id) is None:
        raise NotFound("There is no such customer", field="customer_id")
    location_id, running = order.location_id, order.plan_code
    if order.service_id is None:
        _check_new_service(session, order)
    else:
        service = session.get(ServiceRow, order.service_id)
        if service is None or service.customer_id != order.customer_id:
            raise NotFound("This customer has no such service", field="service_id")
        location_id, running = service.location_id, order.plan_code or service.plan_code
    plan = session.get(PlanRow, running)
    if plan is None or location_id is None:
        raise NotFound(f"There is no plan {order.plan_code}", field="plan_code")
    on_site = register.find(
        session, AssetRow.holder_id == location_id, AssetRow.state == AssetState.INSTALLED
    )
    requirements = requirements_for(order, plan, on_site)
    _check_skus(session, requirements)
    minutes = order.expected_minutes or kinds.times(session)[order.kind].minutes
    return Foreseen(location_id=location_id, minutes=minutes, requirements=requirements)


def _tell_phones(session: Session, row: WorkOrderRow, now: datetime, actor: str) -> None:
    """Whoever has a job at this place, for this customer or on this cabinet hears of the new one."""
    cabinet = session.get_one(ServiceLocationRow, row.location_id).cabinet
    touched = briefs.Touched(
        place_id=row.location_id,
        customer_id=row.customer_id,
        cabinet=cabinet,
        is_fault=row.kind == WorkOrderKind.REPAIR,
        topic="WorkOrderPlaced",
        actor=actor,
    )
    for technician_id, place_id in briefs.shown_by(session, [touched], now):
        scope = [feed.technician_scope(technician_id)]
        feed.append(session, scope, briefs.KIND, place_id, touched.topic, at=now, actor=actor)


def requirements_for(order: CustomerOrder, plan: PlanRow, on_site: list[Asset]) -> Requirements:
    """What the visit must bring, measure and record. Pure."""
    rules, usual = RULES_BY_KIND[order.kind], USUAL[order.kind]
    equipment = order.equipment
    if equipment is None:
        fits_already = any(device.sku in plan.equipment.get(ONT, ()) for device in on_site)
        needs_ont = rules.fits_equipment and not (order.kind is WorkOrderKind.UPGRADE and fits_already)
        equipment = {ONT: plan.equipment[ONT]} if needs_ont else {}
    takes = rules.takes_equipment and bool(on_site)
    if order.kind is WorkOrderKind.UPGRADE:
        takes = takes and bool(equipment)  # an upgrade that fits nothing leaves the old device where it is
    skills = usual.skills if order.skills is None else order.skills
    return Requirements(
        required_skills=tuple(SkillNeed(name, level) for name, level in sorted(skills.items())),
        required_equipment=tuple(
            EquipmentNeed(role=role, skus=tuple(skus)) for role, skus in equipment.items()
        ),
        required_parts=tuple(
            PartLine(sku=sku, quantity=quantity) for sku, quantity in (order.parts or {}).items()
        ),
        required_checks=checks_for(order.kind, plan.down_mbps),
        checklist=checklist_for(order.kind, plan.down_mbps),
        removal_required=takes,
        signature_required=rules.needs_signature,
        photos_required=rules.photos,
    )


def _check_values(order: CustomerOrder) -> None:
    if (order.window_start is None) != (order.window_end is None):
        raise BadValue("A window needs both its ends, or neither", field="window_end")
    if order.window_start and order.window_end:
        try:
            TimeWindow(order.window_start, order.window_end)
        except ValueError as error:
            raise BadValue(f"The promised time is wrong: {error}", field="window_end") from error
    if order.sla_due_at is not None and order.sla_due_at.tzinfo is None:
        raise BadValue("The promised end needs a time zone", field="sla_due_at")
    if order.priority is not None and order.priority not in (1, 2, 3, 4):
        raise BadValue("The priority is 1 (emergency) to 4 (can wait)", field="priority")
    if order.expected_minutes is not None and not 1 <= order.expected_minutes <= 24 * 60:
        raise BadValue("A visit takes 1 to 1440 minutes", field="expected_minutes")
    for name, level in (order.skills or {}).items():
        if not 1 <= level <= 5:
            raise BadValue(f"The level of {name} is 1 to 5", field="skills")
    for sku, quantity in (order.parts or {}).items():
        if quantity < 1:
            raise BadValue(f"The quantity of {sku} is 1 or more", field="parts")


def _service(session: Session, order: CustomerOrder) -> ServiceRow:
    """The service the visit is about; an installation without one makes it."""
    if order.service_id is None:
        return _new_service(session, order)
    service = session.get(ServiceRow, order.service_id, with_for_update=True)
    if service is None or service.customer_id != order.customer_id:
        raise NotFound("This customer has no such service", field="service_id")
    wanted = ServiceState.RESERVED if order.kind is WorkOrderKind.INSTALL else ServiceState.ACTIVE
    if service.state != wanted:
        raise Conflict(
            f"The service is {service.state}; {order.kind.value} needs it {wanted.value}", field="service_id"
        )
    if order.kind is WorkOrderKind.INSTALL:
        check_not_on_its_way(session, service.id)
    return service


def check_not_on_its_way(session: Session, service_id: UUID, beside: UUID | None = None) -> None:
    """Two installations of one service would bill its first month twice. `beside`: an order that ended."""
    query = select(WorkOrderRow.number).where(
        WorkOrderRow.service_id == service_id,
        WorkOrderRow.kind == WorkOrderKind.INSTALL,
        WorkOrderRow.finished_at.is_(None),
    )
    if beside is not None:
        query = query.where(WorkOrderRow.id != beside)
    if number := session.scalar(query.limit(1)):
        raise Conflict(f"{number} installs this service already", field="service_id", subject=number)


def _new_service(session: Session, order: CustomerOrder) -> ServiceRow:
    _check_new_service(session, order)
    service = ServiceRow(
        id=mint(),
        customer_id=order.customer_id,
        location_id=order.location_id,
        plan_code=order.plan_code,
        state=ServiceState.RESERVED,
    )
    session.add(service)
    session.flush()
    return service


def _check_new_service(session: Session, order: CustomerOrder) -> None:
    if order.kind is not WorkOrderKind.INSTALL:
        raise BadValue(f"Say which service this {order.kind.value} is about", field="service_id")
    if order.location_id is None or session.get(ServiceLocationRow, order.location_id) is None:
        raise NotFound("Say where: there is no such location", field="location_id")
    if order.plan_code is None or session.get(PlanRow, order.plan_code) is None:
        raise NotFound(f"There is no plan {order.plan_code}", field="plan_code")


def _check_skus(session: Session, requirements: Requirements) -> None:
    named = {sku for need in requirements.required_equipment for sku in need.skus}
    named |= {line.sku for line in requirements.required_parts}
    if not named:
        return
    known = set(session.scalars(select(ProductRow.sku).where(ProductRow.sku.in_(named))))
    if unknown := sorted(named - known):
        raise NotFound(f"Not in the catalogue: {', '.join(unknown)}", field="parts")


def _next_number(session: Session, settings: Settings, now: datetime) -> str:
    """WO-261122-131: readable on the telephone. Two at once: the unique constraint lets one try again."""
    stem = f"WO-{now.astimezone(settings.zone):%y%m%d}-"
    newest = session.scalar(
        select(WorkOrderRow.number)
        .where(WorkOrderRow.number.startswith(stem))
        .order_by(func.length(WorkOrderRow.number).desc(), WorkOrderRow.number.desc())  # -1000 is after -999
        .limit(1)
    )
    return f"{stem}{int(newest.removeprefix(stem)) + 1 if newest else 1:03d}"
