"""The money ledger: every entry has at least two lines and sums to zero. Rows are added, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from server.billing.models import JournalLineRow
from server.db import entries
from server.db.base import table_of
from shared.money import Money


class Account(StrEnum):
    """The accounts that visits and counts touch."""

    OPENING = "3000 opening balance"
    RECEIVABLE_DRAFT = "1500 receivable, not yet invoiced"
    STOCK = "1400 stock"
    PARTS_USED = "5000 parts used"
    STOCK_DIFFERENCES = "5010 stock differences"
    VISITS = "4000 visits"
    PARTS = "4010 parts sold"
    SUBSCRIPTIONS = "4020 subscriptions"
    NOT_AGREED = "4090 not agreed"
    VAT = "2200 value added tax"


@dataclass(frozen=True, slots=True)
class Posting:
    """Debits are positive, credits negative."""

    account: Account
    amount: Money


def lines(
    entry_id: UUID,
    postings: Sequence[Posting],
    *,
    at: datetime,
    work_order_id: UUID | None = None,
) -> list[dict[str, Any]]:
    """One entry as rows of JournalLineRow. Raises ValueError when it does not balance; zeros are left out."""
    kept = [posting for posting in postings if posting.amount.minor]
    if not kept:
        return []
    total = sum((posting.amount for posting in kept[1:]), kept[0].amount)
    if total.minor:
        raise ValueError(f"the entry is off by {total}")
    return [
        {
            "entry_id": entry_id,
            "line": number,
            "account": posting.account,
            "amount_minor": posting.amount.minor,
            "currency": posting.amount.currency,
            "work_order_id": work_order_id,
            "at": at,
        }
        for number, posting in enumerate(kept, start=1)
    ]


def post(
    session: Session,
    entry_id: UUID,
    postings: Sequence[Posting],
    *,
    at: datetime,
    work_order_id: UUID | None = None,
) -> None:
    """Add one entry by itself."""
    if rows := lines(entry_id, postings, at=at, work_order_id=work_order_id):
        session.execute(insert(table_of(JournalLineRow)), rows)
        entries.note(session, table_of(JournalLineRow), rows)
