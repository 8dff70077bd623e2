"""The order that a split makes: the same customer and place, and only what was moved to it."""

from __future__ import annotations

from typing import Any

from server.work_orders.models import WorkOrderRow
from server.work_orders.repository import Requirements, VisitRecord, to_json
from shared.events import WorkOrderSplit
from shared.work_orders import WorkOrder, WorkOrderKind, WorkOrderState


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
        "id": off.order_id,
        "number": off.number,
        "kind": (WorkOrderKind.SWAP if takes else WorkOrderKind.REPAIR).value,
        "state": WorkOrderState.UNASSIGNED.value,
        "priority": first.priority,
        "customer_id": first.customer_id,
        "location_id": first.location_id,
        "service_id": first.service_id,
        "plan_code": first.plan_code,
        "summary": event.summary,
        "expected_minutes": event.expected_minutes,
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
        "requirements": to_json(requirements),
        "record": to_json(VisitRecord()),
        "why": {},
        "version": 0,
        "ordered_at": event.at,
    }
