"""The stock ledger: moves in, balances out. Rows are added, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from server.stock.models import ReservationRow, StockMoveRow, StockPlaceRow
from shared.assets import HolderKind
from shared.stock import StockMove

OUR_PLACES = (HolderKind.VAN, HolderKind.DEPOT)
"""Where a unit counts as our stock."""


def book(
    session: Session,
    moves: Sequence[StockMove],
    *,
    cause: UUID,
    at: datetime,
    work_order_id: UUID | None = None,
) -> None:
    """Add `moves` under one `cause`; a second booking of the same cause breaks a unique constraint."""
    session.add_all(
        StockMoveRow(
            sku=move.sku,
            quantity=move.quantity,
            source_id=move.source_id,
            target_id=move.target_id,
            serial=move.serial,
            work_order_id=work_order_id,
            cause=cause,
            line=line,
            at=at,
        )
        for line, move in enumerate(moves, start=1)
    )


def balances(session: Session, place_id: UUID, skus: Iterable[str] | None = None) -> dict[str, int]:
    """SKU → units at one place. SKUs that never moved there are missing."""
    signed = case((StockMoveRow.target_id == place_id, StockMoveRow.quantity), else_=-StockMoveRow.quantity)
    query = (
        select(StockMoveRow.sku, func.sum(signed))
        .where(or_(StockMoveRow.source_id == place_id, StockMoveRow.target_id == place_id))
        .group_by(StockMoveRow.sku)
    )
    if skus is not None:
        wanted = list(skus)
        if not wanted:
            return {}
        query = query.where(StockMoveRow.sku.in_(wanted))
    return {sku: int(total) for sku, total in session.execute(query)}


def ours(session: Session, skus: Iterable[str]) -> dict[str, int]:
    """SKU → units in all our vans and depots together."""
    wanted = sorted(set(skus))
    places = select(StockPlaceRow.id).where(StockPlaceRow.kind.in_(OUR_PLACES))
    totals = dict.fromkeys(wanted, 0)
    for side, sign in ((StockMoveRow.target_id, 1), (StockMoveRow.source_id, -1)):
        query = (
            select(StockMoveRow.sku, func.sum(StockMoveRow.quantity))
            .where(StockMoveRow.sku.in_(wanted), side.in_(places))
            .group_by(StockMoveRow.sku)
        )
        for sku, total in session.execute(query):
            totals[sku] += sign * int(total)
    return totals


def reserved(session: Session, place_id: UUID) -> dict[str, int]:
    """SKU → units at a place that are promised to open work orders."""
    query = (
        select(ReservationRow.sku, func.sum(ReservationRow.quantity))
        .where(ReservationRow.place_id == place_id, ReservationRow.released_at.is_(None))
        .group_by(ReservationRow.sku)
    )
    return {sku: int(total) for sku, total in session.execute(query)}
