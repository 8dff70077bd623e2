"""What a technician may do on a visit, and what it causes. Pure: values in, events out or a Problem.

A physical fact is never refused for business reasons: parts that were used are used, even when the
ledger says the van had none. What cannot be true at the same time as another fact is a Problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared import commands as cmd
from shared import events as ev
from shared.agreed import billable
from shared.assets import Asset, AssetState
from shared.catalogue import Tracking
from shared.checklists import item_of, missing_checks
from shared.conflicts import CONFLICTS
from shared.problems import (
    BadEvidence,
    BadValue,
    MissingChecks,
    MissingEquipment,
    MissingRemoval,
    MissingSignature,
    NotInstalledHere,
    NotStarted,
    Problem,
    SerialElsewhere,
    WrongModel,
)
from shared.rating import price
from shared.remarks import Remark
from shared.situation import UNRECEIVED_PLACE, Situation
from shared.stock import StockMove
from shared.work_orders import (
    CheckResult,
    CheckSpec,
    ContactField,
    ContactSuggestion,
    EvidenceKind,
    EvidenceRef,
    FittedAsset,
    ItemKind,
    Note,
    PartLine,
    RemovedAsset,
    WorkOrder,
    WorkOrderState,
)

Outcome = tuple[tuple[ev.Event, ...], tuple[Remark, ...]]

EVIDENCE_BYTES_MAX = 10 * 1024 * 1024
ACCURACY_METRES_MAX = 100_000
NOTE_LENGTH_MAX = 4_000
CONTACT_LENGTH_MAX = 200
PART_QUANTITY_MAX = 10_000
HALF_A_DAY = timedelta(hours=12)
SERIAL = re.compile(r"[A-Z0-9][A-Z0-9./_+#-]{3,39}")  # as shared.barcodes makes them
SERIAL_TEXT = "A serial has 4 to 40 letters and digits: scan it again or type it as printed"
_MAC = re.compile(r"([0-9A-F]{2}:){5}[0-9A-F]{2}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


WORDS = cmd.AddNote | cmd.CorrectContact | cmd.CorrectTime | cmd.AskForVisit | cmd.ConsentToCharge
"""Commands that do nothing to the job itself."""


def whose_job(command: cmd.VisitCommand, now: Situation) -> Outcome:
    """Whether the actor may touch this order; a former technician may until the new one has started.

    Work takes the job over; words (a note, a correction of the contact or of a time, the wish for another
    visit, what the customer says to the price) do not, and are welcome at any time.
    """
    order = now.order
    number = order.number
    if order.technician_id != now.actor_id and now.actor_id not in order.former_technician_ids:
        raise CONFLICTS["not-theirs"].refusal(number=number, subject=number)
    if order.deleted_at is not None:
        raise CONFLICTS["deleted"].refusal(number=number, subject=number)
    if isinstance(command, WORDS):
        return (), ()
    if order.state is WorkOrderState.CANCELLED:
        raise CONFLICTS["cancelled"].refusal(number=number, subject=number)
    if order.state is WorkOrderState.UNFINISHED:
        raise CONFLICTS["unfinished-already"].refusal(number=number, subject=number)
    if order.technician_id == now.actor_id or order.state is WorkOrderState.COMPLETED:
        return (), ()
    if order.state.is_under_way:
        raise CONFLICTS["reassigned-started"].refusal(number=number, subject=number)
    remark = CONFLICTS["reassigned-not-started"].remarked(number=number)
    return (ev.TakenOver(technician_id=now.actor_id),), (remark,)


def repeated(step: str, now: Situation, at: datetime) -> Outcome:
    """A step that was taken already, most likely on another device of the same technician."""
    event = ev.WorkReported(at=at, technician_id=now.actor_id, step=step)
    return (event,), (CONFLICTS["repeated-step"].remarked(number=now.order.number),)


def start_travel(command: cmd.StartTravel, now: Situation, at: datetime) -> Outcome:
    if now.order.state.is_under_way:
        return repeated(command.type, now, at)
    return (ev.TravelStarted(at=at),), ()


def arrive(command: cmd.Arrive, now: Situation, at: datetime) -> Outcome:
    if now.order.state is WorkOrderState.ON_SITE:
        return repeated(command.type, now, at)
    return (ev.Arrived(at=at),), ()


def must_be_on_site(order: WorkOrder) -> None:
    if order.state is not WorkOrderState.ON_SITE:
        raise NotStarted("Tap Arrived first", subject=order.number)


def install_asset(command: cmd.InstallAsset, now: Situation, at: datetime) -> Outcome:
    must_be_on_site(now.order)
    if any(fitted.serial == command.serial for fitted in now.order.fitted):
        return repeated(command.type, now, at)
    fitted, unreceived, remarks = what_was_fitted(command, now)
    _check_model(fitted.sku, now)
    if (other := _split_off_for(fitted.sku, now.order)) is not None:
        remarks += (CONFLICTS["split"].remarked(number=now.order.number, other=other),)
    return (ev.AssetFitted(fitted=fitted, unreceived=unreceived),), remarks


def _split_off_for(sku: str, order: WorkOrder) -> str | None:
    """The number of the order that a device of this model was moved to, None when it is asked for here."""
    if any(sku in need.skus for need in order.required_equipment):
        return None
    return next(
        (off.number for off in order.split_off if any(sku in need.skus for need in off.equipment)), None
    )


def what_was_fitted(
    command: cmd.InstallAsset, now: Situation
) -> tuple[FittedAsset, bool, tuple[Remark, ...]]:
    """The device, whether nobody had received it, and remarks. Raises where it can't be this device."""
    _check_codes(command)
    serial, asset = command.serial, now.assets.get(command.serial)
    if asset is None:
        return _unreceived(command, now)
    _check_free(asset, now.order)
    _check_labels_agree(command, asset)
    remarks: tuple[Remark, ...] = ()
    if asset.holder_id != now.van_id:
        if not command.confirmed:
            raise SerialElsewhere(
                f"{serial} is booked on {asset.holder_name}. If you hold it in your hand, confirm",
                field="serial",
                subject=serial,
            )
        elsewhere = CONFLICTS["serial-from-elsewhere"]
        remarks = (elsewhere.remarked(serial=serial, place=asset.holder_name),)
    fitted = FittedAsset(
        serial=serial,
        sku=asset.sku,
        source_id=asset.holder_id,
        mac=command.mac or asset.mac,
        gpon_serial=command.gpon_serial or asset.gpon_serial,
    )
    return fitted, False, remarks


def _check_codes(command: cmd.InstallAsset) -> None:
    if not SERIAL.fullmatch(command.serial):
        raise BadValue(SERIAL_TEXT, field="serial")
    if command.mac is not None and not _MAC.fullmatch(command.mac):
        digits = len(re.sub(r"[^0-9A-Fa-f]", "", command.mac))
        raise BadValue(f"A MAC has 12 hex digits, this one has {digits}: check the label", field="mac")


def _check_free(asset: Asset, order: WorkOrder) -> None:
    if asset.state is AssetState.QUARANTINED:
        raise CONFLICTS["recalled"].refusal(serial=asset.serial, field="serial", subject=asset.serial)
    if asset.state is AssetState.INSTALLED:
        raise SerialElsewhere(
            f"{asset.serial} is installed at {asset.holder_name}: check the label, or take another one",
            field="serial",
            subject=asset.serial,
        )
    if asset.claimed_by not in (None, order.id):
        raise CONFLICTS["serial-twice"].refusal(serial=asset.serial, field="serial", subject=asset.serial)


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


def _unreceived(command: cmd.InstallAsset, now: Situation) -> tuple[FittedAsset, bool, tuple[Remark, ...]]:
    serial = command.serial
    if not command.confirmed:
        raise CONFLICTS["serial-unknown"].refusal(serial=serial, field="serial", subject=serial)
    if command.sku is None:
        raise BadValue(f"Choose the model of {command.serial}: nobody has booked it in", field="sku")
    product = now.products.get(command.sku)
    if product is None or product.tracking is not Tracking.SERIALISED:
        raise BadValue(f"There is no device {command.sku} in the catalogue: choose its model", field="sku")
    fitted = FittedAsset(
        serial=serial,
        sku=command.sku,
        source_id=UNRECEIVED_PLACE,
        mac=command.mac,
        gpon_serial=command.gpon_serial,
    )
    return fitted, True, (CONFLICTS["serial-unreceived"].remarked(serial=serial),)


def remove_asset(command: cmd.RemoveAsset, now: Situation, at: datetime) -> Outcome:
    must_be_on_site(now.order)
    order, serial = now.order, command.serial
    fitted = next((fitted for fitted in order.fitted if fitted.serial == serial), None)
    if fitted is not None:
        return (ev.AssetUnfitted(serial=serial, failed=_failed(fitted, command)),), ()
    if any(removed.serial == serial for removed in order.removed):
        return repeated(command.type, now, at)
    removed = what_was_removed(command, now)
    off = next((off.number for off in order.split_off if off.removal), None)
    remarks = () if off is None else (CONFLICTS["split"].remarked(number=order.number, other=off),)
    return (ev.AssetRemoved(removed=removed),), remarks


def _failed(fitted: FittedAsset, command: cmd.RemoveAsset) -> RemovedAsset | None:
    """A device that was fitted by mistake is as good as before; one that does not work is not."""
    if command.cause is None or not command.cause.is_fault:
        return None
    return _off(fitted.serial, fitted.sku, command)


def _off(serial: str, sku: str, command: cmd.RemoveAsset) -> RemovedAsset:
    return RemovedAsset(serial=serial, sku=sku, reason=printable(command.reason), cause=command.cause)


def what_was_removed(command: cmd.RemoveAsset, now: Situation) -> RemovedAsset:
    """The device that hung here. Raises NotInstalledHere."""
    order, serial = now.order, command.serial
    asset = now.assets.get(serial)
    if asset is None or asset.holder_id != order.place.id:
        known = ", ".join(order.on_site_serials) or "none"
        raise NotInstalledHere(
            f"{serial} is not booked at this address (booked here: {known})", field="serial", subject=serial
        )
    return _off(asset.serial, asset.sku, command)


def put_back_asset(command: cmd.PutBackAsset, now: Situation, at: datetime) -> Outcome:
    must_be_on_site(now.order)
    taken_off = any(removed.serial == command.serial for removed in now.order.removed)
    if taken_off and not _gone_from(now.order, now.assets.get(command.serial)):
        return (ev.AssetPutBack(serial=command.serial),), ()
    if not hangs_here(command.serial, now):
        raise not_taken_off(command.serial)
    return repeated(command.type, now, at)


def not_taken_off(serial: str) -> NotInstalledHere:
    return NotInstalledHere(
        f"{serial} was not taken off on this visit: scan it to fit it", field="serial", subject=serial
    )


def hangs_here(serial: str, now: Situation) -> bool:
    asset = now.assets.get(serial)
    return asset is not None and asset.state is AssetState.INSTALLED and asset.holder_id == now.order.place.id


def swap_asset(command: cmd.SwapAsset, now: Situation, at: datetime) -> Outcome:
    """Each half by its own rule, and a half that was done before is done. Raises where either can't be."""
    must_be_on_site(now.order)
    check_two_devices(command)
    off, said_of_old = _news(of_the_old_one(lambda: remove_asset(command.removal, now, at)))
    on, said_of_new = _news(install_asset(command.fitting, now, at))
    if not off and not on:
        return repeated(command.type, now, at)
    before = next((item for item in now.order.fitted if item.serial == command.old_serial), None)
    # One that had been fitted on this very visit hung in the place of another, or of none.
    replaces = before.replaces if before else command.old_serial
    fitted = tuple(
        replace(event, fitted=replace(event.fitted, replaces=replaces))
        for event in on
        if isinstance(event, ev.AssetFitted)
    )
    return (*off, *fitted), (*said_of_old, *said_of_new)


def undo_swap(command: cmd.UndoSwap, now: Situation, at: datetime) -> Outcome:
    must_be_on_site(now.order)
    back = cmd.PutBackAsset(work_order_id=command.work_order_id, serial=command.old_serial)
    on, _ = _news(of_the_old_one(lambda: put_back_asset(back, now, at)))
    is_fitted = any(fitted.serial == command.serial for fitted in now.order.fitted)
    off = (ev.AssetUnfitted(serial=command.serial),) if is_fitted else ()
    if not off and not on:
        return repeated(command.type, now, at)
    return (*off, *on), ()


def check_two_devices(command: cmd.SwapAsset) -> None:
    if command.serial == command.old_serial:
        raise BadValue(
            f"{command.serial} is the device that comes off: scan the one that takes its place",
            field="serial",
            subject=command.serial,
        )


def of_the_old_one(half: Callable[[], Outcome]) -> Outcome:
    """What `half` of a swap says about the device that was there; a Problem of it names that field."""
    try:
        return half()
    except Problem as problem:
        field = "old_serial" if problem.field == "serial" else problem.field
        raise type(problem)(problem.detail, field=field, subject=problem.subject) from problem


def _news(half: Outcome) -> Outcome:
    """Nothing where that half was done before."""
    events, _ = half
    return ((), ()) if any(isinstance(event, ev.WorkReported) for event in events) else half


def record_check(command: cmd.RecordCheck, now: Situation, at: datetime) -> Outcome:
    must_be_on_site(now.order)
    return checked(command, now, at)


def checked(command: cmd.RecordCheck | cmd.OfficeCheck, now: Situation, at: datetime) -> Outcome:
    """Record a test, whoever made it; with a remark where somebody else had made it too."""
    order = now.order
    result, label = measured(command, now, at)
    remarks: tuple[Remark, ...] = ()
    if any(earlier.code == result.code and earlier.by not in (None, result.by) for earlier in order.checks):
        remarks += (CONFLICTS["check-recorded-twice"].remarked(label=label, number=order.number),)
    asked = {spec.code for spec in order.required_checks}
    off = next((off.number for off in order.split_off if result.code in {s.code for s in off.checks}), None)
    if off is not None and result.code not in asked:
        remarks += (CONFLICTS["split"].remarked(number=order.number, other=off),)
    return (ev.CheckRecorded(result=result),), remarks


def measured(
    command: cmd.RecordCheck | cmd.OfficeCheck, now: Situation, at: datetime
) -> tuple[CheckResult, str]:
    """The result of a test that this job asks for, or did before a split, and what the test is called."""
    known: list[CheckSpec] = [*now.order.required_checks]
    known += [spec for off in now.order.split_off for spec in off.checks]
    item = item_of(now.order, command.code)
    if item is not None and item.kind is ItemKind.NUMBER:
        known.append(item.spec)
    spec = next((spec for spec in known if spec.code == command.code), None)
    if spec is None:
        raise not_asked(command.code, now.order)
    if not command.value.is_finite():
        raise BadValue(f"{spec.label} needs a number in {spec.unit}", field="value")
    result = CheckResult(
        code=spec.code,
        value=command.value,
        unit=spec.unit,
        passed=spec.allows(command.value),
        at=at,
        by=now.actor_id,
    )
    return result, spec.label


def not_asked(code: str, order: WorkOrder) -> BadValue:
    codes = {spec.code: None for spec in order.required_checks}
    codes |= {item.code: None for item in order.checklist.items} if order.checklist else {}
    return BadValue(f"This job does not ask for {code} (asked: {', '.join(codes) or 'none'})", field="code")


def use_parts(command: cmd.UseParts, now: Situation, at: datetime) -> Outcome:
    must_be_on_site(now.order)
    return (ev.PartsUsed(lines=command.lines),), what_was_used(command, now)


def what_was_used(command: cmd.UseParts, now: Situation) -> tuple[Remark, ...]:
    """Remarks on the quantities. Raises BadValue where they can't be meant."""
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
        left = now.on_hand.get(line.sku, 0) - now.order.unbooked(line.sku)
        if line.quantity > left:
            # It was used, so it is booked; the count of the van is what must be wrong.
            words = {"name": name, "used": line.quantity, "left": left}
            remarks.append(CONFLICTS["stock-below-zero"].remarked(**words))
    return tuple(remarks)


def check_wanted(lines: Sequence[PartLine], now: Situation) -> None:
    """Parts that another order is to bring. Raises BadValue where there are no such."""
    for line in lines:
        product = now.products.get(line.sku)
        if product is None or product.tracking is Tracking.SERIALISED:
            raise BadValue(f"There is no part {line.sku} in the catalogue", field="parts")
        if not 1 <= line.quantity <= PART_QUANTITY_MAX:
            raise BadValue(f"The quantity must be 1 to {PART_QUANTITY_MAX:,}", field="parts")


def take_back_parts(command: cmd.TakeBackParts, now: Situation, at: datetime) -> Outcome:
    must_be_on_site(now.order)
    check_taken_back(command, now, now.order.parts[now.order.parts_booked :])
    return (ev.PartsTakenBack(lines=command.lines),), ()


def check_taken_back(command: cmd.TakeBackParts, now: Situation, counted: Sequence[PartLine]) -> None:
    """Raises BadValue where more would come back than was `counted`."""
    if not command.lines:
        raise BadValue("Choose at least one part", field="lines")
    for sku in dict.fromkeys(line.sku for line in command.lines):
        back = sum(line.quantity for line in command.lines if line.sku == sku)
        used = sum(line.quantity for line in counted if line.sku == sku)
        if not all(line.quantity >= 1 for line in command.lines) or back > used:
            name = now.product_name(sku)
            raise BadValue(f"{name}: {used} used on this visit, so {back} can't come back", field="quantity")


def add_evidence(command: cmd.AddEvidence, now: Situation, at: datetime) -> Outcome:
    check_file(command.kind, size_bytes=command.size_bytes, digest=command.digest)
    if command.kind is EvidenceKind.SIGNATURE and not (command.signer or "").strip():
        raise BadEvidence("Write the name of who signed", field="signer")
    if command.check is not None and item_of(now.order, command.check) is None:
        raise not_asked(command.check, now.order)
    evidence = EvidenceRef(
        kind=command.kind,
        digest=command.digest,
        size_bytes=command.size_bytes,
        media_type=command.media_type,
        taken_at=command.taken_at,
        signer=command.signer,
        check=command.check,
    )
    if (spot := _spot(command)) is not None:
        lat, lon, accuracy_m = spot
        evidence = replace(evidence, lat=lat, lon=lon, accuracy_m=accuracy_m)
    return (ev.EvidenceAdded(evidence=evidence),), ()


def check_file(kind: EvidenceKind, *, size_bytes: int, digest: str, field: str | None = None) -> None:
    """Raises BadEvidence where such a file can't be kept; `field` where it is not named by its own."""
    what = kind.value
    if size_bytes <= 0:
        raise BadEvidence(f"The {what} is empty: take it again", field=field or "size_bytes")
    if size_bytes > EVIDENCE_BYTES_MAX:
        size, limit = size_bytes / 2**20, EVIDENCE_BYTES_MAX // 2**20
        detail = f"The {what} has {size:.1f} MB, at most {limit} MB can be kept"
        raise BadEvidence(detail, field=field or "size_bytes")
    if not _DIGEST.fullmatch(digest):
        raise BadEvidence(f"The {what} has no valid digest: take it again", field=field or "digest")


def _spot(command: cmd.AddEvidence) -> tuple[float, float, float] | None:
    """Where it was taken. Half of it, or a place that is none, is left out: the photo counts without."""
    lat, lon, accuracy_m = command.lat, command.lon, command.accuracy_m
    if lat is None or lon is None or accuracy_m is None:
        return None
    on_earth = abs(lat) <= 90 and abs(lon) <= 180 and 0 <= accuracy_m <= ACCURACY_METRES_MAX
    return (lat, lon, accuracy_m) if on_earth else None


def add_note(command: cmd.AddNote | cmd.OfficeNote, now: Situation, at: datetime) -> Outcome:
    """Notes are only ever added; two new versions of one note stand side by side."""
    text = printable(command.text)
    if not text.strip():
        raise BadValue("The note is empty", field="text")
    _check_length(text)
    note = Note(
        author_id=now.actor_id,
        text=text,
        at=at,
        id=command.note_id,
        replaces=command.replaces,
    )
    remarks: tuple[Remark, ...] = ()
    if note.replaces is not None and any(earlier.replaces == note.replaces for earlier in now.order.notes):
        remarks = (CONFLICTS["note-edited-twice"].remarked(number=now.order.number),)
    return (ev.NoteAdded(note=note),), remarks


def correct_contact(command: cmd.CorrectContact, now: Situation, at: datetime) -> Outcome:
    """Field by field: what only one side changed goes in; what both changed becomes a suggestion."""
    order, value = now.order, contact_value(command.field, command.value)
    stands = order.contact_value(command.field)
    if stands in (command.base, value):
        corrected = ev.ContactCorrected(
            at=at, field=command.field, before=stands, value=value, by=now.actor_id
        )
        return (corrected,), ()
    suggestion = ContactSuggestion(
        field=command.field, base=command.base, value=value, by=now.actor_id, at=at
    )
    remark = CONFLICTS["contact-both-sides"].remarked(field=words_of(command.field), number=order.number)
    return (ev.ContactSuggested(suggestion=suggestion),), (remark,)


def printable(text: str) -> str:
    """Without NUL, which nobody types and no database keeps."""
    return text.replace("\x00", "")


def words_of(field: ContactField) -> str:
    return field.value.replace("_", " ")


def contact_value(field: ContactField, value: str) -> str:
    """`value` as it is kept. Raises BadValue."""
    kept = printable(value).strip()
    if not kept and field is not ContactField.ACCESS_NOTES:
        raise BadValue(f"The {words_of(field)} is empty", field="value")
    longest = NOTE_LENGTH_MAX if field is ContactField.ACCESS_NOTES else CONTACT_LENGTH_MAX
    if len(kept) > longest:
        detail = f"The {words_of(field)} holds {longest} characters, this has {len(kept)}"
        raise BadValue(detail, field="value")
    return kept


def _check_length(text: str) -> None:
    if len(text) > NOTE_LENGTH_MAX:
        raise BadValue(f"A note holds {NOTE_LENGTH_MAX} characters, this has {len(text)}", field="text")


def missing_for_close(order: WorkOrder, *, checklist: bool = True) -> tuple[Problem, ...]:
    """Everything that still blocks the close, in the order a technician would do it.

    Each names in `field` where it is done: `fitted`, `removed`, `photo`, `signature`, or an item's code.
    Without `checklist`: what an app can know that shows none.
    """
    found: list[Problem] = []
    fitted = {device.sku for device in order.fitted}
    for need in order.required_equipment:
        if not fitted.intersection(need.skus):
            found.append(MissingEquipment(f"Scan and fit the {need.role}", field="fitted"))
    if order.removal_required and not order.removed:
        found.append(MissingRemoval("Scan the device you take away", field="removed"))
    asked = {spec.code for spec in order.required_checks}
    found += [problem for problem in missing_checks(order) if checklist or problem.field in asked]
    photos = sum(item.kind is EvidenceKind.PHOTO and item.check is None for item in order.evidence)
    if photos < order.photos_required:
        found.append(MissingChecks("Take a photo of the finished work", field="photo"))
    if order.signature_required and not any(i.kind is EvidenceKind.SIGNATURE for i in order.evidence):
        found.append(MissingSignature("Have the customer sign", field="signature"))
    return tuple(found)


def close(command: cmd.CloseWorkOrder, now: Situation, at: datetime) -> Outcome:
    must_be_on_site(now.order)
    shown = command.checklist_version is not None
    if missing := missing_for_close(now.order, checklist=shown):
        detail = "; ".join(problem.detail for problem in missing)
        raise type(missing[0])(detail, field=missing[0].field, subject=now.order.number)
    assert now.van_id is not None, "a technician without a van cannot be on site"
    moves = moves_at_close(now, fitted=True)
    bill = price(now.order, now.prices, now.products, at) if now.prices else None
    not_agreed: tuple[Remark, ...] = ()
    if bill is not None and now.prices is not None:
        tax = now.prices.tax_basis_points
        bill, not_agreed = billable(now.order, bill, tax, can_ask=command.can_ask)
    event = ev.WorkOrderCompleted(at=at, technician_id=now.actor_id, moves=moves, bill=bill)
    unasked = () if shown else _not_asked_for(now.order)
    return (event,), _done_at_another_time(now.order, at) + unasked + not_agreed


def _not_asked_for(order: WorkOrder) -> tuple[Remark, ...]:
    """What an app without checklists leaves open: somebody should know, and nobody there can answer it."""
    if not (left := missing_checks(order)):
        return ()
    labels = [item.label for problem in left if (item := item_of(order, problem.field or ""))]
    unasked = CONFLICTS["checklist-not-shown"]
    return (unasked.remarked(number=order.number, items=", ".join(labels)),)


def _done_at_another_time(order: WorkOrder, at: datetime) -> tuple[Remark, ...]:
    """A visit outside the window, or on another day, that the office had moved the job to."""
    if not order.earlier_plans:
        return ()
    began = order.arrived_at or at
    if order.window is not None:
        if began in order.window:
            return ()
        promised = f"{order.window.start:%Y-%m-%d %H:%M} UTC"
    elif order.planned_start is not None:
        if abs(began - order.planned_start) < HALF_A_DAY:
            return ()
        promised = f"{order.planned_start:%Y-%m-%d %H:%M} UTC"
    else:
        return ()
    done = f"{began:%Y-%m-%d %H:%M} UTC"
    return (CONFLICTS["rescheduled"].remarked(number=order.number, window=promised, done=done),)


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
    return (*note, unfinished), _done_at_another_time(now.order, at)


def moves_at_close(now: Situation, *, fitted: bool) -> tuple[StockMove, ...]:
    """Every change of stock that this visit made, booked in one go."""
    order, van_id = now.order, now.van_id
    assert van_id is not None
    moves = [
        StockMove(sku=line.sku, quantity=line.quantity, source_id=van_id, target_id=order.place.id)
        for line in order.parts[order.parts_booked :]
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
