"""Another visit that a technician asks for: what is missing, and how what was asked for stands."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from mobile import words
from shared.work_orders import WorkOrder

MINUTES = (15, 30, 45, 60, 90, 120)


def missing_parts(order: WorkOrder) -> dict[str, int]:
    """SKU → how many the job was planned with and nobody used."""
    left = {line.sku: line.quantity - order.used(line.sku) for line in order.required_parts}
    return {sku: count for sku, count in left.items() if count > 0}


def asked_lines(order: WorkOrder, waiting: Collection[UUID]) -> tuple[str, ...]:
    """One line for each visit asked for. `waiting`: the new orders that the office has not got yet."""
    return tuple(
        words.asked_for(
            words.KINDS[asked.kind],
            asked.summary,
            words.WAITS_FOR_OFFICE if asked.order_id in waiting else asked.number,
        )
        for asked in order.asked_for
    )
