"""What dispatch and the plan may do to a work order. Pure, as the rules of a visit are."""

from __future__ import annotations

from datetime import datetime

from shared import commands as cmd
from shared import events as ev
from shared import visit_rules as visit
from shared.conflicts import CONFLICTS
from shared.problems import AlreadyClosed, BadValue, NotStarted, Reassigned
from shared.situation import Situation
from shared.windows import TimeWindow
from shared.work_orders import SplitOff, WorkOrder, WorkOrderState


def assign(command: cmd.AssignWorkOrder, now: Situation, at: datetime) -> visit.Outcome:
    order = now.order
    if order.state.is_over:
        raise AlreadyClosed(
            f"{order.number} is {order.state.value}: nobody can be sent", subject=order.number
        )
    if order.state.is_under_way and order.technician_id != command.technician_id:
        raise Reassigned(
            f"{order.number} is under way: ask its technician to hand it back first", subject=order.number
        )
    _check_span(command.planned_start, command.planned_end)
    event = ev.WorkOrderAssigned(
        technician_id=command.technician_id,
        planned_start=command.planned_start,
        planned_end=command.planned_end,
        travel_minutes=command.travel_minutes,
        route_position=command.route_position,
    )
    return (event,), ()


def _check_span(start: datetime, end: datetime) -> None:
    if end <= start:
        raise BadValue("The visit must end after it starts", field="planned_end")
    _check_year(start, "planned_start")
    _check_year(end, "planned_end")


def _check_year(instant: datetime, field: str) -> None:
    if not 2000 <= instant.year <= 2200:
        raise BadValue(f"No visit is planned for the year {instant.year}", field=field)


def _must_not_have_begun(order: WorkOrder) -> None:
    if order.state.is_over or order.state.is_under_way:
        raise AlreadyClosed(f"{order.number} has been started", subject=order.number)


def unassign(command: cmd.UnassignWorkOrder, now: Situation, at: datetime) -> visit.Outcome:
    _must_not_have_begun(now.order)
    return (ev.WorkOrderUnassigned(),), ()


def cancel(command: cmd.CancelWorkOrder, now: Situation, at: datetime) -> visit.Outcome:
    """What a visit under way has used stays used; what it fitted goes back, as for an unfinished one."""
    if now.order.state.is_over:
        raise AlreadyClosed(f"{now.order.number} is {now.order.state.value}", subject=now.order.number)
    moves = visit.moves_at_close(now, fitted=False) if now.van_id else ()
    return (ev.WorkOrderCancelled(at=at, reason=command.reason, moves=moves),), ()


def reschedule(command: cmd.RescheduleWorkOrder, now: Situation, at: datetime) -> visit.Outcome:
    """A technician who has not heard of it keeps what they do at the first time."""
    order = now.order
    _must_not_have_begun(order)
    window = None
    if command.window_start is not None and command.window_end is not None:
        if command.window_end <= command.window_start:
            raise BadValue("The window must end after it starts", field="window_end")
        _check_year(command.window_start, "window_start")
        _check_year(command.window_end, "window_end")
        window = TimeWindow(command.window_start, command.window_end)
    elif command.window_start is not None or command.window_end is not None:
        raise BadValue("A window has a start and an end", field="window_end")
    start, end = order.planned_start, order.planned_end
    if command.planned_start is not None and command.planned_end is not None:
        _check_span(command.planned_start, command.planned_end)
        start, end = command.planned_start, command.planned_end
    elif command.planned_start is not None or command.planned_end is not None:
        raise BadValue("A planned time has a start and an end", field="planned_end")
    return (ev.WorkOrderRescheduled(at=at, window=window, planned_start=start, planned_end=end),), ()


def split(command: cmd.SplitWorkOrder, now: Situation, at: datetime) -> visit.Outcome:
    """The new order is named after the first: WO-7 gives WO-7-2, then WO-7-3."""
    order = now.order
    _must_not_have_begun(order)
    equipment = tuple(need for need in order.required_equipment if need.role in command.equipment)
    checks = tuple(spec for spec in order.required_checks if spec.code in command.checks)
    unknown = {*command.equipment} - {need.role for need in equipment}
    unknown |= {*command.checks} - {spec.code for spec in checks}
    if unknown:
        raise BadValue(f"{order.number} does not ask for {', '.join(sorted(unknown))}", field="checks")
    if not (equipment or checks or command.parts or command.removal):
        raise BadValue("Choose what moves to the other order", field="equipment")
    summary = visit.printable(command.summary).strip()
    if not summary or command.expected_minutes <= 0:
        raise BadValue("Say what the other order is about and how long it takes", field="summary")
    visit.check_wanted(command.parts, now)
    off = SplitOff(
        order_id=command.new_order_id,
        number=order.next_number,
        equipment=equipment,
        checks=checks,
        parts=command.parts,
        removal=command.removal,
    )
    event = ev.WorkOrderSplit(at=at, off=off, summary=summary, expected_minutes=command.expected_minutes)
    return (event,), ()


def delete(command: cmd.DeleteWorkOrder, now: Situation, at: datetime) -> visit.Outcome:
    order = now.order
    if order.deleted_at is not None:
        raise AlreadyClosed(f"{order.number} is deleted already", subject=order.number)
    recorded = (
        order.checks,
        order.answers,
        order.parts,
        order.fitted,
        order.removed,
        order.evidence,
        order.reports,
        order.consents,
    )
    ended = order.state in (WorkOrderState.COMPLETED, WorkOrderState.UNFINISHED)
    if any(recorded) or ended or order.state.is_under_way:
        raise AlreadyClosed(f"{order.number} has work on it: cancel it instead", subject=order.number)
    return (ev.WorkOrderDeleted(at=at, reason=command.reason),), ()


def reopen(command: cmd.ReopenWorkOrder, now: Situation, at: datetime) -> visit.Outcome:
    """A colleague's visit that is under way ends here: what it used stays used, what it fitted goes back."""
    order = now.order
    if order.state is WorkOrderState.COMPLETED or order.call_out_at is not None:
        raise AlreadyClosed(f"{order.number} is billed: place a new order", subject=order.number)
    if not order.state.is_under_way:
        return (ev.WorkOrderReopened(at=at, technician_id=command.technician_id),), ()
    if order.technician_id == command.technician_id:
        raise NotStarted(f"{order.number} is theirs, and they are at it", subject=order.number)
    moves = visit.moves_at_close(now, fitted=False) if now.van_id else ()
    kept: tuple[ev.Event, ...] = ()
    if order.fitted and order.technician_id:
        kept = (
            ev.WorkReported(at=at, technician_id=order.technician_id, step=command.type, fitted=order.fitted),
        )
    return (*kept, ev.WorkOrderReopened(at=at, technician_id=command.technician_id, moves=moves)), ()


def charge_call_out(command: cmd.ChargeCallOut, now: Situation, at: datetime) -> visit.Outcome:
    order = now.order
    over_for_nothing = order.state in (WorkOrderState.CANCELLED, WorkOrderState.UNFINISHED)
    if not over_for_nothing or order.deleted_at is not None:
        raise NotStarted(
            f"{order.number} is {order.state.value}: a call-out is billed when nothing came of it",
            subject=order.number,
        )
    if order.call_out_at is not None:
        raise AlreadyClosed(f"The call-out of {order.number} is billed already", subject=order.number)
    return (ev.CallOutCharged(at=at),), ()


def charge_in_full(command: cmd.ChargeInFull, now: Situation, at: datetime) -> visit.Outcome:
    if now.order.bill is None or now.order.bill.left_out is None:
        raise AlreadyClosed(
            f"Nothing of {now.order.number} is left out of its bill", subject=now.order.number
        )
    return (ev.ChargedInFull(at=at),), ()


def edit_contact(command: cmd.EditContact, now: Situation, at: datetime) -> visit.Outcome:
    stands = now.order.contact_value(command.field)
    value = visit.contact_value(command.field, command.value)
    if command.base not in (None, stands) and value != stands:
        raise CONFLICTS["edited-by-two-dispatchers"].refusal(
            field=command.field.value, words=visit.words_of(command.field), value=stands
        )
    event = ev.ContactCorrected(
        at=at, field=command.field, before=stands, value=value, by=now.actor_id, settles=True
    )
    return (event,), ()


def office_check(command: cmd.OfficeCheck, now: Situation, at: datetime) -> visit.Outcome:
    if now.order.state.is_over:
        raise AlreadyClosed(f"{now.order.number} is {now.order.state.value}", subject=now.order.number)
    return visit.checked(command, now, at)
