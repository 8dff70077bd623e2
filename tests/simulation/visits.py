"""What a technician does next, and what they sometimes do wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from checklist_answers import good_answer, good_value
from simulation.chance import Dice
from simulation.handset import Handset
from simulation.pictures import png
from world import CABLE, CONNECTOR, ONT_A

from mobile.views.found import MINUTES
from shared.charges import Bill
from shared.checklists import YES, item_of, photos_of
from shared.commands import (
    AddNote,
    AnswerCheck,
    Arrive,
    AskForVisit,
    CannotComplete,
    CloseWorkOrder,
    ConsentToCharge,
    CorrectTime,
    FieldCommand,
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
from shared.found_rules import kinds_to_ask
from shared.timesheet import points, stands
from shared.work_orders import (
    CheckItem,
    EvidenceKind,
    ItemKind,
    PartLine,
    PauseReason,
    RemovalCause,
    SkipReason,
    UnfinishedReason,
    WorkOrder,
    WorkOrderState,
)


def next_tap(phone: Handset, dice: Dice, contested: list[str]) -> None:
    """One thing that a person at this phone would do now. `contested`: serials that others may fit too."""
    order = _order_at_hand(phone, dice)
    if order is None:
        return
    if dice.happens(0.15):
        _odd(phone, dice, order, contested)
    else:
        _usual(phone, dice, order, contested)


def _order_at_hand(phone: Handset, dice: Dice) -> WorkOrder | None:
    """The one they are at, else the next of the day; sometimes any that is on the phone."""
    listed = phone.gateway.today()
    if dice.happens(0.08):
        others = [
            item for row in phone.store.images().orders.values() if (item := phone.gateway.order(row.id))
        ]
        listed = sorted(others, key=lambda order: order.number)
        return dice.pick(listed) if listed else None
    under_way = [order for order in listed if order.state.is_under_way]
    waiting = [order for order in listed if not order.state.is_over]
    if under_way:
        return under_way[0]
    return dice.pick(waiting[:2]) if waiting else None


def _usual(phone: Handset, dice: Dice, order: WorkOrder, contested: list[str]) -> None:
    id = order.id
    match order.state:
        case WorkOrderState.ASSIGNED | WorkOrderState.UNASSIGNED:
            first: FieldCommand = StartTravel(work_order_id=id)
            phone.tap(first if dice.happens(0.8) else Arrive(work_order_id=id))
        case WorkOrderState.TRAVELLING:
            phone.tap(Arrive(work_order_id=id))
        case WorkOrderState.ON_SITE:
            _work(phone, dice, order, contested)
        case _:
            phone.tap(_note(dice, order))


def _work(phone: Handset, dice: Dice, order: WorkOrder, contested: list[str]) -> None:
    """One of the things that are still missing, or the close."""
    id, missing = order.id, phone.gateway.missing(order.id)
    if not order.parts and dice.happens(0.4):
        phone.tap(_parts(dice, order))
        return
    if not missing:
        phone.tap(_close(order))
        return
    wanted = {problem.field for problem in missing}
    match dice.pick(missing[:2]).field:
        case "fitted" | "removed" if wanted >= {"fitted", "removed"} and dice.happens(0.5):
            phone.tap(_swap(phone, dice, order, contested))
        case "fitted":
            phone.tap(_fit(phone, dice, order, contested))
        case "removed":
            serials = order.on_site_serials or ("NONE0001",)
            phone.tap(
                RemoveAsset(
                    work_order_id=id, serial=dice.pick(serials), reason="worn out", cause=_cause(dice)
                )
            )
        case "photo":
            phone.photograph(id, png(dice.randbytes(8)), None)
        case "signature":
            phone.photograph(id, png(dice.randbytes(8)), "Customer Änne")
        case code:
            item = item_of(order, str(code))
            assert item is not None, f"{order.number} asks for {code}"
            _check(phone, dice, order, item)


def _check(phone: Handset, dice: Dice, order: WorkOrder, item: CheckItem) -> None:
    """Measure, answer, photograph or leave out one item of the checklist."""
    id, code = order.id, item.code
    if item.skippable and dice.happens(0.1):
        reason = dice.pick(list(SkipReason))
        phone.tap(SkipCheck(work_order_id=id, code=code, reason=reason, text="Ladder too short"))
    elif item.kind is ItemKind.NUMBER:
        bad = Decimal("-40") if code == "optical_power" else Decimal("3")
        value = good_value(item) if dice.happens(0.85) else bad
        phone.tap(RecordCheck(work_order_id=id, code=code, value=value))
    elif item.kind is ItemKind.PHOTO or (item.photo and not photos_of(order, code) and dice.happens(0.5)):
        phone.photograph(id, png(dice.randbytes(8)), None, check=code)
    else:
        wrong = {ItemKind.YES_NO: "no", ItemKind.CHOICE: item.choices[0].code if item.choices else YES}
        value = good_answer(item) if dice.happens(0.85) else wrong.get(item.kind, "Behind the shed")
        phone.tap(AnswerCheck(work_order_id=id, code=code, value=str(value)))


def _close(order: WorkOrder) -> CloseWorkOrder:
    version = order.checklist.version if order.checklist else None
    return CloseWorkOrder(work_order_id=order.id, checklist_version=version, can_ask=True)


def _odd(phone: Handset, dice: Dice, order: WorkOrder, contested: list[str]) -> None:
    id = order.id
    choice = dice.randrange(12)
    if choice == 0:
        phone.tap(
            CannotComplete(work_order_id=id, reason=dice.pick(list(UnfinishedReason)), text="Nobody home")
        )
    elif choice == 1:
        phone.tap(_fit(phone, dice, order, contested, any_serial=True))
    elif choice == 2:
        here = [device.serial for device in order.fitted] or ["WRONG0001"]
        serial = dice.pick(here)
        swapped = next((device for device in order.fitted if device.replaces), None)
        if swapped and swapped.replaces:
            phone.tap(UndoSwap(work_order_id=id, old_serial=swapped.replaces, serial=swapped.serial))
        elif order.removed:
            phone.tap(PutBackAsset(work_order_id=id, serial=order.removed[-1].serial))
        else:
            phone.tap(RemoveAsset(work_order_id=id, serial=serial, reason="mistake"))
    elif choice == 3:
        if used := order.unbooked(CABLE):
            back = PartLine(sku=CABLE, quantity=-(-used // 2))
            phone.tap(TakeBackParts(work_order_id=id, lines=(back,)))
        else:
            phone.tap(UseParts(work_order_id=id, lines=(PartLine(sku=CABLE, quantity=500),)))
    elif choice == 4:
        phone.tap(_close(order) if dice.happens(0.5) else CloseWorkOrder(work_order_id=id))
    elif choice == 5:
        phone.photograph(id, png(dice.randbytes(8)), None)
    elif choice == 9:
        pausing = order.pause is None or dice.happens(0.2)
        reason = dice.pick(list(PauseReason))
        phone.tap(PauseWork(work_order_id=id, reason=reason) if pausing else ResumeWork(work_order_id=id))
    elif choice == 10 and points(order.times):
        phone.tap(_corrected(dice, order))
    elif choice == 11 and (bill := phone.gateway.price_before(id)):
        phone.tap(_answered(dice, order, bill))
    elif choice == 6 and phone.pictures:
        # The same picture on a second job: the bytes are sent once.
        phone.photograph(id, phone.pictures[dice.pick(sorted(phone.pictures))], None)
    else:
        phone.tap(_note(dice, order))


def _answered(dice: Dice, order: WorkOrder, bill: Bill) -> ConsentToCharge:
    """Mostly a yes to all of it, now and then to the fee alone, or a no."""
    agreed = bill if dice.happens(0.7) else replace(bill, charges=bill.charges[:1])
    return ConsentToCharge(
        work_order_id=order.id,
        bill=agreed,
        name=dice.pick(["Änne", "Änne", ""]),
        language=order.contact.language,
        price_version="of today",
        refused=dice.happens(0.2),
    )


def ask_for_visit(phone: Handset, dice: Dice) -> None:
    """More work was found, or what could not be done goes on another day."""
    listed = [order for order in phone.gateway.today() if order.state is not WorkOrderState.ASSIGNED]
    if not listed:
        return
    order = dice.pick(listed)
    follow_up = order.state is WorkOrderState.UNFINISHED and dice.happens(0.7)
    parts = (PartLine(sku=CABLE, quantity=dice.randint(1, 60)),) if dice.happens(0.4) else ()
    phone.tap(
        AskForVisit(
            work_order_id=order.id,
            new_order_id=phone.gateway.mint(),
            kind=dice.pick(kinds_to_ask(order, follow_up=follow_up)),
            summary=f"Gutter ✓ {dice.randbytes(6).hex()}",
            expected_minutes=dice.pick(MINUTES),
            parts=parts,
            follow_up=follow_up,
        )
    )


def _corrected(dice: Dice, order: WorkOrder) -> CorrectTime:
    """Mostly by a few minutes, now and then to what can't be."""
    point, pause = dice.pick(points(order.times))
    base = stands(order.times, point, pause)
    assert base is not None, "it is one of the visit's points"
    by = (
        timedelta(minutes=dice.randint(-6, 6))
        if dice.happens(0.8)
        else timedelta(hours=dice.randint(-40, 40))
    )
    return CorrectTime(
        work_order_id=order.id, point=point, pause=pause, base=base, value=base + by, reason="Tapped late"
    )


def _note(dice: Dice, order: WorkOrder) -> AddNote:
    return AddNote(work_order_id=order.id, text=f"Beep ✓ {order.number} {dice.randbytes(6).hex()}")


def _parts(dice: Dice, order: WorkOrder) -> UseParts:
    lines = [PartLine(sku=CABLE, quantity=dice.randint(1, 40))]
    if dice.happens(0.4):
        lines.append(PartLine(sku=CONNECTOR, quantity=dice.randint(1, 6)))
    return UseParts(work_order_id=order.id, lines=tuple(lines))


def _cause(dice: Dice) -> RemovalCause | None:
    """As an app of today says it, or not at all, as older ones do."""
    return dice.pick([*RemovalCause, None])


def _swap(phone: Handset, dice: Dice, order: WorkOrder, contested: list[str]) -> SwapAsset:
    fit = _fit(phone, dice, order, contested)
    return SwapAsset(
        work_order_id=order.id,
        old_serial=dice.pick(order.on_site_serials or ("NONE0001",)),
        serial=fit.serial,
        source=fit.source,
        sku=fit.sku,
        confirmed=fit.confirmed,
        cause=_cause(dice),
    )


def _fit(
    phone: Handset, dice: Dice, order: WorkOrder, contested: list[str], *, any_serial: bool = False
) -> InstallAsset:
    """One of the van's; now and then one that a colleague may hold too, or that nobody has booked in."""
    ours = [asset.serial for asset in phone.gateway.devices_on_van() if asset.claimed_by is None]
    fitting = [asset.serial for asset in phone.gateway.devices_on_van() if asset.sku in order.fitting_skus]
    pool = fitting or ours
    if any_serial or not pool:
        pool = contested
    return InstallAsset(
        work_order_id=order.id,
        serial=dice.pick(pool),
        source=dice.pick(("camera", "typed")),
        sku=ONT_A,
        confirmed=True,
    )


__all__ = ["EvidenceKind", "ask_for_visit", "next_tap"]
