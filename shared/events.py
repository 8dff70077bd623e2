"""The closed union of events: facts about one work order, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.charges import Bill
from shared.stock import StockMove
from shared.windows import TimeWindow
from shared.work_orders import (
    Answer,
    AskedVisit,
    CheckResult,
    Consent,
    ContactField,
    ContactSuggestion,
    EvidenceRef,
    FittedAsset,
    Note,
    PartLine,
    PauseReason,
    RemovedAsset,
    SplitOff,
    TimeCorrection,
    UnfinishedReason,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelStarted:
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPaused:
    at: datetime
    reason: PauseReason


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkResumed:
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCorrected:
    """Said afterwards; nothing that was booked by the recorded time moves."""

    correction: TimeCorrection


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """A former technician did the work that the office had given to somebody else."""

    technician_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFitted:
    fitted: FittedAsset
    unreceived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetUnfitted:
    """Fitted on this visit and taken back before the close: by mistake, or because it `failed`."""

    serial: str
    failed: RemovedAsset | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRemoved:
    removed: RemovedAsset


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPutBack:
    """Taken off on this visit and hung up again before the close."""

    serial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecorded:
    result: CheckResult


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswered:
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSkipped:
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsUsed:
    lines: tuple[PartLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsTakenBack:
    lines: tuple[PartLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAdded:
    evidence: EvidenceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded:
    note: Note


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderCompleted:
    """`at` is the time on site, corrected for the phone's clock: activation and billing start here.

    `bill`: what it costs the customer; None on a device that does not know the prices.
    """

    at: datetime
    technician_id: UUID
    moves: tuple[StockMove, ...]
    bill: Bill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderUnfinished:
    at: datetime
    technician_id: UUID
    reason: UnfinishedReason
    moves: tuple[StockMove, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderAssigned:
    technician_id: UUID
    planned_start: datetime
    planned_end: datetime
    travel_minutes: int
    route_position: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderUnassigned:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderCancelled:
    """`moves`: what a visit that had begun used up and took away; it stays so."""

    at: datetime
    reason: str
    moves: tuple[StockMove, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkReported:
    """A step on a job that was done already, or a step taken twice. `moves` are booked at once.

    `put_back` and `taken_back` undo what the same technician's report had `removed` and its `parts`.
    """

    at: datetime
    technician_id: UUID
    step: str
    checks: tuple[CheckResult, ...] = ()
    answers: tuple[Answer, ...] = ()
    parts: tuple[PartLine, ...] = ()
    fitted: tuple[FittedAsset, ...] = ()
    removed: tuple[RemovedAsset, ...] = ()
    put_back: tuple[str, ...] = ()
    taken_back: tuple[PartLine, ...] = ()
    moves: tuple[StockMove, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCorrected:
    """`settles`: by the office, so that what was suggested for the field is settled with it."""

    at: datetime
    field: ContactField
    before: str
    value: str
    by: UUID
    settles: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSuggested:
    suggestion: ContactSuggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderRescheduled:
    at: datetime
    window: TimeWindow | None
    planned_start: datetime | None
    planned_end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderSplit:
    """`off` became an order of its own, with this summary and so many minutes."""

    at: datetime
    off: SplitOff
    summary: str
    expected_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitAskedFor:
    """`asked` becomes an order of its own."""

    asked: AskedVisit


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderDeleted:
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderReopened:
    """`moves`: what a colleague's visit that ends here used up and took away."""

    at: datetime
    technician_id: UUID
    moves: tuple[StockMove, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutCharged:
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedInFull:
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeAnswered:
    """The customer agreed to a price, or refused it."""

    consent: Consent


Event = (
    TravelStarted
    | Arrived
    | WorkPaused
    | WorkResumed
    | TimeCorrected
    | TakenOver
    | AssetFitted
    | AssetUnfitted
    | AssetRemoved
    | AssetPutBack
    | CheckRecorded
    | CheckAnswered
    | CheckSkipped
    | PartsUsed
    | PartsTakenBack
    | EvidenceAdded
    | NoteAdded
    | WorkOrderCompleted
    | WorkOrderUnfinished
    | WorkOrderAssigned
    | WorkOrderUnassigned
    | WorkOrderCancelled
    | WorkReported
    | ContactCorrected
    | ContactSuggested
    | WorkOrderRescheduled
    | WorkOrderSplit
    | VisitAskedFor
    | WorkOrderDeleted
    | WorkOrderReopened
    | CallOutCharged
    | ChargedInFull
    | ChargeAnswered
)
