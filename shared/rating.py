"""What a visit costs its customer: the one home of the rule. Phones show by it, and the office bills by it.

Labour and travel are in the fee of the visit's kind; nothing is charged by the hour.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from hashlib import sha256

from shared.catalogue import Product
from shared.charges import FEE, FIRST_MONTH, PART, PLAN_CHANGE, UNUSED_DAYS, Bill, Charge
from shared.money import Money
from shared.work_orders import PartLine, WorkOrder, WorkOrderKind

PARTS_CHARGED = frozenset({WorkOrderKind.INSTALL, WorkOrderKind.UPGRADE})
"""Repairs and swaps mend what is ours, so their parts are on us."""

CHANGES_PLAN = frozenset({WorkOrderKind.UPGRADE, WorkOrderKind.DISCONNECT})
"""What these cost depends on the plan that ran before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A plan's prices, net. `fees` holds the one-off fee by kind of work order; a missing kind is free."""

    code: str
    name: str
    monthly: Money
    fees: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """All that a price depends on besides the catalogue. `zone`: where billing days begin."""

    tariffs: Mapping[str, Tariff]
    tax_basis_points: int
    zone: tzinfo | None


def price(order: WorkOrder, prices: Prices, products: Mapping[str, Product], at: datetime) -> Bill | None:
    """What `order` costs, were it completed at `at`; None where a price that it needs is not known here."""
    service = order.service
    new, old = prices.tariffs.get(service.plan_code), prices.tariffs.get(service.running_plan_code)
    if new is None or (order.kind in CHANGES_PLAN and old is None):
        return None
    if order.kind in PARTS_CHARGED and not all(line.sku in products for line in order.parts):
        return None
    try:
        on = at.astimezone(prices.zone).date()
        return bill_of(order, on, new, old, products, prices.tax_basis_points)
    except ValueError:  # prices in several currencies
        return None


def expected(order: WorkOrder) -> WorkOrder:
    """`order` with the parts that its visit will have used as far as one can tell: those planned, or more."""
    planned, used = _by_sku(order.required_parts), _by_sku(order.parts)
    lines = [PartLine(sku=sku, quantity=max(planned.get(sku, 0), used.get(sku, 0))) for sku in planned | used]
    return replace(order, parts=tuple(lines))


def version_of(prices: Prices, products: Iterable[Product]) -> str:
    """Names a price list: the same wherever the prices are the same."""
    said = [f"{prices.tax_basis_points}"]
    said += [f"{item.sku} {item.price_minor} {item.currency}" for item in sorted(products, key=_sku)]
    for code, tariff in sorted(prices.tariffs.items()):
        said.append(f"{code} {tariff.monthly.minor} {tariff.monthly.currency} {sorted(tariff.fees.items())}")
    return sha256("\n".join(said).encode()).hexdigest()[:12]


def bill_of(
    order: WorkOrder,
    on: date,
    new: Tariff,
    old: Tariff | None,
    products: Mapping[str, Product],
    tax_basis_points: int,
) -> Bill:
    """The charges of completing `order` on the local day `on`. Raises ValueError for mixed currencies.

    `new` is the tariff ordered, `old` the one that ran before. The fee line is always there, at zero when
    the visit is free, so that every completed visit has its invoice. The first month is prorated by whole
    days, the day of activation included.
    """
    currency = new.monthly.currency
    fee = Money(int(new.fees.get(order.kind, 0)), currency)
    lines = [_Line(FEE, _fee_words(order, new), fee)]
    if order.kind in PARTS_CHARGED:
        lines += _part_lines(order, products)
    in_month = monthrange(on.year, on.month)[1]
    left = in_month - on.day + 1
    words = f"{left} of {in_month} days"
    match order.kind:
        case WorkOrderKind.INSTALL:
            share = new.monthly.share(left, in_month)
            lines.append(_Line(FIRST_MONTH, f"{new.name}, first month, {words}", share, 1, left, in_month))
        case WorkOrderKind.UPGRADE if old is not None and old.code != new.code:
            share = (new.monthly - old.monthly).share(left, in_month)
            lines.append(_Line(PLAN_CHANGE, f"{old.name} to {new.name}, {words}", share, 1, left, in_month))
        case WorkOrderKind.DISCONNECT:
            unused = left - 1  # the day of the visit was still served
            if unused:
                ran = old or new  # an upgrade may have come in between
                share = -ran.monthly.share(unused, in_month)
                credit = f"{ran.name}, unused {unused} of {in_month} days"
                lines.append(_Line(UNUSED_DAYS, credit, share, 1, unused, in_month))
    return Bill(currency=currency, charges=tuple(line.charge(currency, tax_basis_points) for line in lines))


def call_out(order: WorkOrder, tariff: Tariff, tax_basis_points: int) -> Bill:
    """The plan's fee for a call-out, else its fee for this kind of visit, and nothing else."""
    fee = Money(int(tariff.fees.get("call_out", tariff.fees.get(order.kind, 0))), tariff.monthly.currency)
    line = _Line(FEE, f"Call-out {order.number}", fee)
    return Bill(currency=fee.currency, charges=(line.charge(fee.currency, tax_basis_points),))


@dataclass(frozen=True, slots=True)
class _Line:
    """A charge before tax."""

    code: str
    description: str
    unit: Money
    quantity: int = 1
    days: int = 0
    of_days: int = 0

    def charge(self, currency: str, tax_basis_points: int) -> Charge:
        net = Money(0, currency) + self.unit.times(self.quantity)
        return Charge(
            code=self.code,
            description=self.description,
            quantity=self.quantity,
            unit_minor=self.unit.minor,
            net_minor=net.minor,
            tax_minor=net.tax(tax_basis_points).minor,
            days=self.days,
            of_days=self.of_days,
        )


def _fee_words(order: WorkOrder, tariff: Tariff) -> str:
    return f"{order.kind.value.capitalize()} visit {order.number}, {tariff.name}"


def _part_lines(order: WorkOrder, products: Mapping[str, Product]) -> list[_Line]:
    found = []
    for sku, quantity in sorted(_by_sku(order.parts).items()):
        product = products[sku]
        unit = Money(product.price_minor, product.currency)
        found.append(_Line(f"{PART}{sku}", product.name, unit, quantity))
    return found


def _by_sku(lines: Iterable[PartLine]) -> dict[str, int]:
    used: dict[str, int] = {}
    for line in lines:
        used[line.sku] = used.get(line.sku, 0) + line.quantity
    return used


def _sku(product: Product) -> str:
    return product.sku
