"""Charges → a draft invoice and its journal entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from server.billing.journal import Account, Posting, post
from server.billing.models import InvoiceLineRow, InvoiceRow
from server.billing.rating import Charge
from server.clock import mint
from shared.money import Money


def account_of(charge: Charge) -> Account:
    """Where a charge is earned."""
    if charge.code == "fee":
        return Account.VISITS
    return Account.PARTS if charge.code.startswith("part:") else Account.SUBSCRIPTIONS


def draft(
    session: Session,
    charges: Sequence[Charge],
    *,
    customer_id: UUID,
    work_order_id: UUID,
    tax_basis_points: int,
    at: datetime,
) -> InvoiceRow:
    """Draft the invoice of one visit. Tax is taken line by line, so that lines add up to the total."""
    taxes = [charge.net.tax(tax_basis_points) for charge in charges]
    nothing = Money(0, charges[0].net.currency)
    net, tax = sum((charge.net for charge in charges), nothing), sum(taxes, nothing)
    invoice = InvoiceRow(
        id=mint(),
        customer_id=customer_id,
        work_order_id=work_order_id,
        state="draft",
        currency=net.currency,
        net_minor=net.minor,
        tax_minor=tax.minor,
        drafted_at=at,
    )
    session.add(invoice)
    session.flush()
    session.add_all(
        InvoiceLineRow(
            id=mint(),
            invoice_id=invoice.id,
            work_order_id=work_order_id,
            charge_code=charge.code,
            description=charge.description,
            quantity=charge.quantity,
            unit_minor=charge.unit.minor,
            net_minor=charge.net.minor,
            tax_minor=line_tax.minor,
        )
        for charge, line_tax in zip(charges, taxes, strict=True)
    )
    earned = [Posting(account_of(charge), -charge.net) for charge in charges]
    postings = [Posting(Account.RECEIVABLE_DRAFT, net + tax), *earned, Posting(Account.VAT, -tax)]
    post(session, invoice.id, postings, at=at, work_order_id=work_order_id)
    return invoice
