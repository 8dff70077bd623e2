"""How the app of protocol 4 read the server's answers: what it knew besides protocol 3. Never changed.

What it sent and was answered then lies in tests/sync/old/protocol_4/.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

import msgspec
import old_protocol_1 as first
import old_protocol_3 as before
from old_protocol_2 import Ruling, SyncResponse
from old_protocol_2 import VisitReport as ReportBefore
from old_protocol_2 import WorkOrder as OrderBefore

WorkOrderKind = before.WorkOrderKind
WorkOrderState = before.WorkOrderState
ServiceState = before.ServiceState
UnfinishedReason = before.UnfinishedReason
AssetState = before.AssetState
HolderKind = before.HolderKind
RemovalCause = Literal[
    "no_power",
    "no_light",
    "wifi_fault",
    "unstable",
    "dead_on_arrival",
    "damaged",
    "other_fault",
    "upgrade",
    "customer_leaves",
    "other",
]
ItemKind = Literal["number", "yes_no", "choice", "text", "photo"]
SkipReason = Literal["not_applicable", "not_possible", "no_tool", "customer_refused", "unsafe", "other"]
PauseReason = Literal["break", "waiting_customer", "waiting_network", "fetching_part", "other"]
TimePoint = Literal["travel_started", "arrived", "finished", "pause_started", "pause_ended"]


class Profile(first.Profile, kw_only=True):
    sealing_key: str = ""


class Choice(msgspec.Struct, kw_only=True):
    code: str
    label: str


class Condition(msgspec.Struct, kw_only=True):
    code: str
    answers: tuple[str, ...] = ()
    out_of_range: bool = False


class CheckItem(msgspec.Struct, kw_only=True):
    code: str
    label: str
    kind: ItemKind
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    choices: tuple[Choice, ...] = ()
    good: tuple[str, ...] = ()
    required: bool = True
    must_pass: bool = True
    skippable: bool = True
    photo: bool = False
    only_if: Condition | None = None


class Checklist(msgspec.Struct, kw_only=True):
    kind: WorkOrderKind
    version: int
    items: tuple[CheckItem, ...]


class Answer(msgspec.Struct, kw_only=True):
    code: str
    value: str
    passed: bool
    at: datetime
    by: UUID
    skipped: SkipReason | None = None


class FittedAsset(first.FittedAsset, kw_only=True):
    replaces: str | None = None


class RemovedAsset(first.RemovedAsset, kw_only=True):
    cause: RemovalCause | None = None


class EvidenceRef(first.EvidenceRef, kw_only=True):
    check: str | None = None
    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None


class Pause(msgspec.Struct, kw_only=True):
    reason: PauseReason
    started_at: datetime
    ended_at: datetime | None = None


class TimeCorrection(msgspec.Struct, kw_only=True):
    point: TimePoint
    base: datetime
    value: datetime
    reason: str
    by: UUID
    at: datetime
    pause: int | None = None


class VisitTimes(msgspec.Struct, kw_only=True):
    technician_id: UUID | None
    travel_started_at: datetime | None = None
    arrived_at: datetime | None = None
    finished_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    corrections: tuple[TimeCorrection, ...] = ()


class VisitReport(ReportBefore, kw_only=True):
    fitted: tuple[FittedAsset, ...] = ()
    removed: tuple[RemovedAsset, ...] = ()
    answers: tuple[Answer, ...] = ()


class AskedVisit(msgspec.Struct, kw_only=True):
    order_id: UUID
    number: str
    kind: WorkOrderKind
    summary: str
    expected_minutes: int
    by: UUID
    at: datetime
    parts: tuple[first.PartLine, ...] = ()
    skill: first.SkillNeed | None = None
    follow_up: bool = False


class WorkOrder(OrderBefore, kw_only=True):
    checklist: Checklist | None = None
    answers: tuple[Answer, ...] = ()
    fitted: tuple[FittedAsset, ...] = ()
    removed: tuple[RemovedAsset, ...] = ()
    failed: tuple[RemovedAsset, ...] = ()
    evidence: tuple[EvidenceRef, ...] = ()
    reports: tuple[VisitReport, ...] = ()
    pauses: tuple[Pause, ...] = ()
    time_corrections: tuple[TimeCorrection, ...] = ()
    earlier_visits: tuple[VisitTimes, ...] = ()
    asked_for: tuple[AskedVisit, ...] = ()


class Reading(msgspec.Struct, kw_only=True):
    code: str
    value: Decimal
    unit: str
    passed: bool
    low: Decimal | None = None
    high: Decimal | None = None


class PastVisit(msgspec.Struct, kw_only=True):
    order_id: UUID
    number: str
    kind: WorkOrderKind
    state: WorkOrderState
    at: datetime
    technician: str
    reason: UnfinishedReason | None = None
    readings: tuple[Reading, ...] = ()


class OpenOrder(msgspec.Struct, kw_only=True):
    order_id: UUID
    number: str
    kind: WorkOrderKind
    state: WorkOrderState
    planned_start: datetime | None
    here: bool


class Fault(msgspec.Struct, kw_only=True):
    number: str
    state: WorkOrderState
    since: datetime


class PlaceBrief(msgspec.Struct, kw_only=True):
    place_id: UUID
    visits: tuple[PastVisit, ...] = ()
    open_orders: tuple[OpenOrder, ...] = ()
    faults: tuple[Fault, ...] = ()


class HandedDevice(msgspec.Struct, kw_only=True):
    serial: str
    sku: str


class Offer(msgspec.Struct, kw_only=True):
    id: UUID
    giver_id: UUID
    giver_van_id: UUID
    offered_at: datetime
    lines: tuple[first.PartLine, ...] = ()
    devices: tuple[HandedDevice, ...] = ()


class Transfer(msgspec.Struct, kw_only=True):
    offer: Offer
    taker_id: UUID
    taker_van_id: UUID
    lines: tuple[first.PartLine, ...] = ()
    devices: tuple[HandedDevice, ...] = ()


class Handed(msgspec.Struct, kw_only=True):
    transfer: Transfer
    given: bool
    taken: bool


KINDS: dict[str, type[msgspec.Struct]] = first.KINDS | {
    "profile": Profile,
    "work_order": WorkOrder,
    "ruling": Ruling,
    "transfer": Handed,
    "place_brief": PlaceBrief,
}


def read(answer: bytes) -> tuple[SyncResponse, dict[tuple[str, str], msgspec.Struct]]:
    """The answer, and its rows by (kind, key): a kind it did not know was kept unread for a newer app."""
    response = msgspec.json.decode(answer, type=SyncResponse)
    return response, first.read_rows(response, KINDS)
