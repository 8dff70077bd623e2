"""Stock moves: the only way a quantity changes. A balance is a sum of moves."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StockMove:
    """`quantity` units of `sku` from one stock place to another. Units are the SKU's (each or metre)."""

    sku: str
    quantity: int
    source_id: UUID
    target_id: UUID
    serial: str | None = None

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise ValueError(f"a move of {self.sku} needs a positive quantity, got {self.quantity}")
        if self.source_id == self.target_id:
            raise ValueError(f"a move of {self.sku} must change its place")


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLine:
    """What one van holds of one SKU: `on_hand` by the ledger, of which `reserved` is promised to jobs."""

    stock_place_id: UUID
    sku: str
    on_hand: int
    reserved: int = 0
    par: int = 0
