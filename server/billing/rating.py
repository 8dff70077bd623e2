"""What a completed visit costs its customer. Pure: an order and a tariff in, charges out."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shared.catalogue import Product
from shared.money import Money
from shared.work_orders import WorkOrder, WorkOrderKind

PARTS_CHARGED = frozenset({WorkOrderKind.INSTALL, WorkOrderKind.UPGRADE})
"""Repairs and swaps mend what is ours, so their parts are on us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A plan's prices, net. `fees` holds the one-off fee by kind of work order; a missing kind is free."""

    code: str
    name: str
    monthly: Money
    fees: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """An amount owed and its cause. `code` is unique within one work order; a credit is negative."""

    code: str
    description: str
    quantity: int
    unit: Money
    net: Money


def charges_for(
    order: WorkOrder, on: date, new: Tariff, old: Tariff | None, products: Mapping[str, Product]
) -> tuple[Charge, ...]:
    """The charges of completing `order` on the local day `on`.

    `new` is the tariff ordered, `old` the one that ran before. The fee line is always there, at zero when
    the visit is free, so that every completed visit has its invoice. The first month is prorated by whole
    days, the day of activation included.
    """
    fee = Money(int(new.fees.get(order.kind, 0)), new.monthly.currency)
    charges = [
        Charge(code="fee", description=_fee_words(order, new), quantity=1, unit=fee, net=fee),
        *(_part_charges(order, products) if order.kind in PARTS_CHARGED else ()),
    ]
    days_in_month = monthrange(on.year, on.month)[1]
    days_left = days_in_month - on.day + 1
    words = f"{days_left} of {days_in_month} days"
    match order.kind:
        case WorkOrderKind.INSTALL:
            net = new.monthly.share(days_left, days_in_month)
            charges.append(_one("first-month", f"{new.name}, first month, {words}", net))
        case WorkOrderKind.UPGRADE if old is not None and old.code != new.code:
            net = (new.monthly - old.monthly).share(days_left, days_in_month)
            charges.append(_one("plan-change", f"{old.name} to {new.name}, {words}", net))
        case WorkOrderKind.DISCONNECT:
            unused = days_left - 1  # the day of the visit was still served
            if unused:
                ran = old or new  # an upgrade may have come in between
                net = -ran.monthly.share(unused, days_in_month)
                credit = f"{ran.name}, unused {unused} of {days_in_month} days"
                charges.append(_one("unused-days", credit, net))
    return tuple(charges)


def _one(code: str, description: str, net: Money) -> Charge:
    return Charge(code=code, description=description, quantity=1, unit=net, net=net)


def _fee_words(order: WorkOrder, tariff: Tariff) -> str:
    return f"{order.kind.value.capitalize()} visit {order.number}, {tariff.name}"


def _part_charges(order: WorkOrder, products: Mapping[str, Product]) -> list[Charge]:
    used: dict[str, int] = {}
    for line in order.parts:
        used[line.sku] = used.get(line.sku, 0) + line.quantity
    charges = []
    for sku, quantity in sorted(used.items()):
        product = products[sku]
        unit = Money(product.price_minor, product.currency)
        charges.append(
            Charge(
                code=f"part:{sku}",
                description=product.name,
                quantity=quantity,
                unit=unit,
                net=unit.times(quantity),
            )
        )
    return charges
