"""Raise or extend one draft purchase order to the right vendor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from server.db.base import columns_of, table_of
from server.purchasing.models import PurchaseOrderLineRow, PurchaseOrderRow, VendorRow
from server.stock import ledger
from server.stock.models import ProductRow, StockPlaceRow
from server.stock.reorder import Position, quantity_to_order
from shared.stock import StockMove

OPEN_STATES = ("draft", "sent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """What one visit took for good, or a count found gone: `skus` are looked at, `moves` are all it moved.

    `cause`: the work order that a new purchase order is raised for, None for a count. `name` gives what is
    raised its id.
    """

    cause: UUID | None
    skus: frozenset[str]
    moves: Sequence[StockMove]
    name: Callable[[str], UUID]


def reorder(session: Session, drains: Sequence[Drain], at: datetime) -> list[UUID]:
    """Buy what has fallen to its reorder point, visit by visit. Their moves are in the ledger already.

    The product rows are locked first, in SKU order: two closes that cross one threshold together buy once.
    Returns the ids of the purchase orders it touched.
    """
    skus = sorted({sku for drain in drains for sku in drain.skus})
    if not skus:
        return []
    products = {row.sku: row for row in session.scalars(_PRODUCTS, {"skus": skus})}
    on_hand, on_order = ledger.ours(session, skus), _on_order(session, skus)
    ours = _our_places(session, drains)
    for drain in drains:  # back to before the first of them, to find the one that crossed the line
        for sku, units in _gained(drain, ours).items():
            on_hand[sku] = on_hand.get(sku, 0) - units
    drafts = _Drafts(session, at)
    for drain in drains:
        for sku, units in _gained(drain, ours).items():
            on_hand[sku] += units
        # Vendors are locked in one order too, whatever their SKUs are called.
        for product in sorted(
            (products[sku] for sku in drain.skus), key=lambda row: (row.vendor_id, row.sku)
        ):
            quantity = quantity_to_order(
                Position(
                    on_hand=on_hand[product.sku],
                    on_order=on_order.get(product.sku, 0),
                    reorder_point=product.reorder_point,
                    reorder_quantity=product.reorder_quantity,
                )
            )
            if quantity:
                drafts.add(drain, product, quantity)
                on_order[product.sku] = on_order.get(product.sku, 0) + quantity
    return drafts.touched


_PRODUCTS = (
    select(ProductRow)
    .where(ProductRow.sku.in_(bindparam("skus", expanding=True)))
    .order_by(ProductRow.sku)
    # key_share: every stock move of a SKU refers to its product, and two closes that have both
    # booked theirs would otherwise wait for each other here.
    .with_for_update(key_share=True)
)
_place, _order, _line = map(columns_of, (StockPlaceRow, PurchaseOrderRow, PurchaseOrderLineRow))
_OUR_PLACES = select(_place.id).where(
    _place.id.in_(bindparam("places", expanding=True)), _place.kind.in_(ledger.OUR_PLACES)
)
_ON_ORDER = (
    select(_line.sku, func.sum(_line.quantity - _line.received))
    .join(table_of(PurchaseOrderRow), _order.id == _line.purchase_order_id)
    .where(_line.sku.in_(bindparam("skus", expanding=True)), _order.state.in_(OPEN_STATES))
    .group_by(_line.sku)
)


def _our_places(session: Session, drains: Sequence[Drain]) -> set[UUID]:
    places = {place for drain in drains for move in drain.moves for place in (move.source_id, move.target_id)}
    return set(session.scalars(_OUR_PLACES, {"places": sorted(places)}))


def _gained(drain: Drain, ours: set[UUID]) -> dict[str, int]:
    """SKU → units that our vans and depots have more after this visit; negative when they have fewer."""
    gained: dict[str, int] = defaultdict(int)
    for move in drain.moves:
        gained[move.sku] += move.quantity * ((move.target_id in ours) - (move.source_id in ours))
    return gained


def _on_order(session: Session, skus: list[str]) -> dict[str, int]:
    return {sku: int(total) for sku, total in session.execute(_ON_ORDER, {"skus": skus})}


class _Drafts:
    """The vendors' drafts that this transaction raises or extends."""

    def __init__(self, session: Session, at: datetime) -> None:
        self._session = session
        self._at = at
        self._drafts: dict[UUID, PurchaseOrderRow] = {}

    @property
    def touched(self) -> list[UUID]:
        return [draft.id for draft in self._drafts.values()]

    def add(self, drain: Drain, product: ProductRow, quantity: int) -> None:
        draft = self._draft(product.vendor_id, drain)
        query = select(PurchaseOrderLineRow).where(
            PurchaseOrderLineRow.purchase_order_id == draft.id, PurchaseOrderLineRow.sku == product.sku
        )
        if line := self._session.scalar(query):
            line.quantity += quantity
        else:
            self._session.add(
                PurchaseOrderLineRow(
                    id=drain.name(f"purchase order line {product.sku}"),
                    purchase_order_id=draft.id,
                    sku=product.sku,
                    quantity=quantity,
                    received=0,
                    unit_cost_minor=product.cost_minor,
                )
            )
        self._session.flush()

    def _draft(self, vendor_id: UUID, drain: Drain) -> PurchaseOrderRow:
        if vendor_id in self._drafts:
            return self._drafts[vendor_id]
        self._session.execute(
            select(VendorRow.id).where(VendorRow.id == vendor_id).with_for_update(key_share=True)
        )
        query = select(PurchaseOrderRow).where(
            PurchaseOrderRow.vendor_id == vendor_id, PurchaseOrderRow.state == "draft"
        )
        draft = self._session.scalar(query)
        if draft is None:
            draft = PurchaseOrderRow(
                id=drain.name(f"purchase order {vendor_id}"),
                vendor_id=vendor_id,
                state="draft",
                raised_at=self._at,
                raised_for=drain.cause,
            )
            self._session.add(draft)
            self._session.flush()
        self._drafts[vendor_id] = draft
        return draft
