"""The receipt on the customer's page: what was billed, and what was agreed on site. It names nobody."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.orm import Session

from server.customers.models import PlanRow
from server.customers.words import Words
from server.stock.products import products
from server.work_orders.models import WorkOrderRow
from shared.catalogue import Product, Unit
from shared.charges import FEE, FIRST_MONTH, NOT_AGREED, PART, PLAN_CHANGE, Bill, Charge
from shared.money import Money, percent
from shared.work_orders import Consent, WorkOrderKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Sentences ready to be shown. `rows`: (what, amount with its tax)."""

    rows: tuple[tuple[str, str], ...]
    total_words: str
    total: str
    tax: str
    agreed: str


def receipt(
    session: Session, row: WorkOrderRow, words: Words, zone: ZoneInfo, tax_basis_points: int
) -> Receipt | None:
    """None for a visit that has no bill, or one from before bills were kept with it."""
    bill = msgspec.convert(row.record.get("bill"), Bill | None)
    if bill is None:
        return None
    skus = [charge.code.removeprefix(PART) for charge in bill.shown if charge.is_part]
    catalogue = products(session, skus) if skus else {}
    plan = session.get_one(PlanRow, row.plan_code).name
    kind, owed = WorkOrderKind(row.kind), bill.total
    rows = tuple(
        (_what(charge, kind, plan, catalogue, words), words.money(Money(charge.total_minor, bill.currency)))
        for charge in bill.shown
    )
    return Receipt(
        rows=rows,
        total_words=words.money_back if owed.minor < 0 else words.total,
        total=words.money(-owed if owed.minor < 0 else owed),
        tax=words.with_tax.format(rate=words.decimal(percent(tax_basis_points)), amount=words.money(bill.tax))
        if bill.tax.minor
        else "",
        agreed=_agreed(row, words, zone),
    )


def _what(charge: Charge, kind: WorkOrderKind, plan: str, catalogue: dict[str, Product], words: Words) -> str:
    facts = {"plan": plan, "days": charge.days, "of_days": charge.of_days}
    if charge.is_part:
        product = catalogue.get(charge.code.removeprefix(PART))
        unit = "m" if product and product.unit is Unit.METRE else "×"
        return f"{charge.quantity} {unit} {charge.description}"
    match charge.code:
        case code if code == FEE:
            return words.kinds[kind]
        case code if code == FIRST_MONTH:
            return words.first_month.format(**facts)
        case code if code == PLAN_CHANGE:
            return words.plan_change.format(**facts)
        case code if code == NOT_AGREED:
            return words.not_charged
    return words.unused_days.format(**facts)


def _agreed(row: WorkOrderRow, words: Words, zone: ZoneInfo) -> str:
    answers = msgspec.convert(row.record.get("consents", ()), tuple[Consent, ...])
    newest = max(reversed(answers), key=lambda consent: consent.at, default=None)
    if newest is None:
        return ""
    local = newest.at.astimezone(zone)
    sentence = words.refused if newest.refused else words.agreed
    return sentence.format(
        amount=words.money(newest.bill.total), date=words.day(local), time=words.time(local)
    )
