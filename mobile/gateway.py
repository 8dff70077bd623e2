"""The screens' only door: reading is local and instant, writing is durable when it returns.

No Flet here: the same gateway runs headless in tests and in the demo's check.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal
from uuid import UUID

from mobile.scan_words import ScanVerdict
from shared.assets import Asset
from shared.catalogue import Product
from shared.commands import FieldCommand, Source
from shared.decide import Decision
from shared.problems import Problem
from shared.work_orders import EvidenceRef, WorkOrder
from sync.client.store import ClientStore
from sync.client.transport import Transport
from sync.protocol import Profile

__all__ = ["Gateway", "QueueItem", "ScanVerdict", "StockView", "SyncReport", "SyncStatus"]

QueueState = Literal["saved", "sending", "accepted", "held", "refused_local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StockView:
    """One SKU on the van, in its unit. `used_unbooked` is used on open jobs and leaves when they close.

    `low`: what is left does not cover what is promised, or is at most half of par.
    """

    product: Product
    on_hand: int
    reserved: int
    used_unbooked: int
    par: int
    low: bool
    serials: tuple[str, ...] = ()

    @property
    def left(self) -> int:
        return self.on_hand - self.used_unbooked


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One command, from the tap to its receipt and 14 days on. `made_at` is UTC by the device's clock.

    saved: on this device only · sending: on its way · accepted, held: the server's answer, held meaning a
    dispatcher decides · refused_local: unsent, and the job has changed since; it is still sent.
    `detail` is a sentence or empty; `remarks` are sentences.
    """

    id: UUID
    seq: int
    made_at: datetime
    type: str
    title: str
    work_order_id: UUID
    order_number: str
    state: QueueState
    detail: str = ""
    remarks: tuple[str, ...] = ()
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """What is true now. `online` is None until the first try; `last_contact` is by the device's clock.

    `clock_offset_seconds` is server minus device. `problem` is a sentence, None when all is well.
    """

    unsent_commands: int
    unsent_photos: int
    held: int
    syncing: bool
    online: bool | None
    last_contact: datetime | None
    problem: str | None
    sign_in_needed: bool
    retry_in_seconds: float | None
    clock_offset_seconds: int
    app_version: str
    protocol: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What one call of `sync` did. `drained`: nothing is left to send, and nothing is left to fetch.

    `retry_in_seconds`: when to call again by itself; None when there is no need, or a person must act first.
    """

    drained: bool
    online: bool
    rounds: int = 0
    accepted: int = 0
    held: int = 0
    rows: int = 0
    gone: int = 0
    photos: int = 0
    problem: str | None = None
    retry_in_seconds: float | None = None


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Gateway:
    """One technician's device. Writes raise `shared.problems.Problem`: nothing was queued then."""

    def __init__(
        self,
        store: ClientStore,
        transport: Transport,
        *,
        now: Callable[[], datetime] = _utc_now,
        entropy: Callable[[int], bytes] = os.urandom,
        app_version: str = "0.1.0",
    ) -> None:
        raise NotImplementedError

    @property
    def registered(self) -> bool:
        """Whether this device was given to a technician."""
        raise NotImplementedError

    @property
    def profile(self) -> Profile | None:
        """None until the first sync."""
        raise NotImplementedError

    def today(self, day: date | None = None) -> list[WorkOrder]:
        """This technician's orders of `day` (default: today where they work), in route order."""
        raise NotImplementedError

    def order(self, id: UUID) -> WorkOrder | None:
        raise NotImplementedError

    def missing(self, id: UUID) -> tuple[Problem, ...]:
        """What still blocks the close; empty for an order that is not here."""
        raise NotImplementedError

    def van_stock(self) -> list[StockView]:
        raise NotImplementedError

    def devices_on_van(self) -> list[Asset]:
        raise NotImplementedError

    def devices_at(self, place_id: UUID) -> list[Asset]:
        raise NotImplementedError

    def product(self, sku: str) -> Product | None:
        raise NotImplementedError

    def products(self) -> list[Product]:
        raise NotImplementedError

    def judge_scan(self, order_id: UUID, text: str, source: Source) -> ScanVerdict:
        raise NotImplementedError

    def queue(self) -> list[QueueItem]:
        """Newest first."""
        raise NotImplementedError

    def evidence_bytes(self, digest: str) -> bytes | None:
        raise NotImplementedError

    def status(self) -> SyncStatus:
        raise NotImplementedError

    def send(self, command: FieldCommand) -> Decision:
        raise NotImplementedError

    def add_photo(self, order_id: UUID, data: bytes, media_type: str) -> EvidenceRef:
        raise NotImplementedError

    def add_signature(self, order_id: UUID, png: bytes, signer: str) -> EvidenceRef:
        raise NotImplementedError

    async def register(self, code: str, device_name: str, platform: str) -> None:
        """Raises Problem (wrong or used code) or NoNetwork."""
        raise NotImplementedError

    async def sync(self) -> SyncReport:
        raise NotImplementedError

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """`callback()` after every change of rows, queue or status; call what is returned to stop."""
        raise NotImplementedError
