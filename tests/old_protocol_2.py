"""How the app of protocol 2 read the server's answers: what it knew besides protocol 1. Never changed.

What it sent and was answered then lies in tests/sync/old/protocol_2/.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
import old_protocol_1 as before

WorkOrderKind = before.WorkOrderKind
WorkOrderState = before.WorkOrderState
ServiceState = before.ServiceState
UnfinishedReason = before.UnfinishedReason
AssetState = before.AssetState
HolderKind = before.HolderKind
ContactField = Literal["name", "phone", "access_notes"]


class SyncResponse(before.SyncResponse, kw_only=True):
    epoch: str = ""
    token: str | None = None
    protocol_min: int = 1
    hlc: str | None = None


class CheckResult(before.CheckResult, kw_only=True):
    by: UUID | None = None


class Note(before.Note, kw_only=True):
    id: UUID | None = None
    replaces: UUID | None = None


class ReportedStep(msgspec.Struct, kw_only=True):
    step: str
    at: datetime


class VisitReport(msgspec.Struct, kw_only=True):
    technician_id: UUID
    steps: tuple[ReportedStep, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    parts: tuple[before.PartLine, ...] = ()
    fitted: tuple[before.FittedAsset, ...] = ()
    removed: tuple[before.RemovedAsset, ...] = ()


class ContactSuggestion(msgspec.Struct, kw_only=True):
    field: ContactField
    base: str
    value: str
    by: UUID
    at: datetime
    settled: bool = False


class EarlierPlan(msgspec.Struct, kw_only=True):
    moved_at: datetime
    window: before.TimeWindow | None
    planned_start: datetime | None
    planned_end: datetime | None


class SplitOff(msgspec.Struct, kw_only=True):
    order_id: UUID
    number: str
    equipment: tuple[before.EquipmentNeed, ...] = ()
    checks: tuple[before.CheckSpec, ...] = ()
    parts: tuple[before.PartLine, ...] = ()
    removal: bool = False


class WorkOrder(before.WorkOrder, kw_only=True):
    checks: tuple[CheckResult, ...] = ()
    notes: tuple[Note, ...] = ()
    parts_booked: int = 0
    reports: tuple[VisitReport, ...] = ()
    suggestions: tuple[ContactSuggestion, ...] = ()
    earlier_plans: tuple[EarlierPlan, ...] = ()
    split_off: tuple[SplitOff, ...] = ()
    call_out_at: datetime | None = None
    deleted_at: datetime | None = None


class Ruling(msgspec.Struct, kw_only=True):
    command_id: UUID
    outcome: Literal["accepted", "corrected", "dismissed"]
    ruled_at: datetime
    by: str
    detail: str


KINDS: dict[str, type[msgspec.Struct]] = before.KINDS | {"work_order": WorkOrder, "ruling": Ruling}


def read(answer: bytes) -> tuple[SyncResponse, dict[tuple[str, str], msgspec.Struct]]:
    """The answer, and its rows by (kind, key): a kind it did not know was kept unread for a newer app."""
    response = msgspec.json.decode(answer, type=SyncResponse)
    return response, before.read_rows(response, KINDS)
