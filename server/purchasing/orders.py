"""Raise or extend one draft purchase order to the right vendor."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.clock import mint
from server.purchasing.models import PurchaseOrderLineRow, PurchaseOrderRow, VendorRow
from server.stock import ledger
from server.stock.models import ProductRow
from server.stock.reorder import Position, quantity_to_order

OPEN_STATES = ("draft", "sent")


def reorder(session: Session, skus: Iterable[str], *, at: datetime, cause: UUID) -> list[UUID]:
    """Buy what has fallen to its reorder point. Returns the ids of the purchase orders it touched.

    The product rows are locked first, in SKU order: two closes that cross one threshold together buy once.
    """
    wanted = sorted(set(skus))
    if not wanted:
        return []
    products = list(
        session.scalars(
            select(ProductRow)
            .where(ProductRow.sku.in_(wanted))
            .order_by(ProductRow.sku)
            # key_share: every stock move of a SKU refers to its product, and two closes that have both
            # booked theirs would otherwise wait for each other here.
            .with_for_update(key_share=True)
        )
    )
    session.flush()
    on_hand, on_order = ledger.ours(session, wanted), _on_order(session, wanted)
    touched: dict[UUID, None] = {}
    # Vendors are locked in one order too, whatever their SKUs are called.
    for product in sorted(products, key=lambda item: (item.vendor_id, item.sku)):
        quantity = quantity_to_order(
            Position(
                on_hand=on_hand[product.sku],
                on_order=on_order.get(product.sku, 0),
                reorder_point=product.reorder_point,
                reorder_quantity=product.reorder_quantity,
            )
        )
        if quantity:
            draft = _draft_for(session, product.vendor_id, at=at, cause=cause)
            _add_line(session, draft, product, quantity)
            touched[draft.id] = None
    return list(touched)


def _on_order(session: Session, skus: list[str]) -> dict[str, int]:
    query = (
        select(
            PurchaseOrderLineRow.sku, func.sum(PurchaseOrderLineRow.quantity - PurchaseOrderLineRow.received)
        )
        .join(PurchaseOrderRow, PurchaseOrderRow.id == PurchaseOrderLineRow.purchase_order_id)
        .where(PurchaseOrderLineRow.sku.in_(skus), PurchaseOrderRow.state.in_(OPEN_STATES))
        .group_by(PurchaseOrderLineRow.sku)
    )
    return {sku: int(total) for sku, total in session.execute(query)}


def _draft_for(session: Session, vendor_id: UUID, *, at: datetime, cause: UUID) -> PurchaseOrderRow:
    session.execute(select(VendorRow.id).where(VendorRow.id == vendor_id).with_for_update(key_share=True))
    draft = session.scalar(
        select(PurchaseOrderRow).where(
            PurchaseOrderRow.vendor_id == vendor_id, PurchaseOrderRow.state == "draft"
        )
    )
    if draft is None:
        draft = PurchaseOrderRow(
            id=mint(), vendor_id=vendor_id, state="draft", raised_at=at, raised_for=cause
        )
        session.add(draft)
        session.flush()
    return draft


def _add_line(session: Session, draft: PurchaseOrderRow, product: ProductRow, quantity: int) -> None:
    line = session.scalar(
        select(PurchaseOrderLineRow).where(
            PurchaseOrderLineRow.purchase_order_id == draft.id, PurchaseOrderLineRow.sku == product.sku
        )
    )
    if line is None:
        session.add(
            PurchaseOrderLineRow(
                id=mint(),
                purchase_order_id=draft.id,
                sku=product.sku,
                quantity=quantity,
                received=0,
                unit_cost_minor=product.cost_minor,
            )
        )
    else:
        line.quantity += quantity
    session.flush()
