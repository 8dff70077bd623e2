"""What is stocked, as phone and server know it."""

from dataclasses import dataclass
from enum import StrEnum


class Tracking(StrEnum):
    """Whether each unit has its own life story."""

    SERIALISED = "serialised"
    COUNTED = "counted"


class Unit(StrEnum):
    """What a quantity counts: pieces, or whole metres of cable."""

    EACH = "each"
    METRE = "metre"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A stocked kind (SKU). Price is net, in minor units a unit, as charged to a customer."""

    sku: str
    name: str
    tracking: Tracking
    unit: Unit
    maker: str
    model: str
    price_minor: int
    currency: str
    gtin: str | None = None
