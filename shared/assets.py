"""One serialised device and the moves it may make."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class AssetState(StrEnum):
    """Where a device is in its life."""

    IN_STOCK = "in_stock"
    INSTALLED = "installed"
    RECOVERED = "recovered"  # taken from a customer, waiting for test or RMA
    QUARANTINED = "quarantined"


class HolderKind(StrEnum):
    """What kind of place a device or a quantity can be in."""

    VAN = "van"
    DEPOT = "depot"
    CUSTOMER = "customer"
    VENDOR = "vendor"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A device with a serial. `holder_id` is the van's, depot's or service location's stock place.

    `claimed_by` is the open work order whose technician has fitted it; the move is booked at the close.
    """

    id: UUID
    serial: str  # canonical: upper case, no blanks
    sku: str
    state: AssetState
    holder_kind: HolderKind
    holder_id: UUID
    holder_name: str
    claimed_by: UUID | None = None
    gpon_serial: str | None = None
    mac: str | None = None
    batch: str | None = None
