"""Both values: what the technician says, and what stands now, side by side and in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from uuid import UUID

from server.dispatch.meaning import in_words
from shared.agreed import answer_that_counts
from shared.assets import Asset, AssetState
from shared.checklists import item_of, said, standing
from shared.commands import (
    AddEvidence,
    AddNote,
    AnswerCheck,
    Arrive,
    AskForVisit,
    CannotComplete,
    CloseWorkOrder,
    ConsentToCharge,
    CorrectContact,
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
    VisitCommand,
)
from shared.money import Money
from shared.network_faults import Cabinet, NetworkCommand
from shared.situation import Situation
from shared.stock_commands import (
    AnswerPartRequest,
    AskForPart,
    CountVan,
    HandOver,
    PickUpParts,
    StockCommand,
    TakeOver,
    WithdrawPartRequest,
)
from shared.timesheet import stands
from shared.transfers import in_words as handed_in_words
from shared.van import Van
from shared.visit_rules import missing_for_close
from shared.work_orders import Answer, CheckResult, WorkOrder, WorkOrderState
from sync.protocol import encode

STATES = {
    WorkOrderState.UNASSIGNED: "with nobody",
    WorkOrderState.ASSIGNED: "planned",
    WorkOrderState.TRAVELLING: "on the way",
    WorkOrderState.ON_SITE: "on site",
    WorkOrderState.COMPLETED: "completed",
    WorkOrderState.UNFINISHED: "could not be completed",
    WorkOrderState.CANCELLED: "cancelled",
}
NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facing:
    """One thing about which both sides say something."""

    what: str
    theirs: str
    ours: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads: names of technicians, who called off which job, and the zone in which times are told."""

    people: Mapping[UUID, str]
    called_off: Mapping[UUID, str]
    zone: tzinfo
    now: datetime

    def clock(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        same_day = local.date() == self.now.astimezone(self.zone).date()
        return f"{local:%H:%M}" if same_day else f"{local.day} {local:%b %H:%M}"

    def name(self, technician_id: UUID | None) -> str:
        return self.people.get(technician_id, "somebody") if technician_id else "nobody"


def the_job(order: WorkOrder, reader: Reader) -> str:
    """Where the job stands: "on site with Ben Korhonen since 11:02"."""
    who, state = reader.name(order.technician_id), STATES.get(order.state, str(order.state.value))
    match order.state:
        case WorkOrderState.UNASSIGNED:
            return "with nobody"
        case WorkOrderState.ASSIGNED:
            at = f" at {reader.clock(order.planned_start)}" if order.planned_start else ""
            return f"planned for {who}{at}"
        case WorkOrderState.TRAVELLING:
            since = f" since {reader.clock(order.travel_started_at)}" if order.travel_started_at else ""
            return f"{who} is on the way{since}"
        case WorkOrderState.ON_SITE:
            since = f" since {reader.clock(order.arrived_at)}" if order.arrived_at else ""
            return f"{who} is on site{since}"
    if order.deleted_at is not None:
        return f"deleted at {reader.clock(order.deleted_at)}{reader.called_off.get(order.id, '')}"
    at = f" at {reader.clock(order.finished_at)}" if order.finished_at else ""
    by = f" by {who}" if order.technician_id and order.state is not WorkOrderState.CANCELLED else ""
    off = reader.called_off.get(order.id, "") if order.state is WorkOrderState.CANCELLED else ""
    return f"{state}{by}{at}{off}"


def facing(
    command: VisitCommand, happened_at: datetime, now: Situation, reader: Reader
) -> tuple[Facing, ...]:
    """What its sender says happened at `happened_at`, against what stands in `now`."""
    order, at = now.order, reader.clock(happened_at)
    wanted = in_words(command.type, encode(command).decode())
    first = Facing(what=order.number, theirs=f"{wanted}, at {at}", ours=the_job(order, reader))
    return first, *_details(command, now, reader)


def facing_van(command: StockCommand, happened_at: datetime, now: Van, reader: Reader) -> tuple[Facing, ...]:
    """The same for what is about a van's stock: against what the ledger and the register have now."""
    at = reader.clock(happened_at)
    match command:
        case CountVan(parts=parts, seen=seen):
            lines = [
                Facing(
                    what=now.part_name(line.sku),
                    theirs=f"{line.counted} counted at {at}, {line.listed} on the phone's list then",
                    ours=f"{now.on_hand.get(line.sku, 0)} on {now.van_name} by the ledger",
                )
                for line in parts
                if line.counted != line.listed
            ]
            devices = [
                Facing(
                    what=f"Device {device.serial}",
                    theirs=f"on {now.van_name}",
                    ours=asset.holder_name if (asset := now.assets.get(device.serial)) else "in no list",
                )
                for device in seen
                if (asset := now.assets.get(device.serial)) is None or asset.holder_id != now.van_id
            ]
            return *lines, *devices
        case HandOver(transfer=transfer) | TakeOver(transfer=transfer):
            known = now.transfers.get(transfer.id)
            booked = known.transfer if known else None
            who = f"{reader.name(transfer.offer.giver_id)} to {reader.name(transfer.taker_id)}"
            return (
                Facing(
                    what=who,
                    theirs=f"{handed_in_words(transfer.lines, transfer.devices)}, at {at}",
                    ours=handed_in_words(booked.lines, booked.devices) if booked else NOTHING,
                ),
            )

        case PickUpParts(lines=lines, devices=devices, depot_id=depot):
            place, on_hand = now.places.get(depot), now.giver_on_hand or {}
            has = ", ".join(f"{on_hand.get(line.sku, 0)} × {line.sku}" for line in lines)
            return (
                Facing(
                    what=f"Fetched at {place.name if place else 'a place that is no depot of ours'}",
                    theirs=f"{handed_in_words(lines, devices)}, at {at}",
                    ours=f"there by the ledger: {has}" if has else NOTHING,
                ),
            )
        case AskForPart(sku=sku, quantity=quantity, holder_id=holder):
            place, asked = now.places.get(holder), now.requests.get(command.request_id)
            whom = place.name if place else "an unknown place"
            return (
                Facing(
                    what="Asked for",
                    theirs=f"{quantity} × {now.part_name(sku)} of {whom}",
                    ours=f"{asked.quantity} × {asked.sku}" if asked else NOTHING,
                ),
            )
        case AnswerPartRequest() | WithdrawPartRequest():
            asked = now.requests.get(command.request_id)
            wanted = in_words(command.type, encode(command).decode())
            ours = f"{asked.quantity} × {now.part_name(asked.sku)}, {asked.state.value}" if asked else NOTHING
            return (Facing(what="Request for a part", theirs=f"{wanted}, at {at}", ours=ours),)


def facing_network(
    command: NetworkCommand, happened_at: datetime, now: Cabinet, reader: Reader
) -> tuple[Facing, ...]:
    """The same for a report about the network: against the fault that the cabinet has now."""
    ours = NOTHING
    if now.fault is not None:
        ours = f"{now.fault.state.value}, {now.fault.reports} reported since {reader.clock(now.fault.since)}"
    wanted = in_words(command.type, encode(command).decode())
    return (
        Facing(what=f"Cabinet {now.name}", theirs=f"{wanted}, at {reader.clock(happened_at)}", ours=ours),
    )


def _details(command: VisitCommand, now: Situation, reader: Reader) -> Sequence[Facing]:
    order = now.order
    match command:
        case StartTravel() | Arrive() | ResumeWork():
            return ()
        case PauseWork(reason=why):
            ours = order.pause.reason.value.replace("_", " ") if order.pause else "no pause"
            return (Facing(what="Pause", theirs=why.value.replace("_", " "), ours=ours),)
        case CorrectTime(point=point, base=base, value=at, reason=why, pause=number):
            counts = stands(order.times, point, number)
            return (
                Facing(
                    what=point.value.replace("_", " ").capitalize(),
                    theirs=f"{reader.clock(at)} (saw: {reader.clock(base)}): {why}",
                    ours=reader.clock(counts) if counts else "not recorded",
                ),
            )
        case InstallAsset(serial=serial):
            ours = _device(now.assets.get(serial), order)
            fitted = ", ".join(item.serial for item in order.fitted) or NOTHING
            codes = _labels(command, now.assets.get(serial))
            return (
                Facing(what=f"Device {serial}", theirs="fitted on this job", ours=ours),
                *codes,
                Facing(what="Fitted on this job", theirs=serial, ours=fitted),
            )
        case SwapAsset():
            return (*_details(command.removal, now, reader), *_details(command.fitting, now, reader))
        case UndoSwap(old_serial=old, serial=serial):
            back = PutBackAsset(work_order_id=command.work_order_id, serial=old)
            fitted = ", ".join(item.serial for item in order.fitted) or NOTHING
            return (
                *_details(back, now, reader),
                Facing(what="Fitted on this job", theirs=f"not {serial}", ours=fitted),
            )
        case RemoveAsset(serial=serial):
            here = ", ".join(order.on_site_serials) or NOTHING
            ours = _device(now.assets.get(serial), order)
            return (
                Facing(what=f"Device {serial}", theirs=f"taken off{_why(command)}", ours=ours),
                Facing(what="Booked at this address", theirs=serial, ours=here),
            )
        case PutBackAsset(serial=serial):
            off = ", ".join(item.serial for item in order.removed) or NOTHING
            ours = _device(now.assets.get(serial), order)
            return (
                Facing(what=f"Device {serial}", theirs="hangs there again", ours=ours),
                Facing(what="Taken off on this job", theirs=f"not {serial}", ours=off),
            )
        case RecordCheck(code=code, value=value):
            item = item_of(order, code)
            label, unit = (item.label, f" {item.unit}") if item else (code.replace("_", " "), "")
            return (Facing(what=label, theirs=f"{value}{unit}", ours=counts_now(order, code, reader)),)
        case AnswerCheck(code=code, value=value):
            item = item_of(order, code)
            theirs = said(item, value) if item else value
            what = item.label if item else code.replace("_", " ")
            return (Facing(what=what, theirs=theirs, ours=counts_now(order, code, reader)),)
        case SkipCheck(code=code, reason=reason, text=text):
            item = item_of(order, code)
            theirs = f"left out, {reason.value.replace('_', ' ')}" + (f": {text}" if text else "")
            what = item.label if item else code.replace("_", " ")
            return (Facing(what=what, theirs=theirs, ours=counts_now(order, code, reader)),)
        case UseParts(lines=lines):
            return [
                Facing(
                    what=now.product_name(line.sku),
                    theirs=f"used {line.quantity}",
                    ours=f"used {order.used(line.sku)} so far, {now.on_hand.get(line.sku, 0)} on the van",
                )
                for line in lines
            ]
        case TakeBackParts(lines=lines):
            return [
                Facing(
                    what=now.product_name(line.sku),
                    theirs=f"{line.quantity} too many",
                    ours=f"used {order.used(line.sku)} so far",
                )
                for line in lines
            ]
        case AddEvidence(kind=kind, signer=signer):
            count = sum(item.kind is kind for item in order.evidence)
            theirs = f"one of {signer}" if signer else "one more"
            return (Facing(what=kind.value.capitalize(), theirs=theirs, ours=f"{count} on the job"),)
        case AddNote(text=text):
            newest = order.notes[-1].text if order.notes else "no note"
            return (Facing(what="Note", theirs=text, ours=newest),)
        case CorrectContact(field=field, base=base, value=value):
            ours = order.contact_value(field)
            seen = f"{value} (saw: {base or NOTHING})"
            return (
                Facing(what=field.value.replace("_", " ").capitalize(), theirs=seen, ours=ours or NOTHING),
            )
        case CloseWorkOrder(checklist_version=version):
            left = missing_for_close(order, checklist=version is not None)
            missing = "; ".join(problem.detail for problem in left) or NOTHING
            return (Facing(what="Still missing", theirs=NOTHING, ours=missing),)
        case AskForVisit(summary=summary):
            theirs = f"{command.kind.value}, {command.expected_minutes} minutes: {summary}"
            newest_asked = order.asked_for[-1] if order.asked_for else None
            ours = f"{newest_asked.number}: {newest_asked.summary}" if newest_asked else NOTHING
            return (Facing(what="Asked for", theirs=theirs, ours=ours),)
        case ConsentToCharge(bill=bill, name=name, refused=refused):
            known = answer_that_counts(order)
            ours = _answer(known.bill.total, known.name, refused=known.refused) if known else "not asked"
            theirs = _answer(bill.total, name, refused=refused)
            return (Facing(what="The customer's answer to the price", theirs=theirs, ours=ours),)
        case CannotComplete(text=text):
            return (Facing(what="Their words", theirs=text or "–", ours="–"),) if text else ()


def _answer(total: Money, name: str, *, refused: bool) -> str:
    who = name or "the customer"
    return f"{who} refused {total}" if refused else f"{who} agreed to {total}"


def _why(command: RemoveAsset) -> str:
    """The cause, and the technician's own words."""
    cause = command.cause.value.replace("_", " ") if command.cause else ""
    said = ": ".join(filter(None, (cause, command.reason)))
    return f" ({said})" if said else ""


def counts_now(order: WorkOrder, code: str, reader: Reader) -> str:
    """What the job has for an item of its checklist: "-19.5 dBm at 10:02"."""
    item = item_of(order, code)
    match standing(order, code):
        case CheckResult(value=value, at=at):
            return f"{value}{f' {item.unit}' if item else ''} at {reader.clock(at)}"
        case Answer(skipped=None, value=value, at=at):
            return f"{said(item, value) if item else value} at {reader.clock(at)}"
        case Answer(skipped=reason, at=at) if reason is not None:
            return f"left out at {reader.clock(at)}, {reason.value.replace('_', ' ')}"
    return "not recorded"


def _device(asset: Asset | None, order: WorkOrder) -> str:
    if asset is None:
        return "in no list of ours"
    if asset.state is AssetState.QUARANTINED:
        return f"under recall, booked on {asset.holder_name}"
    if asset.claimed_by == order.id:
        return "fitted on this job already"
    if asset.claimed_by is not None:
        return f"fitted on another job, booked on {asset.holder_name}"
    where = "installed at" if asset.state is AssetState.INSTALLED else "booked on"
    return f"{where} {asset.holder_name}"


def _labels(command: InstallAsset, asset: Asset | None) -> list[Facing]:
    """Codes of the label that our register has otherwise."""
    if asset is None:
        return []
    pairs = (("MAC", command.mac, asset.mac), ("GPON serial", command.gpon_serial, asset.gpon_serial))
    return [
        Facing(what=what, theirs=theirs, ours=ours)
        for what, theirs, ours in pairs
        if theirs and ours != theirs and ours
    ]
