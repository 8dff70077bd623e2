"""One line in plain words for each thing a technician did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo

from mobile import words
from mobile.language import money, number
from mobile.rule_words import said
from mobile.views.checklist import answer_in_words
from shared.catalogue import Product, Unit
from shared.checklists import item_of
from shared.commands import (
    AddEvidence,
    AddNote,
    AnswerCheck,
    Arrive,
    AskForVisit,
    CannotComplete,
    CloseWorkOrder,
    ConsentToCharge,
    CorrectTime,
    InstallAsset,
    PauseWork,
    PutBackAsset,
    RecordCheck,
    RemoveAsset,
    ResumeWork,
    SkipCheck,
    StartTravel,
    SwapAsset,
    TakeBackParts,
    UndoSwap,
    UseParts,
)
from shared.network_faults import ReportNetworkFault
from shared.stock_commands import (
    AnswerPartRequest,
    AskForPart,
    CountVan,
    HandOver,
    PickUpParts,
    TakeOver,
    WithdrawPartRequest,
)
from shared.transfers import HandedDevice
from shared.work_orders import EvidenceKind, PartLine, WorkOrder
from sync.client.records import Entry
from sync.protocol import Ruling

NOTE_SHOWN = 60


def title(entry: Entry, order: WorkOrder | None, products: Mapping[str, Product]) -> str:
    """What the entry says, e.g. "Used 2 × Huber OS2 connector". `order` may have left this device."""
    match entry.command:
        case StartTravel() | Arrive() | ResumeWork() | CloseWorkOrder():
            return words.DONE[entry.type]
        case PauseWork(reason=why):
            return f"{words.PAUSE}: {words.PAUSE_REASONS[why]}"
        case CorrectTime(point=point):
            return f"{words.CORRECTED}: {words.POINTS[point]}"
        case InstallAsset(serial=serial):
            return words.did_fit(serial)
        case RemoveAsset(serial=serial):
            return words.did_take_off(serial)
        case PutBackAsset(serial=serial):
            return words.did_put_back(serial)
        case SwapAsset(old_serial=old, serial=serial):
            return words.did_swap(old, serial)
        case UndoSwap(old_serial=old, serial=serial):
            return words.did_undo_swap(old, serial)
        case RecordCheck(code=code, value=value):
            item = item_of(order, code) if order else None
            if item is None:
                return f"{_plain(code)} {number(value)}"
            return f"{said(item.label)} {words.measured(value, item.unit)}"
        case AnswerCheck(code=code, value=value):
            item = item_of(order, code) if order else None
            shown = answer_in_words(item, value) if item else _plain(value)
            return f"{said(item.label) if item else _plain(code)}: {shown}"
        case SkipCheck(code=code, reason=reason):
            item = item_of(order, code) if order else None
            return f"{said(item.label) if item else _plain(code)}: {words.left_out(reason, '')}"
        case UseParts(lines=lines):
            return words.did_use([_part(line, products.get(line.sku)) for line in lines])
        case TakeBackParts(lines=lines):
            return words.did_take_back([_part(line, products.get(line.sku)) for line in lines])
        case AddEvidence(kind=kind, signer=signer, check=check):
            item = item_of(order, check) if order and check else None
            if item is not None:
                return words.photo_of(item.label)
            return words.signature_of(signer or "") if kind is EvidenceKind.SIGNATURE else words.PHOTO
        case AddNote(text=text):
            shown = " ".join(text.split())
            return words.noted(shown if len(shown) <= NOTE_SHOWN else shown[: NOTE_SHOWN - 1] + "…")
        case AskForVisit(kind=kind):
            return words.did_ask(words.KINDS[kind])
        case ConsentToCharge(bill=bill, refused=refused):
            return words.did_answer(money(bill.total), refused=refused)
        case CannotComplete(reason=reason):
            return words.could_not(reason)
        case CountVan(parts=parts, seen=seen):
            return words.did_count(len(parts), len(seen))
        case HandOver(transfer=transfer):
            return words.did_hand_over(things(transfer.lines, transfer.devices, products))
        case TakeOver(transfer=transfer):
            return words.did_take_over(things(transfer.lines, transfer.devices, products))
        case AskForPart(sku=sku, quantity=quantity):
            return words.did_ask_part(_part(PartLine(sku=sku, quantity=quantity), products.get(sku)))
        case AnswerPartRequest(can=can):
            return words.ANSWER_SAVED_YES if can else words.ANSWER_SAVED_NO
        case WithdrawPartRequest():
            return words.DID_WITHDRAW
        case PickUpParts(lines=lines, devices=devices):
            return words.did_fetch(things(lines, devices, products))
        case ReportNetworkFault(cabinet=cabinet):
            return words.did_report(cabinet)
    return _plain(entry.type)  # queued by an older app


def ruled(ruling: Ruling, now: datetime, zone: tzinfo | None) -> str:
    """What dispatch made of it, e.g. "Dispatch corrected the serial to ANA0002 and booked it at 14:05"."""
    local, today = ruling.ruled_at.astimezone(zone), now.astimezone(zone).date()
    return words.ruled(ruling.outcome, local, today, ruling.detail.rstrip("."))


def things(
    lines: Iterable[PartLine], devices: Iterable[HandedDevice], products: Mapping[str, Product]
) -> list[str]:
    """`3 × Field connector`, `Optical terminal ANA0001`."""
    named = [_part(line, products.get(line.sku)) for line in lines]
    for device in devices:
        product = products.get(device.sku)
        named.append(words.device_of(product.name if product else device.sku, device.serial))
    return named


def _part(line: PartLine, product: Product | None) -> str:
    if product is not None and product.unit is Unit.METRE:
        return words.metres_of(line.quantity, product.name)
    return words.pieces_of(line.quantity, product.name if product else line.sku)


def _plain(code: str) -> str:
    return code.replace("_", " ").capitalize()
