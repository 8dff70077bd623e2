"""The values that the phone's store keeps and gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.assets import Asset
from shared.briefs import PlaceBrief
from shared.catalogue import Product
from shared.commands import (
    AskForVisit,
    DeviceCommand,
    FieldCommand,
    PartsCommand,
    files_of,
    order_of,
    serials_of,
)
from shared.part_requests import PartRequest, PartSupply
from shared.problems import Problem
from shared.rating import Tariff
from shared.remarks import Remark
from shared.stock import StockLine
from shared.stock_commands import (
    RequestCommand,
    StockCommand,
    TransferCommand,
    serials_named,
    skus_named,
)
from shared.transfers import Handed
from shared.work_orders import WorkOrder
from sync.protocol import Profile, Ruling


class NotSaved(Problem):
    """This device could not save it."""

    status, slug = 507, "not-saved"


class NewerStore(Exception):
    """The database was written by a newer app. `str(error)` is a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Whose device this is, by the server's word. `token` is the bearer token."""

    device_id: UUID
    token: str
    technician_id: UUID
    technician_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Rows as the server sent them, or as they look with unsent commands on top.

    Orders by id, assets by canonical serial, stock lines and products by SKU, rulings by command, transfers
    between vans and requests for parts by their own id, briefs by place, tariffs by plan.
    """

    profile: Profile | None = None
    orders: Mapping[UUID, WorkOrder] = field(default_factory=dict)
    assets: Mapping[str, Asset] = field(default_factory=dict)
    stock: Mapping[str, StockLine] = field(default_factory=dict)
    products: Mapping[str, Product] = field(default_factory=dict)
    rulings: Mapping[UUID, Ruling] = field(default_factory=dict)
    transfers: Mapping[UUID, Handed] = field(default_factory=dict)
    briefs: Mapping[UUID, PlaceBrief] = field(default_factory=dict)
    tariffs: Mapping[str, Tariff] = field(default_factory=dict)
    part_requests: Mapping[UUID, PartRequest] = field(default_factory=dict)
    supply: PartSupply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommand:
    """A command that is about to be queued; the store gives it its `seq`.

    `made_mono_ms`, `boot`, `hlc` and `technician_id` are as in the envelope (sync/protocol.py).
    """

    id: UUID
    made_at: datetime
    base_version: int
    order_number: str
    command: FieldCommand
    made_mono_ms: int | None = None
    boot: str | None = None
    hlc: str | None = None
    technician_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One queued command, from the tap to 14 days after its receipt. No outcome: unsent.

    `confirm`: it has its receipt, but the server was restored from a backup and is asked again.
    `command` is None when this app no longer reads what an older one wrote; it is sent all the same.
    `work_order_id` is None, and `order_number` empty, for what is about the van and no job.
    """

    id: UUID
    seq: int
    type: str
    schema: int
    made_at: datetime
    base_version: int
    body: bytes
    work_order_id: UUID | None
    order_number: str
    command: FieldCommand | None
    outcome: Literal["accepted", "held"] | None = None
    decided_at: datetime | None = None
    slug: str | None = None
    detail: str | None = None
    remarks: tuple[Remark, ...] = ()
    made_mono_ms: int | None = None
    boot: str | None = None
    hlc: str | None = None
    technician_id: UUID | None = None
    confirm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvidence:
    """The bytes that a command speaks of (`files_of`)."""

    digest: str
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadState:
    """How far the bytes of a file have come. `path` is None before the server has opened a place for them."""

    digest: str
    media_type: str
    size: int
    path: str | None
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What waits here, of the technician whose device this is.

    `held` counts what dispatch has not ruled on. `photos_refused` will not be sent again by itself: the
    server says they are no pictures. `confirming`: decided, and offered again after the server was restored.
    `aside`: unsent commands and photos of those who had this device before. `rechecking`: photos that the
    restored server may have lost.
    """

    unsent_commands: int
    unsent_photos: int
    held: int
    photos_refused: int
    confirming: int = 0
    rechecking: int = 0
    aside: int = 0
    oldest_unsent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What storing one answer of the server did. `moved`: the cursor is a new one."""

    accepted: int
    held: int
    rows: int
    gone: int
    more: bool
    moved: bool
    unsent: int
    uploads: tuple[str, ...]


def references(command: FieldCommand) -> tuple[tuple[str, str], ...]:
    """The rows and files a command speaks of, as (kind, key): they stay here until it has its receipt."""
    about = order_of(command)
    found = [("work_order", str(about))] if about else []
    if isinstance(command, DeviceCommand):
        found += [("asset", serial) for serial in serials_of(command)]
    elif isinstance(command, PartsCommand):
        found += [(kind, line.sku) for line in command.lines for kind in ("product", "stock_line")]
    elif isinstance(command, AskForVisit):
        found += [("product", line.sku) for line in command.parts]
    elif isinstance(command, StockCommand):
        found += [(kind, sku) for sku in sorted(skus_named(command)) for kind in ("product", "stock_line")]
        found += [("asset", serial) for serial in sorted(serials_named(command))]
    found += [("evidence", digest) for digest in files_of(command)]
    if isinstance(command, TransferCommand):
        found.append(("transfer", str(command.transfer.id)))
    elif isinstance(command, RequestCommand):
        found.append(("part_request", str(command.request_id)))
    return tuple(dict.fromkeys(found))
