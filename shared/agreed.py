"""What its customer agreed to pay for a visit, and what may be billed for it.

Nothing above what was agreed is billed before a person in the office has decided so (ADR 29).
"""

from __future__ import annotations

from shared.charges import Bill
from shared.conflicts import CONFLICTS
from shared.money import Money
from shared.remarks import Remark
from shared.work_orders import Consent, WorkOrder


def answer_that_counts(order: WorkOrder) -> Consent | None:
    """The newest answer of the customer by the time it was given, whoever sent it when."""
    newest = [*reversed(order.consents)]
    return max(newest, key=lambda consent: consent.at, default=None)


def agreed(order: WorkOrder) -> Consent | None:
    """The newest yes. A later no to more leaves it standing, a later no to as much or less takes it back."""
    newest = [consent for consent in reversed(order.consents) if not consent.refused]
    yes = max(newest, key=lambda consent: consent.at, default=None)
    if yes is None:
        return None
    later = (consent for consent in order.consents if consent.refused and consent.at > yes.at)
    taken_back = any(consent.bill.total.minor <= yes.bill.total.minor for consent in later)
    return None if taken_back else yes


def limit(order: WorkOrder, bill: Bill, *, can_ask: bool) -> Money | None:
    """The most that may be billed, tax included; None for as much as it costs.

    Where nobody was asked although the app could: what was ordered, and no part that came on top on site. It
    is negative where money is given back; a no leaves that standing.
    """
    ordered = Money(sum(charge.total_minor for charge in bill.charges if not charge.is_part), bill.currency)
    nothing = min(Money(0, bill.currency), ordered)
    if (consent := agreed(order)) is not None:
        return consent.bill.total if consent.bill.currency == bill.currency else nothing
    if order.consents:
        return nothing
    return ordered if can_ask else None


def over(order: WorkOrder, bill: Bill, *, can_ask: bool = True) -> Money:
    """How much of `bill` its customer has not agreed to; a part is not paid from what they get back."""
    most = limit(order, bill, can_ask=can_ask)
    nothing = Money(0, bill.currency)
    return nothing if most is None else max(nothing, bill.total - most)


def billable(
    order: WorkOrder, bill: Bill, tax_basis_points: int, *, can_ask: bool
) -> tuple[Bill, tuple[Remark, ...]]:
    """`bill` without what was not agreed to, and what the office should decide then."""
    too_much = over(order, bill, can_ask=can_ask)
    if not too_much.minor:
        return bill, ()
    allowed = bill.total - too_much
    remark = CONFLICTS["charge-not-agreed"].remarked(
        number=order.number, total=bill.total, agreed=allowed, over=too_much
    )
    return bill.capped(allowed, tax_basis_points), (remark,)
