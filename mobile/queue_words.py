"""One line in plain words for each thing a technician did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo

from shared.catalogue import Product, Unit
from shared.commands import (
    AddEvidence,
    AddNote,
    Arrive,
    CannotComplete,
    CloseWorkOrder,
    InstallAsset,
    PutBackAsset,
    RecordCheck,
    RemoveAsset,
    StartTravel,
    TakeBackParts,
    UseParts,
)
from shared.work_orders import EvidenceKind, PartLine, WorkOrder
from sync.client.records import Entry
from sync.protocol import Ruling

NOTE_SHOWN = 60


def title(entry: Entry, order: WorkOrder | None, products: Mapping[str, Product]) -> str:
    """What the entry says, e.g. "Used 2 × Huber OS2 connector". `order` may have left this device."""
    match entry.command:
        case StartTravel():
            return "Set out"
        case Arrive():
            return "Arrived"
        case InstallAsset(serial=serial):
            return f"Fitted {serial}"
        case RemoveAsset(serial=serial):
            return f"Took off {serial}"
        case PutBackAsset(serial=serial):
            return f"Hung up {serial} again"
        case RecordCheck(code=code, value=value):
            specs = order.required_checks if order else ()
            spec = next((spec for spec in specs if spec.code == code), None)
            return f"{spec.label} {value} {spec.unit}" if spec else f"{_words(code)} {value}"
        case UseParts(lines=lines):
            return "Used " + ", ".join(_part(line, products.get(line.sku)) for line in lines)
        case TakeBackParts(lines=lines):
            return "Took back " + ", ".join(_part(line, products.get(line.sku)) for line in lines)
        case AddEvidence(kind=kind, signer=signer):
            return f"Signature of {signer}" if kind is EvidenceKind.SIGNATURE else "Photo"
        case AddNote(text=text):
            shown = " ".join(text.split())
            return f"Note: {shown if len(shown) <= NOTE_SHOWN else shown[: NOTE_SHOWN - 1] + '…'}"
        case CloseWorkOrder():
            return "Closed the job"
        case CannotComplete(reason=reason):
            return f"Could not complete: {_words(reason.value).lower()}"
    return _words(entry.type)  # queued by an older app


def ruled(ruling: Ruling, now: datetime, zone: tzinfo | None) -> str:
    """What dispatch made of it, e.g. "Dispatch corrected the serial to ANA0002 and booked it at 14:05"."""
    local = ruling.ruled_at.astimezone(zone)
    today = local.date() == now.astimezone(zone).date()
    at = f"at {local:%H:%M}" if today else f"on {local.day} {local:%b} at {local:%H:%M}"
    said = ruling.detail.rstrip(".")
    match ruling.outcome:
        case "accepted":
            return f"Dispatch booked this {at}" + (f", {said}" if said else "")
        case "corrected":
            return f"Dispatch corrected {said or 'it'} and booked it {at}"
    return "Dispatch looked at it: not booked" + (f", because {said}" if said else "")


def _part(line: PartLine, product: Product | None) -> str:
    if product is None:
        return f"{line.quantity} × {line.sku}"
    return f"{line.quantity} {'m of' if product.unit is Unit.METRE else '×'} {product.name}"


def _words(code: str) -> str:
    return code.replace("_", " ").capitalize()
