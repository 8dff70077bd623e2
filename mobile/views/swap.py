"""A swap and a return: what may come off, why, and what was done on the visit so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobile import words
from mobile.views.quantities import product_name
from mobile.views.today import Lookup
from shared.assets import Asset
from shared.work_orders import FittedAsset, RemovalCause, RemovedAsset, WorkOrder, WorkOrderKind

USUAL = {
    WorkOrderKind.UPGRADE: RemovalCause.UPGRADE,
    WorkOrderKind.DISCONNECT: RemovalCause.CUSTOMER_LEAVES,
}
"""The cause that a kind of visit most often has; elsewhere it is a fault."""


def causes_for(order: WorkOrder) -> tuple[RemovalCause, ...]:
    """All of them, the most likely first."""
    usual = USUAL.get(order.kind)
    return tuple(sorted(RemovalCause, key=lambda cause: cause is not usual))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hanging:
    """A device that may come off."""

    serial: str
    name: str


def hanging(order: WorkOrder, there: Sequence[Asset], lookup: Lookup) -> tuple[Hanging, ...]:
    """What hangs at the place and was not taken off on this visit, and what went up on it."""
    off = {device.serial for device in order.removed}
    known = {device.serial: device.sku for device in there}
    found = {serial: sku for serial, sku in known.items() if serial not in off}
    found |= {device.serial: device.sku for device in order.fitted}
    return tuple(
        Hanging(serial=serial, name=words.fitted(serial, product_name(lookup(sku), sku)))
        for serial, sku in found.items()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What the visit did: pairs that were swapped, and what went up or came off by itself."""

    swapped: tuple[tuple[FittedAsset, RemovedAsset], ...]
    fitted: tuple[FittedAsset, ...]
    removed: tuple[RemovedAsset, ...]


def handled(order: WorkOrder) -> Handled:
    off = {device.serial: device for device in order.removed}
    pairs = tuple((device, off[device.replaces]) for device in order.fitted if device.replaces in off)
    up, down = {new.serial for new, _ in pairs}, {old.serial for _, old in pairs}
    return Handled(
        swapped=pairs,
        fitted=tuple(device for device in order.fitted if device.serial not in up),
        removed=tuple(device for device in order.removed if device.serial not in down),
    )


def swaps(order: WorkOrder) -> bool:
    """Whether the job still asks for one off and one up: both are done in one go then."""
    fitted = {device.sku for device in order.fitted}
    waits = any(not fitted.intersection(need.skus) for need in order.required_equipment)
    return waits and order.removal_required and not order.removed
