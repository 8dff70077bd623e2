"""Facts about a van's stock, in the past tense: what shared/stock_rules.py decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.part_requests import PartRequest
from shared.stock import StockMove
from shared.transfers import Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class VanCounted:
    """`moves` bring the ledger to what was found; `missing` are listed devices that nobody saw."""

    at: datetime
    technician_id: UUID
    moves: tuple[StockMove, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferBooked:
    """Both sides agreed; one of them has said so here first. `by_giver`: whose half that was."""

    at: datetime
    transfer: Transfer
    by_giver: bool
    moves: tuple[StockMove, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSigned:
    """The other half of what was booked already."""

    at: datetime
    transfer: Transfer
    by_giver: bool
    moves: tuple[StockMove, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartAskedFor:
    """`request` as it is now: it may have been asked before."""

    at: datetime
    request: PartRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRequestAnswered:
    at: datetime
    request_id: UUID
    can: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRequestWithdrawn:
    at: datetime
    request_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRequestSupplied:
    """So many units of what was asked for have come, by a transfer or from a depot."""

    at: datetime
    request_id: UUID
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsPickedUp:
    """Fetched at a depot."""

    at: datetime
    depot_id: UUID
    moves: tuple[StockMove, ...]


StockMoved = VanCounted | TransferBooked | TransferSigned | PartsPickedUp
"""Those that may move stock."""

RequestEvent = PartAskedFor | PartRequestAnswered | PartRequestWithdrawn | PartRequestSupplied
"""Those about one request for a part."""

StockEvent = StockMoved | RequestEvent


def request_of(event: RequestEvent) -> UUID:
    """The request that it is about."""
    return event.request.id if isinstance(event, PartAskedFor) else event.request_id
