"""What a technician may do on a visit, and what it causes. Pure: values in, events out or a Problem.

A physical fact is never refused for business reasons: parts that were used are used, even when the
ledger says the van had none. What cannot be true at the same time as another fact is a Problem.
"""

from __future__ import annotations

import re
from datetime import datetime

from shared import commands as cmd
from shared import events as ev
from shared.assets import Asset, AssetState
from shared.catalogue import Tracking
from shared.problems import (
    AlreadyClosed,
    AssetQuarantined,
    BadEvidence,
    BadValue,
    MissingChecks,
    MissingEquipment,
    MissingRemoval,
    MissingSignature,
    NotInstalledHere,
    NotStarted,
    NotYourJob,
    Problem,
    Reassigned,
    SerialElsewhere,
    SerialUnknown,
    WorkOrderCancelled,
    WrongModel,
)
from shared.remarks import Remark
from shared.situation import UNRECEIVED_PLACE, Situation
from shared.stock import StockMove
from shared.work_orders import (
    CheckResult,
    EvidenceKind,
    EvidenceRef,
    FittedAsset,
    Note,
    RemovedAsset,
    WorkOrder,
    WorkOrderState,
)

Outcome = tuple[tuple[ev.Event, ...], tuple[Remark, ...]]

EVIDENCE_BYTES_MAX = 10 * 1024 * 1024
NOTE_LENGTH_MAX = 4_000
PART_QUANTITY_MAX = 10_000
_SERIAL = re.compile(r"[A-Z0-9][A-Z0-9./_+#-]{3,39}")  # as shared.barcodes makes them
_MAC = re.compile(r"([0-9A-F]{2}:){5}[0-9A-F]{2}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def whose_job(command: cmd.FieldCommand, now: Situation) -> Outcome:
    """Whether the actor may touch this order; a former technician may until the new one has started.

    Work takes the job over; a note alone does not.
    """
    order = now.order
    if order.technician_id != now.actor_id and now.actor_id not in order.former_technician_ids:
        raise NotYourJob(f"{order.number} was never yours: ask dispatch to assign it", subject=order.number)
    if order.state is WorkOrderState.CANCELLED:
        raise WorkOrderCancelled(
            f"The office cancelled {order.number}. Your work is kept; dispatch decides what happens with it",
            subject=order.number,
        )
    if order.state.is_over:
        raise AlreadyClosed(
            f"{order.number} is closed already. Your work is kept; dispatch looks at it", subject=order.number
        )
    if order.technician_id == now.actor_id:
        return (), ()
    if order.state.is_under_way:
        raise Reassigned(
            f"{order.number} went to a colleague who has started it. Your work is kept; dispatch decides",
            subject=order.number,
        )
    if isinstance(command, cmd.AddNote):
        return (), ()
    remark = Remark("reassigned", f"{order.number} had been given away; it stays with who did the work")
    return (ev.TakenOver(technician_id=now.actor_id),), (remark,)


def start_travel(command: cmd.StartTravel, now: Situation, at: datetime) -> Outcome:
    if now.order.state.is_under_way:
        raise NotStarted(f"You already set out for {now.order.number}", subject=now.order.number)
    return (ev.TravelStarted(at=at),), ()


def arrive(command: cmd.Arrive, now: Situation, at: datetime) -> Outcome:
    if now.order.state is WorkOrderState.ON_SITE:
        raise NotStarted(f"You are at {now.order.number} already", subject=now.order.number)
    return (ev.Arrived(at=at),), ()


def _must_be_on_site(order: WorkOrder) -> None:
    if order.state is not WorkOrderState.ON_SITE:
        raise NotStarted("Tap Arrived first", subject=order.number)


def install_asset(command: cmd.InstallAsset, now: Situation, at: datetime) -> Outcome:
    _must_be_on_site(now.order)
    order, serial = now.order, command.serial
    _check_codes(command)
    if any(fitted.serial == serial for fitted in order.fitted):
        raise SerialElsewhere(f"{serial} is on this job already", field="serial", subject=serial)
    asset = now.assets.get(serial)
    if asset is None:
        return _install_unreceived(command, now)
    _check_free(asset, order)
    _check_labels_agree(command, asset)
    _check_model(asset.sku, now)
    remarks: tuple[Remark, ...] = ()
    if asset.holder_id != now.van_id:
        if not command.confirmed:
            raise SerialElsewhere(
                f"{serial} is booked on {asset.holder_name}. If you hold it in your hand, confirm",
                field="serial",
                subject=serial,
            )
        remarks = (Remark("taken-from-elsewhere", f"{serial} was booked on {asset.holder_name}"),)
    fitted = FittedAsset(
        serial=serial,
        sku=asset.sku,
        source_id=asset.holder_id,
        mac=command.mac or asset.mac,
        gpon_serial=command.gpon_serial or asset.gpon_serial,
    )
    return (ev.AssetFitted(fitted=fitted),), remarks


def _check_codes(command: cmd.InstallAsset) -> None:
    if not _SERIAL.fullmatch(command.serial):
        raise BadValue(
            "A serial has 4 to 40 letters and digits: scan it again or type it as printed", field="serial"
        )
    if command.mac is not None and not _MAC.fullmatch(command.mac):
        digits = len(re.sub(r"[^0-9A-Fa-f]", "", command.mac))
        raise BadValue(f"A MAC has 12 hex digits, this one has {digits}: check the label", field="mac")


def _check_free(asset: Asset, order: WorkOrder) -> None:
    if asset.state is AssetState.QUARANTINED:
        raise AssetQuarantined(
            f"{asset.serial} is from a batch under recall: take another one",
            field="serial",
            subject=asset.serial,
        )
    if asset.state is AssetState.INSTALLED:
        raise SerialElsewhere(
            f"{asset.serial} is installed at {asset.holder_name}: check the label, or take another one",
            field="serial",
            subject=asset.serial,
        )
    if asset.claimed_by not in (None, order.id):
        raise SerialElsewhere(
            f"{asset.serial} was fitted on another job: dispatch has to look at it",
            field="serial",
            subject=asset.serial,
        )


def _check_labels_agree(command: cmd.InstallAsset, asset: Asset) -> None:
    for field, scanned, known in (
        ("mac", command.mac, asset.mac),
        ("gpon_serial", command.gpon_serial, asset.gpon_serial),
    ):
        if scanned and known and scanned != known:
            raise BadValue(
                f"The label says {scanned}, our records of {asset.serial} say {known}: scan both again",
                field=field,
            )


def _check_model(sku: str, now: Situation) -> None:
    fitting = now.order.fitting_skus
    if fitting and sku not in fitting:
        wanted = " or ".join(sorted(now.product_name(fit) for fit in fitting))
        raise WrongModel(
            f"{now.product_name(sku)} does not fit {now.order.service.plan_name}: it needs {wanted}",
            field="serial",
        )


def _install_unreceived(command: cmd.InstallAsset, now: Situation) -> Outcome:
    if not command.confirmed:
        raise SerialUnknown(
            f"{command.serial} is not on your van's list. Check the label; if it is right, confirm",
            field="serial",
            subject=command.serial,
        )
    if command.sku is None:
        raise BadValue(f"Choose the model of {command.serial}: nobody has booked it in", field="sku")
    product = now.products.get(command.sku)
    if product is None or product.tracking is not Tracking.SERIALISED:
        raise BadValue(f"There is no device {command.sku} in the catalogue: choose its model", field="sku")
    _check_model(command.sku, now)
    fitted = FittedAsset(
        serial=command.serial,
        sku=command.sku,
        source_id=UNRECEIVED_PLACE,
        mac=command.mac,
        gpon_serial=command.gpon_serial,
    )
    remark = Remark(
        "unreceived-serial", f"{command.serial} was never booked in: stock control should check it"
    )
    return (ev.AssetFitted(fitted=fitted, unreceived=True),), (remark,)


def remove_asset(command: cmd.RemoveAsset, now: Situation, at: datetime) -> Outcome:
    _must_be_on_site(now.order)
    order, serial = now.order, command.serial
    if any(fitted.serial == serial for fitted in order.fitted):
        return (ev.AssetUnfitted(serial=serial),), ()
    if any(removed.serial == serial for removed in order.removed):
        raise NotInstalledHere(f"{serial} is off the wall already", field="serial", subject=serial)
    asset = now.assets.get(serial)
    if asset is None or asset.holder_id != order.place.id:
        known = ", ".join(order.on_site_serials) or "none"
        raise NotInstalledHere(
            f"{serial} is not booked at this address (booked here: {known})", field="serial", subject=serial
        )
    removed = RemovedAsset(serial=serial, sku=asset.sku, reason=command.reason)
    return (ev.AssetRemoved(removed=removed),), ()


def record_check(command: cmd.RecordCheck, now: Situation, at: datetime) -> Outcome:
    _must_be_on_site(now.order)
    spec = next((spec for spec in now.order.required_checks if spec.code == command.code), None)
    if spec is None:
        asked = ", ".join(spec.code for spec in now.order.required_checks) or "none"
        raise BadValue(f"This job does not ask for {command.code} (asked: {asked})", field="code")
    if not command.value.is_finite():
        raise BadValue(f"{spec.label} needs a number in {spec.unit}", field="value")
    passed = spec.allows(command.value)
    result = CheckResult(code=spec.code, value=command.value, unit=spec.unit, passed=passed, at=at)
    return (ev.CheckRecorded(result=result),), ()


def use_parts(command: cmd.UseParts, now: Situation, at: datetime) -> Outcome:
    _must_be_on_site(now.order)
    if not command.lines:
        raise BadValue("Choose at least one part", field="lines")
    remarks = []
    for line in command.lines:
        name, product = now.product_name(line.sku), now.products.get(line.sku)
        if product is None:
            raise BadValue(f"There is no part {line.sku} in the catalogue", field="sku")
        if product.tracking is Tracking.SERIALISED:
            raise BadValue(f"{name} has a serial: scan it instead of counting it", field="sku")
        if not 1 <= line.quantity <= PART_QUANTITY_MAX:
            raise BadValue(f"{name}: the quantity must be 1 to {PART_QUANTITY_MAX:,}", field="quantity")
        left = now.on_hand.get(line.sku, 0) - now.order.used(line.sku)
        if line.quantity > left:
            # It was used, so it is booked; the count of the van is what must be wrong.
            detail = f"{name}: used {line.quantity}, the van's list had {left}: count it"
            remarks.append(Remark("stock-below-zero", detail))
    return (ev.PartsUsed(lines=command.lines),), tuple(remarks)


def add_evidence(command: cmd.AddEvidence, now: Situation, at: datetime) -> Outcome:
    what = command.kind.value
    if command.size_bytes <= 0:
        raise BadEvidence(f"The {what} is empty: take it again", field="size_bytes")
    if command.size_bytes > EVIDENCE_BYTES_MAX:
        size, limit = command.size_bytes / 2**20, EVIDENCE_BYTES_MAX // 2**20
        raise BadEvidence(f"The {what} has {size:.1f} MB, at most {limit} MB can be kept", field="size_bytes")
    if not _DIGEST.fullmatch(command.digest):
        raise BadEvidence(f"The {what} has no valid digest: take it again", field="digest")
    if command.kind is EvidenceKind.SIGNATURE and not (command.signer or "").strip():
        raise BadEvidence("Write the name of who signed", field="signer")
    evidence = EvidenceRef(
        kind=command.kind,
        digest=command.digest,
        size_bytes=command.size_bytes,
        media_type=command.media_type,
        taken_at=command.taken_at,
        signer=command.signer,
    )
    return (ev.EvidenceAdded(evidence=evidence),), ()


def add_note(command: cmd.AddNote, now: Situation, at: datetime) -> Outcome:
    if not command.text.strip():
        raise BadValue("The note is empty", field="text")
    _check_length(command.text)
    return (ev.NoteAdded(note=Note(author_id=now.actor_id, text=command.text, at=at)),), ()


def _check_length(text: str) -> None:
    if len(text) > NOTE_LENGTH_MAX:
        raise BadValue(f"A note holds {NOTE_LENGTH_MAX} characters, this has {len(text)}", field="text")


def missing_for_close(order: WorkOrder) -> tuple[Problem, ...]:
    """Everything that still blocks the close, in the order a technician would do it."""
    found: list[Problem] = []
    fitted = {device.sku for device in order.fitted}
    for need in order.required_equipment:
        if not fitted.intersection(need.skus):
            found.append(MissingEquipment(f"Scan and fit the {need.role}", field="fitted"))
    if order.removal_required and not order.removed:
        found.append(MissingRemoval("Scan the device you take away", field="removed"))
    for spec in order.required_checks:
        result = order.result_of(spec.code)
        if result is None:
            found.append(MissingChecks(f"Record {spec.label.lower()} ({spec.limits})", field=spec.code))
        elif not result.passed:
            detail = (
                f"{spec.label} {result.value} {spec.unit} is outside {spec.limits}: mend it, measure again"
            )
            found.append(MissingChecks(detail, field=spec.code))
    photos = sum(item.kind is EvidenceKind.PHOTO for item in order.evidence)
    if photos < order.photos_required:
        found.append(MissingChecks("Take a photo of the finished work", field="photo"))
    if order.signature_required and not any(i.kind is EvidenceKind.SIGNATURE for i in order.evidence):
        found.append(MissingSignature("Have the customer sign", field="signature"))
    return tuple(found)


def close(command: cmd.CloseWorkOrder, now: Situation, at: datetime) -> Outcome:
    _must_be_on_site(now.order)
    if missing := missing_for_close(now.order):
        detail = "; ".join(problem.detail for problem in missing)
        raise type(missing[0])(detail, field=missing[0].field, subject=now.order.number)
    assert now.van_id is not None, "a technician without a van cannot be on site"
    event = ev.WorkOrderCompleted(at=at, technician_id=now.actor_id, moves=moves_at_close(now, fitted=True))
    return (event,), ()


def cannot_complete(command: cmd.CannotComplete, now: Situation, at: datetime) -> Outcome:
    """Parts that were used stay used; devices that were fitted go back to where they came from."""
    assert now.van_id is not None, "a technician without a van cannot visit"
    note: tuple[ev.Event, ...] = ()
    _check_length(command.text)
    if command.text.strip():
        note = (ev.NoteAdded(note=Note(author_id=now.actor_id, text=command.text, at=at)),)
    unfinished = ev.WorkOrderUnfinished(
        at=at,
        technician_id=now.actor_id,
        reason=command.reason,
        moves=moves_at_close(now, fitted=False),
    )
    return (*note, unfinished), ()


def moves_at_close(now: Situation, *, fitted: bool) -> tuple[StockMove, ...]:
    """Every change of stock that this visit made, booked in one go."""
    order, van_id = now.order, now.van_id
    assert van_id is not None
    moves = [
        StockMove(sku=line.sku, quantity=line.quantity, source_id=van_id, target_id=order.place.id)
        for line in order.parts
    ]
    moves += [
        StockMove(
            sku=device.sku,
            quantity=1,
            source_id=device.source_id,
            target_id=order.place.id,
            serial=device.serial,
        )
        for device in order.fitted
        if fitted
    ]
    moves += [
        StockMove(
            sku=device.sku, quantity=1, source_id=order.place.id, target_id=van_id, serial=device.serial
        )
        for device in order.removed
        if not _gone_from(order, now.assets.get(device.serial))
    ]
    return tuple(moves)


def _gone_from(order: WorkOrder, asset: Asset | None) -> bool:
    """Whether another visit to the same address has booked the device away meanwhile."""
    return asset is not None and asset.holder_id != order.place.id
