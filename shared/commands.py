"""The closed union of commands, told apart by `type`. A command is what somebody means; rules decide.

Codes are canonical, as shared.barcodes makes them: serials in upper case without blanks, MACs as
AC:12:2F:00:1B:9E, GPON serials as HWTC1A2B3C4D. Digests are SHA-256 in hex.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeVar, get_args
from uuid import UUID

from shared.charges import Bill
from shared.network_faults import NetworkCommand
from shared.stock_commands import StockCommand
from shared.work_orders import (
    ContactField,
    EvidenceKind,
    EvidenceRef,
    PartLine,
    PauseReason,
    RemovalCause,
    SkipReason,
    TimePoint,
    UnfinishedReason,
    WorkOrderKind,
)

SCHEMA = 1
"""Version of every command's shape; a phone that sends a higher one is newer than the server."""

Source = Literal["camera", "photo", "wedge", "typed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTravel:
    work_order_id: UUID
    type: Literal["start_travel"] = "start_travel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrive:
    work_order_id: UUID
    type: Literal["arrive"] = "arrive"


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseWork:
    """Travel or work rests from now on."""

    work_order_id: UUID
    reason: PauseReason
    type: Literal["pause_work"] = "pause_work"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeWork:
    work_order_id: UUID
    type: Literal["resume_work"] = "resume_work"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectTime:
    """A time of one's own visit was another. It is for the timesheet: bills and services stay as booked.

    `base`: the value that the technician saw when they changed it; `pause`: which one, from 0.
    """

    work_order_id: UUID
    point: TimePoint
    base: datetime
    value: datetime
    reason: str
    pause: int | None = None
    type: Literal["correct_time"] = "correct_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallAsset:
    """Fit a scanned device. `confirmed`: the technician was warned and holds it in hand.

    `sku` is only needed for a serial that nobody has received.
    """

    work_order_id: UUID
    serial: str
    source: Source
    sku: str | None = None
    mac: str | None = None
    gpon_serial: str | None = None
    confirmed: bool = False
    type: Literal["install_asset"] = "install_asset"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAsset:
    """Take a device off: one that was there, or one fitted by mistake on this visit.

    `reason` is in the technician's words; older apps send no `cause`.
    """

    work_order_id: UUID
    serial: str
    reason: str
    cause: RemovalCause | None = None
    type: Literal["remove_asset"] = "remove_asset"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBackAsset:
    """A device that was taken off on this visit hangs in its place again."""

    work_order_id: UUID
    serial: str
    type: Literal["put_back_asset"] = "put_back_asset"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapAsset:
    """Take `old_serial` off and fit `serial` in its place: both, or neither. Else as its two halves."""

    work_order_id: UUID
    old_serial: str
    serial: str
    source: Source
    sku: str | None = None
    mac: str | None = None
    gpon_serial: str | None = None
    confirmed: bool = False
    cause: RemovalCause | None = None
    reason: str = ""
    type: Literal["swap_asset"] = "swap_asset"

    @property
    def removal(self) -> RemoveAsset:
        return RemoveAsset(
            work_order_id=self.work_order_id, serial=self.old_serial, reason=self.reason, cause=self.cause
        )

    @property
    def fitting(self) -> InstallAsset:
        return InstallAsset(
            work_order_id=self.work_order_id,
            serial=self.serial,
            source=self.source,
            sku=self.sku,
            mac=self.mac,
            gpon_serial=self.gpon_serial,
            confirmed=self.confirmed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoSwap:
    """`old_serial` hangs in its place again, and `serial`, fitted for it on this visit, does not."""

    work_order_id: UUID
    old_serial: str
    serial: str
    type: Literal["undo_swap"] = "undo_swap"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCheck:
    work_order_id: UUID
    code: str
    value: Decimal
    type: Literal["record_check"] = "record_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCheck:
    """Answer an item of the checklist that asks for no number: `yes` or `no`, a choice's code, or a text."""

    work_order_id: UUID
    code: str
    value: str
    type: Literal["answer_check"] = "answer_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipCheck:
    """Leave an item of the checklist out, and say why."""

    work_order_id: UUID
    code: str
    reason: SkipReason
    text: str = ""
    type: Literal["skip_check"] = "skip_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class UseParts:
    work_order_id: UUID
    lines: tuple[PartLine, ...]
    type: Literal["use_parts"] = "use_parts"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBackParts:
    """So many fewer were used than was said: they are on the van."""

    work_order_id: UUID
    lines: tuple[PartLine, ...]
    type: Literal["take_back_parts"] = "take_back_parts"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddEvidence:
    """A photo or signature. `check`: the item of the checklist that a photo belongs to."""

    work_order_id: UUID
    kind: EvidenceKind
    digest: str
    size_bytes: int
    media_type: str
    taken_at: datetime
    signer: str | None = None
    check: str | None = None
    lat: float | None = None  # where it was taken, if the technician lets the phone say so
    lon: float | None = None
    accuracy_m: float | None = None
    type: Literal["add_evidence"] = "add_evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote:
    """A note, or a new version of the note that it `replaces`. `note_id` is minted where it is written."""

    work_order_id: UUID
    text: str
    note_id: UUID | None = None
    replaces: UUID | None = None
    type: Literal["add_note"] = "add_note"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectContact:
    """The customer says it is otherwise. `base`: what the technician saw when they changed it."""

    work_order_id: UUID
    field: ContactField
    base: str
    value: str
    type: Literal["correct_contact"] = "correct_contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseWorkOrder:
    """The visit is done. `checklist_version`: of the checklist that the app showed; None from one without.

    Apps before protocol 4 show none, so what they could not ask is not demanded of them. `can_ask`: the app
    can show the customer the price and ask whether they agree; apps before protocol 5 can't.
    """

    work_order_id: UUID
    checklist_version: int | None = None
    can_ask: bool = False
    type: Literal["close_work_order"] = "close_work_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotComplete:
    work_order_id: UUID
    reason: UnfinishedReason
    text: str = ""
    type: Literal["cannot_complete"] = "cannot_complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForVisit:
    """This place needs another visit: `new_order_id` is minted on the phone and becomes its work order.

    `follow_up`: the same work goes on, with the `parts` and the `skill` that were missing. Else it is other
    work that was found on site. `skill` is one that this job asks for, by its name.
    """

    work_order_id: UUID
    new_order_id: UUID
    kind: WorkOrderKind
    summary: str
    expected_minutes: int
    parts: tuple[PartLine, ...] = ()
    skill: str | None = None
    follow_up: bool = False
    type: Literal["ask_for_visit"] = "ask_for_visit"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentToCharge:
    """The customer was shown `bill` in their `language`, by the prices of `price_version`, and answered.

    `name`: who agreed, may be empty for who refused. `signature`: None where a tap said it.
    """

    work_order_id: UUID
    bill: Bill
    name: str
    language: str
    price_version: str
    refused: bool = False
    signature: EvidenceRef | None = None
    type: Literal["consent_to_charge"] = "consent_to_charge"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignWorkOrder:
    """The office or the plan gives a job to a technician, or moves it within the route."""

    work_order_id: UUID
    technician_id: UUID
    planned_start: datetime
    planned_end: datetime
    travel_minutes: int = 0
    route_position: int | None = None
    type: Literal["assign_work_order"] = "assign_work_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnassignWorkOrder:
    work_order_id: UUID
    type: Literal["unassign_work_order"] = "unassign_work_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelWorkOrder:
    work_order_id: UUID
    reason: str
    type: Literal["cancel_work_order"] = "cancel_work_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class RescheduleWorkOrder:
    """The office promises another window, or none, and plans another time. The technician stays.

    Window and plan each have both ends or neither; without a plan the planned times stay.
    """

    work_order_id: UUID
    window_start: datetime | None = None
    window_end: datetime | None = None
    planned_start: datetime | None = None
    planned_end: datetime | None = None
    type: Literal["reschedule_work_order"] = "reschedule_work_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitWorkOrder:
    """Part of the work becomes the order `new_order_id`: these roles of equipment, these checks by code."""

    work_order_id: UUID
    new_order_id: UUID
    summary: str
    expected_minutes: int
    equipment: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    parts: tuple[PartLine, ...] = ()
    removal: bool = False
    type: Literal["split_work_order"] = "split_work_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteWorkOrder:
    """It should never have been there. What has been recorded on it forbids that: cancel it then."""

    work_order_id: UUID
    reason: str
    type: Literal["delete_work_order"] = "delete_work_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenWorkOrder:
    """Give a job that was cancelled, unfinished or is with a colleague to who really did the work."""

    work_order_id: UUID
    technician_id: UUID
    type: Literal["reopen_work_order"] = "reopen_work_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeCallOut:
    """Somebody drove there for nothing: bill the call-out and no more."""

    work_order_id: UUID
    type: Literal["charge_call_out"] = "charge_call_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeInFull:
    """What the customer had not agreed to on site is billed after all."""

    work_order_id: UUID
    type: Literal["charge_in_full"] = "charge_in_full"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditContact:
    """The office's word on a contact field; it settles what technicians suggested for it.

    `base`: what the dispatcher saw, None for whatever stands there.
    """

    work_order_id: UUID
    field: ContactField
    value: str
    base: str | None = None
    type: Literal["edit_contact"] = "edit_contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeNote:
    work_order_id: UUID
    text: str
    note_id: UUID | None = None
    replaces: UUID | None = None
    type: Literal["office_note"] = "office_note"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeCheck:
    """A test that was made from afar while the visit is on."""

    work_order_id: UUID
    code: str
    value: Decimal
    type: Literal["office_check"] = "office_check"


VisitCommand = (
    StartTravel
    | Arrive
    | PauseWork
    | ResumeWork
    | CorrectTime
    | InstallAsset
    | RemoveAsset
    | PutBackAsset
    | SwapAsset
    | UndoSwap
    | RecordCheck
    | AnswerCheck
    | SkipCheck
    | UseParts
    | TakeBackParts
    | AddEvidence
    | AddNote
    | CorrectContact
    | CloseWorkOrder
    | CannotComplete
    | AskForVisit
    | ConsentToCharge
)
"""What a phone may send about a work order."""

FieldCommand = VisitCommand | StockCommand | NetworkCommand
"""What a phone may send."""

JoblessCommand = StockCommand | NetworkCommand
"""What is about no work order: a van's stock, or the network."""

OfficeCommand = (
    AssignWorkOrder
    | UnassignWorkOrder
    | CancelWorkOrder
    | RescheduleWorkOrder
    | SplitWorkOrder
    | DeleteWorkOrder
    | ReopenWorkOrder
    | ChargeCallOut
    | ChargeInFull
    | EditContact
    | OfficeNote
    | OfficeCheck
)
"""What dispatch and the plan may send."""

OrderCommand = VisitCommand | OfficeCommand
"""What is about one work order."""

Command = FieldCommand | OfficeCommand

DeviceCommand = InstallAsset | RemoveAsset | PutBackAsset | SwapAsset | UndoSwap
"""Those that name a serialised device, or two."""

FittingCommand = InstallAsset | SwapAsset
"""Those that hang one up, with all that its label says."""

PartsCommand = UseParts | TakeBackParts
"""Those that count parts."""


def order_of(command: Command) -> UUID | None:
    """The work order that it is about; None where it is about a van's stock or the network."""
    return None if isinstance(command, JoblessCommand) else command.work_order_id


def parts_named(command: Command) -> tuple[PartLine, ...]:
    """Parts that it counts, or that another order is to bring."""
    if isinstance(command, PartsCommand):
        return command.lines
    return command.parts if isinstance(command, AskForVisit | SplitWorkOrder) else ()


def file_named(command: Command) -> AddEvidence | EvidenceRef | None:
    """The photo or signature whose bytes it announces."""
    if isinstance(command, AddEvidence):
        return command
    return command.signature if isinstance(command, ConsentToCharge) else None


def files_of(command: Command) -> tuple[str, ...]:
    """The digests of all photos and signatures that go with it."""
    if isinstance(command, NetworkCommand):
        return tuple(photo.digest for photo in command.photos)
    return (file.digest,) if (file := file_named(command)) is not None else ()


Named = TypeVar("Named", bound=DeviceCommand)


def serials_of(command: DeviceCommand) -> tuple[str, ...]:
    """Of each device that it names, the one that comes off first."""
    if isinstance(command, SwapAsset | UndoSwap):
        return command.old_serial, command.serial
    return (command.serial,)


def renamed(command: Named, name: Callable[[str], str]) -> Named:
    """The same with each serial as `name` writes it."""
    if isinstance(command, SwapAsset | UndoSwap):
        return replace(command, old_serial=name(command.old_serial), serial=name(command.serial))
    return replace(command, serial=name(command.serial))


def tag_of(kind: type[Command]) -> str:
    """The `type` that marks this command on the wire."""
    return str(kind.__dataclass_fields__["type"].default)


FIELD_COMMANDS: dict[str, type[FieldCommand]] = {tag_of(kind): kind for kind in get_args(FieldCommand)}
JOBLESS_COMMANDS = frozenset(tag_of(kind) for kind in get_args(JoblessCommand))
OFFICE_COMMANDS: dict[str, type[OfficeCommand]] = {tag_of(kind): kind for kind in get_args(OfficeCommand)}
