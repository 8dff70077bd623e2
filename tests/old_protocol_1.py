"""How the app of protocol 1 read the server's answers, written down once and never changed.

It ignored fields it did not know and refused values it did not know, as this does. What it sent and was
answered then lies in tests/sync/old/protocol_1/.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

import msgspec


class Remark(msgspec.Struct, kw_only=True):
    slug: str
    detail: str


class Receipt(msgspec.Struct, kw_only=True):
    command_id: UUID
    outcome: Literal["accepted", "held"]
    decided_at: datetime
    slug: str | None = None
    detail: str | None = None
    remarks: tuple[Remark, ...] = ()


class Row(msgspec.Struct, kw_only=True):
    kind: str
    key: str
    body: msgspec.Raw


class Gone(msgspec.Struct, kw_only=True):
    kind: str
    key: str


class SyncResponse(msgspec.Struct, kw_only=True):
    protocol: int
    server_now: datetime
    cursor: str
    receipts: tuple[Receipt, ...] = ()
    rows: tuple[Row, ...] = ()
    gone: tuple[Gone, ...] = ()
    reset: bool = False
    more: bool = False
    missing_evidence: tuple[str, ...] = ()


class Profile(msgspec.Struct, kw_only=True):
    technician_id: UUID
    name: str
    van_id: UUID
    van_name: str
    time_zone: str
    home_lat: float
    home_lon: float


WorkOrderKind = Literal["install", "upgrade", "repair", "swap", "disconnect"]


WorkOrderState = Literal[
    "unassigned", "assigned", "travelling", "on_site", "completed", "unfinished", "cancelled"
]


class Contact(msgspec.Struct, kw_only=True):
    customer_id: UUID
    name: str
    phone: str
    language: str = "en"


class Place(msgspec.Struct, kw_only=True):
    id: UUID
    street: str
    house_number: str
    postcode: str
    city: str
    lat: float
    lon: float
    access_notes: str = ""
    cabinet: str | None = None


ServiceState = Literal["reserved", "active", "terminated"]


class ServiceCard(msgspec.Struct, kw_only=True):
    id: UUID
    state: ServiceState
    plan_code: str
    plan_name: str
    down_mbps: int


class TimeWindow(msgspec.Struct, kw_only=True):
    start: datetime
    end: datetime


class SkillNeed(msgspec.Struct, kw_only=True):
    name: str
    level: int


class EquipmentNeed(msgspec.Struct, kw_only=True):
    role: str
    skus: tuple[str, ...]


class PartLine(msgspec.Struct, kw_only=True):
    sku: str
    quantity: int


class CheckSpec(msgspec.Struct, kw_only=True):
    code: str
    label: str
    unit: str
    low: Decimal | None = None
    high: Decimal | None = None


class CheckResult(msgspec.Struct, kw_only=True):
    code: str
    value: Decimal
    unit: str
    passed: bool
    at: datetime


class FittedAsset(msgspec.Struct, kw_only=True):
    serial: str
    sku: str
    source_id: UUID
    mac: str | None = None
    gpon_serial: str | None = None


class RemovedAsset(msgspec.Struct, kw_only=True):
    serial: str
    sku: str
    reason: str


EvidenceKind = Literal["photo", "signature"]


class EvidenceRef(msgspec.Struct, kw_only=True):
    kind: EvidenceKind
    digest: str
    size_bytes: int
    media_type: str
    taken_at: datetime
    signer: str | None = None


class Note(msgspec.Struct, kw_only=True):
    author_id: UUID
    text: str
    at: datetime


UnfinishedReason = Literal[
    "no_access",
    "customer_absent",
    "missing_part",
    "missing_skill",
    "network_fault",
    "unsafe",
    "customer_refused",
]


class WorkOrder(msgspec.Struct, kw_only=True):
    id: UUID
    number: str
    kind: WorkOrderKind
    state: WorkOrderState
    priority: int
    contact: Contact
    place: Place
    service: ServiceCard
    summary: str
    expected_minutes: int
    window: TimeWindow | None = None
    sla_due_at: datetime | None = None
    technician_id: UUID | None = None
    former_technician_ids: frozenset[UUID] = frozenset()
    planned_start: datetime | None = None
    planned_end: datetime | None = None
    travel_minutes: int = 0
    route_position: int | None = None
    required_skills: tuple[SkillNeed, ...] = ()
    required_equipment: tuple[EquipmentNeed, ...] = ()
    required_parts: tuple[PartLine, ...] = ()
    required_checks: tuple[CheckSpec, ...] = ()
    removal_required: bool = False
    signature_required: bool = False
    photos_required: int = 0
    on_site_serials: tuple[str, ...] = ()
    travel_started_at: datetime | None = None
    arrived_at: datetime | None = None
    finished_at: datetime | None = None
    checks: tuple[CheckResult, ...] = ()
    parts: tuple[PartLine, ...] = ()
    fitted: tuple[FittedAsset, ...] = ()
    removed: tuple[RemovedAsset, ...] = ()
    evidence: tuple[EvidenceRef, ...] = ()
    notes: tuple[Note, ...] = ()
    unfinished_reason: UnfinishedReason | None = None
    version: int = 0


AssetState = Literal["in_stock", "installed", "recovered", "quarantined"]


HolderKind = Literal["van", "depot", "customer", "vendor", "consumed", "adjustment"]


class Asset(msgspec.Struct, kw_only=True):
    id: UUID
    serial: str
    sku: str
    state: AssetState
    holder_kind: HolderKind
    holder_id: UUID
    holder_name: str
    claimed_by: UUID | None = None
    gpon_serial: str | None = None
    mac: str | None = None
    batch: str | None = None


class StockLine(msgspec.Struct, kw_only=True):
    stock_place_id: UUID
    sku: str
    on_hand: int
    reserved: int = 0
    par: int = 0


Tracking = Literal["serialised", "counted"]


Unit = Literal["each", "metre"]


class Product(msgspec.Struct, kw_only=True):
    sku: str
    name: str
    tracking: Tracking
    unit: Unit
    maker: str
    model: str
    price_minor: int
    currency: str
    gtin: str | None = None


KINDS: dict[str, type[msgspec.Struct]] = {
    "profile": Profile,
    "work_order": WorkOrder,
    "asset": Asset,
    "stock_line": StockLine,
    "product": Product,
}


def read(answer: bytes) -> tuple[SyncResponse, dict[tuple[str, str], msgspec.Struct]]:
    """The answer, and its rows by (kind, key): a kind it did not know was kept unread for a newer app."""
    response = msgspec.json.decode(answer, type=SyncResponse)
    return response, read_rows(response, KINDS)


def read_rows(
    response: SyncResponse, kinds: dict[str, type[msgspec.Struct]]
) -> dict[tuple[str, str], msgspec.Struct]:
    return {
        (row.kind, row.key): msgspec.json.decode(row.body, type=kinds[row.kind])
        for row in response.rows
        if row.kind in kinds
    }
