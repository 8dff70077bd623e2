"""What technicians say about their vans' stock: a count, and things that go from hand to hand."""

from __future__ import annotations

from simulation.chance import Dice
from simulation.handset import Handset

from mobile.views.handover import answer_of
from shared.assets import Asset
from shared.catalogue import Tracking
from shared.stock_commands import CountedParts, CountVan, SeenDevice
from shared.transfers import HandedDevice
from shared.work_orders import PartLine

COUNTED_OFF_BY = (0, 0, -1, -2, 1, 3, -60)
"""Mostly by a little; by sixty a dispatcher must agree."""


def van_tap(phone: Handset, colleagues: list[Handset], dice: Dice, contested: list[str]) -> None:
    """A count of the van, or a colleague who stands beside it and takes something along."""
    if colleagues and dice.happens(0.6):
        _meet(phone, dice.pick(colleagues), dice)
    else:
        phone.tap(_count(phone, dice, contested))


def _count(phone: Handset, dice: Dice, contested: list[str]) -> CountVan:
    stock = [view for view in phone.gateway.van_stock() if view.product.tracking is Tracking.COUNTED]
    counted = [
        CountedParts(
            sku=view.product.sku,
            counted=max(0, view.left + dice.pick(COUNTED_OFF_BY)),
            listed=view.left,
        )
        for view in stock
        if dice.happens(0.6)
    ]
    listed = _free_devices(phone) if dice.happens(0.4) or not counted else []
    seen = [SeenDevice(serial=asset.serial) for asset in listed if dice.happens(0.8)]
    if listed and dice.happens(0.2):  # a colleague's, or one that nobody has booked in
        seen.append(SeenDevice(serial=dice.pick(contested)))
    return CountVan(
        parts=tuple(counted), seen=tuple(seen), listed_serials=tuple(asset.serial for asset in listed)
    )


def _meet(giver: Handset, taker: Handset, dice: Dice) -> None:
    """Each phone keeps its half. One may refuse it, or die of it, or never read the other's answer."""
    stock = [view for view in giver.gateway.van_stock() if view.product.tracking is Tracking.COUNTED]
    lines = [
        PartLine(sku=view.product.sku, quantity=dice.randint(1, min(view.left, 6)))
        for view in stock
        if view.left > 0 and dice.happens(0.7)
    ]
    free = _free_devices(giver)
    devices = [HandedDevice(serial=free[0].serial, sku=free[0].sku)] if free and dice.happens(0.3) else []
    if not lines and not devices:
        return
    taken = tuple(PartLine(sku=line.sku, quantity=dice.randint(1, line.quantity)) for line in lines)
    held = giver.attempt(lambda: giver.gateway.hold_out(tuple(lines), tuple(devices)))
    if held is None:
        return
    read = taker.attempt(lambda: taker.gateway.look_at_offer(held.as_text()))
    if read is None or not taker.tap_through(lambda: taker.gateway.take_over(read, taken, tuple(devices))):
        return
    took = taker.gateway.took(held.offer.id)
    assert took is not None, "it was just tapped"
    answer = answer_of(took, taker.gateway.technician_name or "").as_text()
    taker.attempt(taker.gateway.leave_offer)
    if dice.happens(0.85) and giver.app_alive:
        giver.tap_through(lambda: giver.gateway.hand_over(answer))
    elif giver.app_alive:
        giver.attempt(giver.gateway.withdraw)


def _free_devices(phone: Handset) -> list[Asset]:
    return [asset for asset in phone.gateway.devices_on_van() if asset.claimed_by is None]
