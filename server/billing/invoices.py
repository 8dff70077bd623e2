"""Charges → a draft invoice and its journal entry. Pure: rows out, for server/books.py to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.billing import journal
from server.billing.journal import Account, Posting
from server.billing.rating import Charge
from shared.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Rows of InvoiceRow, InvoiceLineRow and JournalLineRow."""

    invoice: dict[str, Any]
    lines: list[dict[str, Any]]
    journal: list[dict[str, Any]]


def account_of(charge: Charge) -> Account:
    """Where a charge is earned."""
    if charge.code == "fee":
        return Account.VISITS
    return Account.PARTS if charge.code.startswith("part:") else Account.SUBSCRIPTIONS


def draft(
    charges: Sequence[Charge],
    *,
    invoice_id: UUID,
    line_ids: Sequence[UUID],
    customer_id: UUID,
    work_order_id: UUID,
    tax_basis_points: int,
    at: datetime,
) -> Draft:
    """Draft the invoice of one visit. Tax is taken line by line, so that lines add up to the total."""
    taxes = [charge.net.tax(tax_basis_points) for charge in charges]
    nothing = Money(0, charges[0].net.currency)
    net, tax = sum((charge.net for charge in charges), nothing), sum(taxes, nothing)
    invoice = {
        "id": invoice_id,
        "customer_id": customer_id,
        "work_order_id": work_order_id,
        "state": "draft",
        "currency": net.currency,
        "net_minor": net.minor,
        "tax_minor": tax.minor,
        "drafted_at": at,
    }
    lines = [
        {
            "id": line_id,
            "invoice_id": invoice_id,
            "work_order_id": work_order_id,
            "charge_code": charge.code,
            "description": charge.description,
            "quantity": charge.quantity,
            "unit_minor": charge.unit.minor,
            "net_minor": charge.net.minor,
            "tax_minor": line_tax.minor,
        }
        for line_id, charge, line_tax in zip(line_ids, charges, taxes, strict=True)
    ]
    earned = [Posting(account_of(charge), -charge.net) for charge in charges]
    postings = [Posting(Account.RECEIVABLE_DRAFT, net + tax), *earned, Posting(Account.VAT, -tax)]
    return Draft(
        invoice=invoice,
        lines=lines,
        journal=journal.lines(invoice_id, postings, at=at, work_order_id=work_order_id),
    )
