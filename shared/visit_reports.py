"""A second visit to a job that is done already: what it did is a fact too, and stands beside the first.

Stock moves at once, since no close will come that books it; money does not move.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared import check_rules, consent_rules, time_rules
from shared import commands as cmd
from shared import events as ev
from shared import found_rules as found
from shared import visit_rules as visit
from shared.conflicts import CONFLICTS
from shared.remarks import Remark
from shared.situation import Situation
from shared.stock import StockMove
from shared.work_orders import FittedAsset, Note, VisitReport, WorkOrder


def report(command: cmd.VisitCommand, now: Situation, at: datetime) -> visit.Outcome:
    """What `command` means beside the work that stands. Raises Problem where it can't be true either way."""
    remark = CONFLICTS["done-already"].remarked(number=now.order.number)
    match command:
        case cmd.AddNote():
            return visit.add_note(command, now, at)
        case cmd.CorrectContact():
            return visit.correct_contact(command, now, at)
        case cmd.CorrectTime():
            return time_rules.correct_time(command, now, at)
        case cmd.AskForVisit():
            return found.ask_for_visit(command, now, at)
        case cmd.ConsentToCharge():
            return consent_rules.consent_to_charge(command, now, at)
        case cmd.AddEvidence():
            events, remarks = visit.add_evidence(command, now, at)
        case cmd.InstallAsset():
            events, remarks = _fitted(command, now, at)
        case cmd.RemoveAsset():
            events, remarks = _removed(command, now, at)
        case cmd.PutBackAsset():
            events, remarks = _put_back(command, now, at)
        case cmd.SwapAsset():
            events, remarks = _swapped(command, now, at)
        case cmd.UndoSwap():
            events, remarks = _swapped_back(command, now, at)
        case cmd.UseParts():
            events, remarks = _used(command, now, at)
        case cmd.TakeBackParts():
            events, remarks = _taken_back(command, now, at)
        case cmd.RecordCheck():
            result, _ = visit.measured(command, now, at)
            event = ev.WorkReported(at=at, technician_id=now.actor_id, step=command.type, checks=(result,))
            events, remarks = (event,), ()
        case cmd.AnswerCheck():
            answer, _ = check_rules.answered(command, now, at)
            event = ev.WorkReported(at=at, technician_id=now.actor_id, step=command.type, answers=(answer,))
            events, remarks = (event,), ()
        case cmd.SkipCheck():
            answer, _ = check_rules.skipped(command, now, at)
            event = ev.WorkReported(at=at, technician_id=now.actor_id, step=command.type, answers=(answer,))
            events, remarks = (event,), ()
        case cmd.CannotComplete() if command.text.strip():
            note = Note(author_id=now.actor_id, text=command.text, at=at)
            events, remarks = (ev.NoteAdded(note=note), _step(command, now, at)), ()
        case _:
            events, remarks = (_step(command, now, at),), ()
    return events, (remark, *remarks)


def _step(command: cmd.VisitCommand, now: Situation, at: datetime) -> ev.WorkReported:
    return ev.WorkReported(at=at, technician_id=now.actor_id, step=command.type)


def _fitted(command: cmd.InstallAsset, now: Situation, at: datetime) -> visit.Outcome:
    if visit.hangs_here(command.serial, now) or _is_on(now.order, command.serial):
        return (_step(command, now, at),), ()  # both have scanned the one device
    fitted, _, remarks = visit.what_was_fitted(command, now)
    move = StockMove(
        sku=fitted.sku,
        quantity=1,
        source_id=fitted.source_id,
        target_id=now.order.place.id,
        serial=fitted.serial,
    )
    event = ev.WorkReported(
        at=at, technician_id=now.actor_id, step=command.type, fitted=(fitted,), moves=(move,)
    )
    return (event,), remarks


def _is_on(order: WorkOrder, serial: str) -> bool:
    """Fitted on the visit that is going on there now; its close will book it."""
    fitted: tuple[FittedAsset, ...] = order.fitted if not order.state.is_over else ()
    return any(device.serial == serial for device in fitted)


def _removed(command: cmd.RemoveAsset, now: Situation, at: datetime) -> visit.Outcome:
    taken = any(device.serial == command.serial for device in now.order.removed)
    reported = any(device.serial == command.serial for other in now.order.reports for device in other.removed)
    if taken or (reported and not visit.hangs_here(command.serial, now)):
        return (_step(command, now, at),), ()  # one of the two has it; the register says who
    removed = visit.what_was_removed(command, now)
    assert now.van_id is not None, "a technician without a van cannot visit"
    move = StockMove(
        sku=removed.sku,
        quantity=1,
        source_id=now.order.place.id,
        target_id=now.van_id,
        serial=removed.serial,
    )
    event = ev.WorkReported(
        at=at, technician_id=now.actor_id, step=command.type, removed=(removed,), moves=(move,)
    )
    return (event,), ()


def _put_back(command: cmd.PutBackAsset, now: Situation, at: datetime) -> visit.Outcome:
    serial, asset, own = command.serial, now.assets.get(command.serial), _own_report(now)
    if visit.hangs_here(serial, now):
        return (_step(command, now, at),), ()
    if asset is None or asset.holder_id != now.van_id or all(item.serial != serial for item in own.removed):
        raise visit.not_taken_off(serial)
    move = StockMove(
        sku=asset.sku, quantity=1, source_id=asset.holder_id, target_id=now.order.place.id, serial=serial
    )
    event = ev.WorkReported(
        at=at, technician_id=now.actor_id, step=command.type, put_back=(serial,), moves=(move,)
    )
    return (event,), ()


def _swapped(command: cmd.SwapAsset, now: Situation, at: datetime) -> visit.Outcome:
    """Each half as it would be reported by itself, under one step."""
    visit.check_two_devices(command)
    (off,), _ = visit.of_the_old_one(lambda: _removed(command.removal, now, at))
    (on,), remarks = _fitted(command.fitting, now, at)
    assert isinstance(off, ev.WorkReported) and isinstance(on, ev.WorkReported)
    event = replace(
        _step(command, now, at),
        removed=off.removed,
        fitted=tuple(replace(device, replaces=command.old_serial) for device in on.fitted),
        moves=(*off.moves, *on.moves),
    )
    return (event,), remarks


def _swapped_back(command: cmd.UndoSwap, now: Situation, at: datetime) -> visit.Outcome:
    back = cmd.PutBackAsset(work_order_id=command.work_order_id, serial=command.old_serial)
    again = cmd.RemoveAsset(
        work_order_id=command.work_order_id, serial=command.serial, reason="the swap was undone"
    )
    (on,), _ = visit.of_the_old_one(lambda: _put_back(back, now, at))
    (off,), _ = _removed(again, now, at)
    assert isinstance(off, ev.WorkReported) and isinstance(on, ev.WorkReported)
    event = replace(
        _step(command, now, at),
        removed=off.removed,
        put_back=on.put_back,
        moves=(*off.moves, *on.moves),
    )
    return (event,), ()


def _own_report(now: Situation) -> VisitReport:
    none = VisitReport(technician_id=now.actor_id)
    return next((item for item in now.order.reports if item.technician_id == now.actor_id), none)


def _used(command: cmd.UseParts, now: Situation, at: datetime) -> visit.Outcome:
    remarks: tuple[Remark, ...] = visit.what_was_used(command, now)
    assert now.van_id is not None, "a technician without a van cannot visit"
    moves = tuple(
        StockMove(sku=line.sku, quantity=line.quantity, source_id=now.van_id, target_id=now.order.place.id)
        for line in command.lines
    )
    event = ev.WorkReported(
        at=at, technician_id=now.actor_id, step=command.type, parts=command.lines, moves=moves
    )
    return (event,), remarks


def _taken_back(command: cmd.TakeBackParts, now: Situation, at: datetime) -> visit.Outcome:
    """What this report has counted too many goes from the address back to the van."""
    visit.check_taken_back(command, now, _own_report(now).parts)
    assert now.van_id is not None, "a technician without a van cannot visit"
    moves = tuple(
        StockMove(sku=line.sku, quantity=line.quantity, source_id=now.order.place.id, target_id=now.van_id)
        for line in command.lines
    )
    event = ev.WorkReported(
        at=at, technician_id=now.actor_id, step=command.type, taken_back=command.lines, moves=moves
    )
    return (event,), ()
