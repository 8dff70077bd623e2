"""The stock ledger: moves in, balances out. Rows are added, never changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from server.db import entries, rows
from server.db.base import columns_of, table_of
from server.stock.models import ReservationRow, StockBalanceRow, StockMoveRow, StockPlaceRow
from shared.assets import HolderKind
from shared.situation import UNRECEIVED_PLACE
from shared.stock import StockMove
from shared.van import COUNT_PLACE, StockHolder

OUR_PLACES = (HolderKind.VAN, HolderKind.DEPOT)
"""Where a unit counts as our stock."""


FIXED_PLACES = {
    UNRECEIVED_PLACE: "found in the field, never booked in",
    COUNT_PLACE: "found by counting, or gone",
}
"""Places that every database has from the start: what is put right comes from there, or goes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """Moves under one `cause`, the command or receipt of goods that made them, counted from `first_line`."""

    moves: Sequence[StockMove]
    cause: UUID
    at: datetime
    work_order_id: UUID | None = None
    first_line: int = 1


def book(
    session: Session,
    moves: Sequence[StockMove],
    *,
    cause: UUID,
    at: datetime,
    work_order_id: UUID | None = None,
) -> None:
    """Add `moves` under one `cause`; a second booking of the same cause breaks a unique constraint."""
    write(session, [Booking(moves=moves, cause=cause, at=at, work_order_id=work_order_id)])


def write(session: Session, bookings: Sequence[Booking]) -> None:
    """Add the moves of all `bookings`, and bring the balances up to date, each with one statement."""
    moved = [
        {
            "sku": move.sku,
            "quantity": move.quantity,
            "source_id": move.source_id,
            "target_id": move.target_id,
            "serial": move.serial,
            "work_order_id": booking.work_order_id,
            "cause": booking.cause,
            "line": line,
            "at": booking.at,
        }
        for booking in bookings
        for line, move in enumerate(booking.moves, start=booking.first_line)
    ]
    if not moved:
        return
    session.flush()  # places and products that the moves speak of
    rows.add(session, StockMoveRow, moved)
    entries.note(session, table_of(StockMoveRow), moved)
    shifts: dict[tuple[UUID, str], int] = defaultdict(int)
    for booking in bookings:
        for move in booking.moves:
            shifts[move.source_id, move.sku] -= move.quantity
            shifts[move.target_id, move.sku] += move.quantity
    changed = [
        {"place_id": place_id, "sku": sku, "quantity": quantity}
        for (place_id, sku), quantity in sorted(shifts.items())  # in one order, so that nobody deadlocks
    ]
    rows.add(session, StockBalanceRow, changed, _added_up)


def _added_up(adding: Any) -> Any:
    return adding.on_conflict_do_update(
        index_elements=[StockBalanceRow.place_id, StockBalanceRow.sku],
        set_={"quantity": StockBalanceRow.quantity + adding.excluded.quantity},
    )


_balance, _place, _reservation = map(columns_of, (StockBalanceRow, StockPlaceRow, ReservationRow))
_BALANCES = select(_balance.sku, _balance.quantity).where(_balance.place_id == bindparam("place"))
_BALANCES_OF = _BALANCES.where(_balance.sku.in_(bindparam("skus", expanding=True)))
_HOLDERS = select(_place.id, _place.kind, _place.name).where(_place.id.in_(bindparam("ids", expanding=True)))
_OURS = (
    select(_balance.sku, func.sum(_balance.quantity))
    .join(table_of(StockPlaceRow), _place.id == _balance.place_id)
    .where(_balance.sku.in_(bindparam("skus", expanding=True)), _place.kind.in_(OUR_PLACES))
    .group_by(_balance.sku)
)
_RESERVED = (
    select(_reservation.sku, func.sum(_reservation.quantity))
    .where(_reservation.place_id == bindparam("place"), _reservation.released_at.is_(None))
    .group_by(_reservation.sku)
)


def balances(session: Session, place_id: UUID, skus: Iterable[str] | None = None) -> dict[str, int]:
    """SKU → units at one place. SKUs that never moved there are missing."""
    if skus is None:
        found = session.execute(_BALANCES, {"place": place_id})
    else:
        found = session.execute(_BALANCES_OF, {"place": place_id, "skus": list(skus)})
    return {sku: quantity for sku, quantity in found}


def holders(session: Session, ids: Iterable[UUID]) -> dict[UUID, StockHolder]:
    """Those of `ids` that are places of stock."""
    wanted = sorted(ids)
    found = session.execute(_HOLDERS, {"ids": wanted}) if wanted else ()
    return {id: StockHolder(kind=HolderKind(kind), name=name) for id, kind, name in found}


def ours(session: Session, skus: Iterable[str]) -> dict[str, int]:
    """SKU → units in all our vans and depots together."""
    wanted = sorted(set(skus))
    found = session.execute(_OURS, {"skus": wanted})
    return dict.fromkeys(wanted, 0) | {sku: int(total) for sku, total in found}


def reserved(session: Session, place_id: UUID) -> dict[str, int]:
    """SKU → units at a place that are promised to open work orders."""
    return {sku: int(total) for sku, total in session.execute(_RESERVED, {"place": place_id})}
