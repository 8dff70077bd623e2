"""When to buy, and how much. Pure; server/purchasing/orders.py writes it down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One SKU over all our places: what is there, what is on its way, and when to buy. In the SKU's unit."""

    on_hand: int
    on_order: int
    reorder_point: int
    reorder_quantity: int


def quantity_to_order(position: Position) -> int:
    """0 above the reorder point, else whole lots until hand and order together are above it.

    Counting what is on order keeps one crossing from being bought twice.
    """
    short = position.reorder_point - position.on_hand - position.on_order
    if short < 0:
        return 0
    lots = short // position.reorder_quantity + 1
    return lots * position.reorder_quantity
