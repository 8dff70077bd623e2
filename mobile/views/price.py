"""What a visit costs, as its customer reads it in their language: before work and on the receipt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from mobile import customer_words as say_
from mobile import words
from mobile.language import money, speaking
from mobile.rule_words import said
from mobile.views.quantities import product_name
from mobile.views.today import Lookup
from shared.agreed import answer_that_counts
from shared.catalogue import Product, Unit
from shared.charges import FEE, FIRST_MONTH, NOT_AGREED, PLAN_CHANGE, Bill, Charge
from shared.money import Money, percent
from shared.rating import Tariff
from shared.work_orders import WorkOrder, WorkOrderKind

RECEIPT_BYTES_MAX = 900
"""So much text makes a code that a phone still reads from a screen. An Arabic letter has two bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceView:
    """Sentences to show. `total` is what is paid, tax included; `rows` are (what, amount with its tax)."""

    language: str
    right_to_left: bool
    title: str
    work: str
    heading: str
    total: str
    rows: tuple[tuple[str, str], ...]
    tax: str
    notes: tuple[str, ...]
    answer: str
    name: str
    name_missing: str
    sign: str
    clear: str
    agree: str
    disagree: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """Sentences to show. `parts`: (heading, lines). `code`: what the picture to scan says."""

    language: str
    right_to_left: bool
    title: str
    work: str
    facts: tuple[tuple[str, str], ...]
    parts: tuple[tuple[str, tuple[str, ...]], ...]
    rows: tuple[tuple[str, str], ...]
    total: tuple[str, str] | None
    tax: str
    agreed: str
    code: str
    scan: str


def price_view(
    order: WorkOrder,
    bill: Bill,
    tariffs: Mapping[str, Tariff],
    tax_basis_points: int,
    lookup: Lookup,
    now: datetime,
    zone: tzinfo | None,
) -> PriceView:
    """What `order` will cost, to be agreed to before work."""
    with speaking(say_.language_of(order)) as language:
        notes = [say_.included(order.kind)]
        if any(charge.is_part for charge in bill.charges):
            notes.append(say_.by_what_is_used())
        if order.kind in (WorkOrderKind.INSTALL, WorkOrderKind.UPGRADE) and (
            tariff := tariffs.get(order.service.plan_code)
        ):
            monthly = tariff.monthly + tariff.monthly.tax(tax_basis_points)
            notes.append(say_.afterwards(order.service.plan_name, money(monthly)))
        return PriceView(
            language=language.code,
            right_to_left=language.right_to_left,
            title=say_.price_title(),
            work=say_.kind_of_work(order.kind),
            heading=_heading(bill.total),
            total=money(_absolute(bill.total)) if bill.total.minor else "",
            rows=_rows(order, bill, lookup),
            tax=_tax(bill, tax_basis_points),
            notes=tuple(notes),
            answer=_answer(order, now, zone),
            name=say_.your_name(),
            name_missing=say_.name_missing(),
            sign=say_.sign_here(),
            clear=say_.clear(),
            agree=say_.agree(money(bill.total)),
            disagree=say_.disagree(),
        )


def as_shown(order: WorkOrder, bill: Bill, lookup: Lookup) -> Bill:
    """`bill` with each line as the customer has read it: what a consent keeps."""
    with speaking(say_.language_of(order)):
        return replace(
            bill,
            charges=tuple(
                replace(charge, description=charge_in_words(order, charge, lookup)) for charge in bill.charges
            ),
        )


def charge_in_words(order: WorkOrder, charge: Charge, lookup: Lookup) -> str:
    plan = order.service.plan_name
    if charge.is_part:
        product = lookup(charge.code.partition(":")[2])
        return _counted(charge.quantity, product, charge.description)
    match charge.code:
        case code if code == FEE:
            return say_.kind_of_work(order.kind)
        case code if code == FIRST_MONTH:
            return say_.first_month(plan, charge.days, charge.of_days)
        case code if code == PLAN_CHANGE:
            return say_.plan_change(plan, charge.days, charge.of_days)
        case code if code == NOT_AGREED:
            return say_.not_charged()
    return say_.unused_days(plan, charge.days, charge.of_days)


def receipt_view(
    order: WorkOrder,
    *,
    company: str,
    technician: str,
    tax_basis_points: int | None,
    lookup: Lookup,
    zone: tzinfo | None,
    at_office: bool,
) -> ReceiptView:
    """What the customer keeps of a completed visit. Without prices on this device it has no amounts.

    `technician`: who did it, empty where this device knows no name. `at_office`: the office has the close;
    before that the customer's page has no receipt, and the code is the receipt itself.
    """
    with speaking(say_.language_of(order)) as language:
        facts = []
        if order.finished_at is not None:
            local = order.finished_at.astimezone(zone)
            facts.append((order.number, say_.done_at(say_.day(local), say_.clock(local))))
        if technician:
            facts.append((say_.done_by(), technician.split(" ")[0]))
        facts.append((order.contact.name, f"{order.place.street} {order.place.house_number}".strip()))
        bill = order.bill
        link = order.customer_link if at_office else ""
        view = ReceiptView(
            language=language.code,
            right_to_left=language.right_to_left,
            title=" · ".join(filter(None, (company, say_.receipt_title()))),
            work=say_.kind_of_work(order.kind),
            facts=tuple(facts),
            parts=tuple((heading, lines) for heading, lines in _done(order, lookup) if lines),
            rows=_rows(order, bill, lookup) if bill else (),
            total=(_total_words(bill), money(_absolute(bill.total))) if bill else None,
            tax=_tax(bill, tax_basis_points) if bill and tax_basis_points is not None else "",
            agreed=_answer(order, order.finished_at, zone),
            code=link,
            scan=say_.scan_for_page() if link else say_.scan_for_text(),
        )
        return view if link else replace(view, code=as_text(view))


def as_text(view: ReceiptView) -> str:
    """The whole receipt as plain text, for a phone that has no network; cut where it would be too long."""
    lines = [view.title, view.work, *(f"{name}: {fact}" for name, fact in view.facts)]
    lines += [f"{what}: {amount}" for what, amount in view.rows]
    if view.total:
        lines.append(": ".join(view.total))
    lines += filter(None, (view.tax, view.agreed))
    for heading, texts in view.parts:
        lines.append(f"{heading}: {'; '.join(texts)}")
    text = "\n".join(lines)
    data = text.encode()
    if len(data) <= RECEIPT_BYTES_MAX:
        return text
    more = "…"
    return data[: RECEIPT_BYTES_MAX - len(more.encode())].decode(errors="ignore") + more


def _heading(total: Money) -> str:
    if not total.minor:
        return say_.nothing_to_pay()
    return say_.to_pay() if total.minor > 0 else say_.money_back()


def _total_words(bill: Bill) -> str:
    return say_.money_back() if bill.total.minor < 0 else say_.total()


def _absolute(amount: Money) -> Money:
    return -amount if amount.minor < 0 else amount


def _rows(order: WorkOrder, bill: Bill, lookup: Lookup) -> tuple[tuple[str, str], ...]:
    return tuple(
        (charge_in_words(order, charge, lookup), money(Money(charge.total_minor, bill.currency)))
        for charge in bill.shown
    )


def _tax(bill: Bill, basis_points: int) -> str:
    if not bill.tax.minor:
        return ""
    return say_.with_tax(percent(basis_points), money(bill.tax))


def _answer(order: WorkOrder, beside: datetime | None, zone: tzinfo | None) -> str:
    """With its date where that is another than of `beside`."""
    counts = answer_that_counts(order)
    if counts is None:
        return ""
    local, amount = counts.at.astimezone(zone), money(counts.bill.total)
    time, day = say_.clock(local), ""
    if beside is None or beside.astimezone(zone).date() != local.date():
        day = say_.day(local)
    if counts.refused:
        return say_.refused_before(amount, time, day)
    return say_.agreed_before(counts.name, amount, time, day)


def _done(order: WorkOrder, lookup: Lookup) -> Iterable[tuple[str, tuple[str, ...]]]:
    def device(sku: str, serial: str) -> str:
        return f"{product_name(lookup(sku), sku)} {serial}"

    yield (
        say_.devices(),
        (
            *(device(item.sku, item.serial) for item in order.fitted),
            *(say_.taken_away(device(item.sku, item.serial)) for item in order.removed),
        ),
    )
    skus = dict.fromkeys(line.sku for line in order.parts)
    used = ((sku, lookup(sku)) for sku in skus)
    yield (
        say_.parts_used(),
        tuple(_counted(order.used(sku), product, product.name if product else sku) for sku, product in used),
    )
    results = (order.result_of(code) for code in dict.fromkeys(check.code for check in order.checks))
    labels = {spec.code: spec.label for spec in order.required_checks}
    yield (
        say_.readings(),
        tuple(
            f"{said(labels.get(result.code, result.code))}: {words.measured(result.value, result.unit)}"
            for result in results
            if result is not None
        ),
    )


def _counted(count: int, product: Product | None, name: str) -> str:
    return words.times(count, name, by_the_metre=product is not None and product.unit is Unit.METRE)
