"""Is the technician there already? Asked only with their leave, answered on the phone, and never acted on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mobile.views.sketch import has_place, metres_between
from shared.work_orders import WorkOrder, WorkOrderState

NEAR_METRES = 150
VAGUE_METRES = 200
"""A position that may be off by more says nothing about a house."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the phone says it is, WGS 84, and by how many metres that may be off."""

    lat: float
    lon: float
    accuracy_metres: float


def seems_to_be_there(order: WorkOrder, position: Position | None) -> bool:
    """Whether somebody on the way to this job is within reach of it, as far as the phone knows."""
    if position is None or order.state is not WorkOrderState.TRAVELLING or not has_place(order):
        return False
    if position.accuracy_metres > VAGUE_METRES:
        return False
    place = order.place
    return metres_between((position.lat, position.lon), (place.lat, place.lon)) <= NEAR_METRES


def reached(orders: Iterable[WorkOrder], position: Position | None) -> WorkOrder | None:
    """The job that one travels to and seems to have reached."""
    return next((order for order in orders if seems_to_be_there(order, position)), None)
