"""Facts about a van's stock, in the past tense: what shared/stock_rules.py decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

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


StockEvent = VanCounted | TransferBooked | TransferSigned
