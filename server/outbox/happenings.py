"""What we tell others: facts about a work order as CloudEvents 1.0, and nothing about the customer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.work_orders import WorkOrder

TYPE_STEM = "dev.truckroll."
PING = TYPE_STEM + "ping"
HELD = TYPE_STEM + "command.held"
PLACED = TYPE_STEM + "work_order.placed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One fact. `type` as in docs/webhooks.md, `subject`: the id of what it is about, `at`: when."""

    type: str
    subject: str
    at: datetime
    data: dict[str, Any]


def type_of(event: type) -> str:
    """WorkOrderCompleted → ….work_order.completed, TravelStarted → ….work_order.travel_started."""
    name = event.__name__.removeprefix("WorkOrder")
    return f"{TYPE_STEM}work_order.{re.sub(r'(?<=[a-z])(?=[A-Z])', '_', name).lower()}"


def of_work_order(event: object, order: WorkOrder, *, at: datetime) -> Happening:
    """`order` as it is after `event`, which happened at `at` (by the corrected clock)."""
    return Happening(type=type_of(type(event)), subject=str(order.id), at=at, data=public(order))


def of_placed(order: WorkOrder, *, at: datetime) -> Happening:
    """An order was taken."""
    return Happening(type=PLACED, subject=str(order.id), at=at, data=public(order))


def of_held(command_id: UUID, kind: str, slug: str, work_order_id: UUID | None, *, at: datetime) -> Happening:
    """A technician's command waits for a decision. `slug`: why, as in docs/problems.md."""
    data = {
        "command_id": str(command_id),
        "command": kind,
        "reason": slug,
        "work_order_id": str(work_order_id) if work_order_id else None,
    }
    return Happening(type=HELD, subject=str(command_id), at=at, data=data)


def public(order: WorkOrder) -> dict[str, Any]:
    """What everybody who asked for webhooks may know. No name, number, address, note or picture."""
    return {
        "work_order_id": str(order.id),
        "number": order.number,
        "kind": order.kind.value,
        "state": order.state.value,
        "priority": order.priority,
        "version": order.version,
        "service_id": str(order.service.id),
        "location_id": str(order.place.id),
        "technician_id": str(order.technician_id) if order.technician_id else None,
        "planned_start": _time(order.planned_start),
        "planned_end": _time(order.planned_end),
        "finished_at": _time(order.finished_at),
        "unfinished_reason": order.unfinished_reason.value if order.unfinished_reason else None,
    }


def envelope(happening: Happening, message_id: UUID, source: str) -> dict[str, Any]:
    """The CloudEvent, in structured mode."""
    return {
        "specversion": "1.0",
        "id": str(message_id),
        "source": source,
        "type": happening.type,
        "subject": happening.subject,
        "time": _time(happening.at),
        "datacontenttype": "application/json",
        "data": happening.data,
    }


def as_bytes(event: dict[str, Any]) -> bytes:
    """The same bytes at every try, whatever order a database keeps the keys in."""
    return json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _time(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
