"""What a technician should know of a place before ringing: earlier visits, other open jobs, faults nearby."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from shared.network_faults import KnownFault
from shared.work_orders import UnfinishedReason, WorkOrderKind, WorkOrderState

VISITS_MAX, FAULTS_MAX, OPEN_MAX = 5, 10, 5
FAULT_DAYS = 14
"""Older repairs on the same cabinet say little about the fault of today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measurement of an earlier visit, with the limits that it had to keep; None for open."""

    code: str
    value: Decimal
    unit: str
    passed: bool
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVisit:
    """A visit that is over, done or not. `technician` is a colleague's name; `at`: when it ended."""

    order_id: UUID
    number: str
    kind: WorkOrderKind
    state: WorkOrderState
    at: datetime
    technician: str
    reason: UnfinishedReason | None = None
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """Another job that is not done: `here`, or at another address of the same customer."""

    order_id: UUID
    number: str
    kind: WorkOrderKind
    state: WorkOrderState
    planned_start: datetime | None
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A repair on the same cabinet that is not done. It says nothing of whose it is."""

    number: str
    state: WorkOrderState
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceBrief:
    """Newest first, each at most so many as the constants above say.

    `network_faults`: what technicians have reported of its cabinet and is open; missing before protocol 5.
    """

    place_id: UUID
    visits: tuple[PastVisit, ...] = ()
    open_orders: tuple[OpenOrder, ...] = ()
    faults: tuple[Fault, ...] = ()
    network_faults: tuple[KnownFault, ...] = ()
