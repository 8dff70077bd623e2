"""A bill → a draft invoice and its journal entry. Pure: rows out, for server/books.py to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.billing import journal
from server.billing.journal import Account, Posting
from shared import charges
from shared.charges import Bill, Charge
from shared.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Rows of InvoiceRow, InvoiceLineRow and JournalLineRow."""

    invoice: dict[str, Any]
    lines: list[dict[str, Any]]
    journal: list[dict[str, Any]]


def account_of(charge: Charge) -> Account:
    """Where a charge is earned."""
    match charge.code:
        case charges.FEE:
            return Account.VISITS
        case charges.NOT_AGREED | charges.AGREED_LATER:
            return Account.NOT_AGREED
    return Account.PARTS if charge.is_part else Account.SUBSCRIPTIONS


def draft(
    bill: Bill,
    *,
    invoice_id: UUID,
    line_ids: Sequence[UUID],
    customer_id: UUID,
    work_order_id: UUID,
    at: datetime,
) -> Draft:
    """Draft the invoice of one visit."""
    invoice = {
        "id": invoice_id,
        "customer_id": customer_id,
        "work_order_id": work_order_id,
        "state": "draft",
        "currency": bill.currency,
        "net_minor": bill.net.minor,
        "tax_minor": bill.tax.minor,
        "drafted_at": at,
    }
    return Draft(
        invoice=invoice,
        lines=[
            line(charge, id=line_id, invoice_id=invoice_id, work_order_id=work_order_id)
            for line_id, charge in zip(line_ids, bill.charges, strict=True)
        ],
        journal=posted(bill, entry_id=invoice_id, work_order_id=work_order_id, at=at),
    )


def line(charge: Charge, *, id: UUID, invoice_id: UUID, work_order_id: UUID) -> dict[str, Any]:
    """One charge as a row of InvoiceLineRow."""
    return {
        "id": id,
        "invoice_id": invoice_id,
        "work_order_id": work_order_id,
        "charge_code": charge.code,
        "description": charge.description,
        "quantity": charge.quantity,
        "unit_minor": charge.unit_minor,
        "net_minor": charge.net_minor,
        "tax_minor": charge.tax_minor,
    }


def posted(bill: Bill, *, entry_id: UUID, work_order_id: UUID, at: datetime) -> list[dict[str, Any]]:
    """The journal entry of `bill`, as rows of JournalLineRow."""
    earned = [Posting(account_of(charge), Money(-charge.net_minor, bill.currency)) for charge in bill.charges]
    postings = [Posting(Account.RECEIVABLE_DRAFT, bill.total), *earned, Posting(Account.VAT, -bill.tax)]
    return journal.lines(entry_id, postings, at=at, work_order_id=work_order_id)
