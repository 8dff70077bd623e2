"""The orders that come out of another, for the same customer and place: by a split, or asked for on site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from server.customers.models import PlanRow
from server.work_orders import intake
from server.work_orders.models import WorkOrderRow
from server.work_orders.repository import Requirements, VisitRecord, to_json
from shared.assets import Asset
from shared.events import WorkOrderSplit
from shared.work_orders import AskedVisit, PartLine, WorkOrder, WorkOrderKind, WorkOrderState

ASKED_PRIORITY = 3


def row_values(first: WorkOrderRow, order: WorkOrder, event: WorkOrderSplit) -> dict[str, Any]:
    """Every column of the new row. It is a swap or a repair: the first order bills the subscription."""
    off = event.off
    takes = bool(off.equipment) or off.removal
    requirements = Requirements(
        required_skills=order.required_skills,
        required_equipment=off.equipment,
        required_parts=off.parts,
        required_checks=off.checks,
        removal_required=off.removal,
    )
    return {
        **_beside(first),
        "id": off.order_id,
        "number": off.number,
        "kind": (WorkOrderKind.SWAP if takes else WorkOrderKind.REPAIR).value,
        "summary": event.summary,
        "expected_minutes": event.expected_minutes,
        "requirements": to_json(requirements),
        "ordered_at": event.at,
    }


def asked_values(
    first: WorkOrderRow, asked: AskedVisit, plan: PlanRow, on_site: list[Asset]
) -> dict[str, Any]:
    """The same of what a technician asked for: what any order of its kind needs, and what was missing.

    Nobody has promised the customer a time for it yet.
    """
    usual = intake.USUAL[asked.kind]
    skills = dict(usual.skills)
    if asked.skill is not None:
        skills[asked.skill.name] = max(asked.skill.level, skills.get(asked.skill.name, 0))
    wanted = intake.CustomerOrder(
        kind=asked.kind,
        customer_id=first.customer_id,
        skills=skills,
        parts=_added_up(asked.parts),
    )
    return {
        **_beside(first),
        "id": asked.order_id,
        "number": asked.number,
        "kind": asked.kind.value,
        "priority": ASKED_PRIORITY,
        "summary": asked.summary,
        "expected_minutes": asked.expected_minutes,
        "window_start": None,
        "window_end": None,
        "sla_due_at": asked.at + timedelta(hours=usual.sla_hours),
        "requirements": to_json(intake.requirements_for(wanted, plan, on_site)),
        "ordered_at": asked.at,
    }


def _added_up(lines: Iterable[PartLine]) -> dict[str, int]:
    """SKU → quantity."""
    total: Counter[str] = Counter()
    for line in lines:
        total[line.sku] += line.quantity
    return dict(total)


def asked_order(order: WorkOrder, asked: AskedVisit) -> WorkOrder:
    """The new order beside `order`, as far as others are told of it: in webhooks and in briefs."""
    return replace(
        order,
        id=asked.order_id,
        number=asked.number,
        kind=asked.kind,
        state=WorkOrderState.UNASSIGNED,
        priority=ASKED_PRIORITY,
        technician_id=None,
        planned_start=None,
        planned_end=None,
        finished_at=None,
        unfinished_reason=None,
        version=0,
    )


def _beside(first: WorkOrderRow) -> dict[str, Any]:
    """The columns that a new order beside `first` begins with."""
    return {
        "state": WorkOrderState.UNASSIGNED.value,
        "priority": first.priority,
        "customer_id": first.customer_id,
        "location_id": first.location_id,
        "service_id": first.service_id,
        "plan_code": first.plan_code,
        "window_start": first.window_start,
        "window_end": first.window_end,
        "sla_due_at": first.sla_due_at,
        "sla_stopped_at": None,
        "technician_id": None,
        "former_technician_ids": [],
        "planned_start": None,
        "planned_end": None,
        "travel_minutes": 0,
        "route_position": None,
        "travel_started_at": None,
        "arrived_at": None,
        "finished_at": None,
        "unfinished_reason": None,
        "freed_minutes": 0,
        "record": to_json(VisitRecord()),
        "why": {},
        "version": 0,
    }
