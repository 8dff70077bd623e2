"""Commands about a van's stock, and no work order. Part of the closed union in shared/commands.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.transfers import HandedDevice, Transfer
from shared.work_orders import PartLine


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedParts:
    """One kind of part, in its unit: `counted` were in hand where the phone's list said `listed`.

    `listed` is what the technician was shown, so parts used on open jobs are taken off although the ledger
    has them on the van until the close.
    """

    sku: str
    counted: int
    listed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDevice:
    """A device that was in hand. `sku`: its model by the label, where that says so."""

    serial: str
    sku: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountVan:
    """What is really on the van. Only what was counted is named: a SKU without a line stays as it is.

    The difference `counted` − `listed` is what the books are corrected by, not the distance to what they say
    when the count arrives. So a job that was closed after the count, or that was closed before it and reaches
    the office later, is not counted twice. What the list did not know, the difference does not know either:
    goods that were booked onto the van and that this phone had not heard of must be counted again.

    `listed_serials`: devices that the phone's list had on the van and on no open job; what of them is not in
    `seen` is missing. Both are empty where only parts were counted.
    """

    parts: tuple[CountedParts, ...] = ()
    seen: tuple[SeenDevice, ...] = ()
    listed_serials: tuple[str, ...] = ()
    type: Literal["count_van"] = "count_van"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """The giver's half of a transfer between two vans: the taker has sealed what they took."""

    transfer: Transfer
    giver_seal: str
    taker_seal: str
    type: Literal["hand_over"] = "hand_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """The taker's half of the same transfer. Whichever half comes first books it, the other completes it."""

    transfer: Transfer
    giver_seal: str
    taker_seal: str
    type: Literal["take_over"] = "take_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForPart:
    """This van needs `quantity` of `sku`, in its unit, and would like it of the van or depot `holder_id`.

    `request_id` is minted on the phone. `for_order_id`: the job that waits for it.
    """

    request_id: UUID
    sku: str
    quantity: int
    holder_id: UUID
    for_order_id: UUID | None = None
    note: str = ""
    type: Literal["ask_for_part"] = "ask_for_part"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPartRequest:
    """Whose van was asked says whether they `can`. It promises nothing that the ledger knows."""

    request_id: UUID
    can: bool
    note: str = ""
    type: Literal["answer_part_request"] = "answer_part_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawPartRequest:
    """Who asked needs it no more."""

    request_id: UUID
    type: Literal["withdraw_part_request"] = "withdraw_part_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class PickUpParts:
    """Fetched at a depot: it is on this van now. What this technician had asked of the depot is settled."""

    depot_id: UUID
    lines: tuple[PartLine, ...] = ()
    devices: tuple[HandedDevice, ...] = ()
    type: Literal["pick_up_parts"] = "pick_up_parts"


TransferCommand = HandOver | TakeOver

RequestCommand = AskForPart | AnswerPartRequest | WithdrawPartRequest
"""Those about one request for a part."""

StockCommand = (
    CountVan | HandOver | TakeOver | AskForPart | AnswerPartRequest | WithdrawPartRequest | PickUpParts
)
"""What a phone may send about its van."""


def serials_named(command: StockCommand) -> set[str]:
    """The devices that it speaks of."""
    match command:
        case CountVan(seen=seen, listed_serials=listed):
            return {*listed, *(device.serial for device in seen)}
        case HandOver(transfer=transfer) | TakeOver(transfer=transfer):
            return {device.serial for device in transfer.devices}
        case PickUpParts(devices=devices):
            return {device.serial for device in devices}
        case AskForPart() | AnswerPartRequest() | WithdrawPartRequest():
            return set()


def skus_named(command: StockCommand) -> set[str]:
    """The kinds of stock that it speaks of."""
    match command:
        case CountVan(parts=parts, seen=seen):
            return {line.sku for line in parts} | {device.sku for device in seen if device.sku}
        case HandOver(transfer=transfer) | TakeOver(transfer=transfer):
            return {line.sku for line in transfer.lines} | {device.sku for device in transfer.devices}
        case PickUpParts(lines=lines, devices=devices):
            return {line.sku for line in lines} | {device.sku for device in devices}
        case AskForPart(sku=sku):
            return {sku}
        case AnswerPartRequest() | WithdrawPartRequest():
            return set()


def places_named(command: StockCommand) -> set[UUID]:
    """The vans and depots, besides one's own van, that it speaks of by their id alone."""
    match command:
        case AskForPart(holder_id=place) | PickUpParts(depot_id=place):
            return {place}
        case _:
            return set()
