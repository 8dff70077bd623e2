"""Command → the rule that answers it, in one table. The phone runs it hopefully, the server for real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from shared import commands as cmd
from shared import visit_rules as visit
from shared.events import Event, WorkOrderAssigned, WorkOrderCancelled, WorkOrderUnassigned
from shared.problems import AlreadyClosed, BadValue, Reassigned
from shared.remarks import Remark
from shared.situation import Situation, evolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a command causes. `remarks` are for people: accepted, but somebody should know."""

    events: tuple[Event, ...]
    remarks: tuple[Remark, ...] = ()
    after: Situation


def decide(command: cmd.Command, situation: Situation, at: datetime) -> Decision:
    """Say what `command` causes at the instant `at` (UTC), or raise the Problem that forbids it."""
    taken_over, remarks = (
        visit.whose_job(command, situation) if isinstance(command, cmd.FieldCommand) else ((), ())
    )
    ready = reduce(evolve, taken_over, situation)
    events, more = RULES[type(command)](command, ready, at)
    return Decision(
        events=(*taken_over, *events), remarks=(*remarks, *more), after=reduce(evolve, events, ready)
    )


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
    if command.planned_end <= command.planned_start:
        raise BadValue("The visit must end after it starts", field="planned_end")
    event = WorkOrderAssigned(
        technician_id=command.technician_id,
        planned_start=command.planned_start,
        planned_end=command.planned_end,
        travel_minutes=command.travel_minutes,
        route_position=command.route_position,
    )
    return (event,), ()


def unassign(command: cmd.UnassignWorkOrder, now: Situation, at: datetime) -> visit.Outcome:
    if now.order.state.is_over or now.order.state.is_under_way:
        raise AlreadyClosed(f"{now.order.number} has been started", subject=now.order.number)
    return (WorkOrderUnassigned(),), ()


def cancel(command: cmd.CancelWorkOrder, now: Situation, at: datetime) -> visit.Outcome:
    """What a visit under way has used stays used; what it fitted goes back, as for an unfinished one."""
    if now.order.state.is_over:
        raise AlreadyClosed(f"{now.order.number} is {now.order.state.value}", subject=now.order.number)
    moves = visit.moves_at_close(now, fitted=False) if now.van_id else ()
    return (WorkOrderCancelled(at=at, reason=command.reason, moves=moves),), ()


RULES: dict[type[cmd.Command], Callable[[Any, Situation, datetime], visit.Outcome]] = {
    cmd.StartTravel: visit.start_travel,
    cmd.Arrive: visit.arrive,
    cmd.InstallAsset: visit.install_asset,
    cmd.RemoveAsset: visit.remove_asset,
    cmd.RecordCheck: visit.record_check,
    cmd.UseParts: visit.use_parts,
    cmd.AddEvidence: visit.add_evidence,
    cmd.AddNote: visit.add_note,
    cmd.CloseWorkOrder: visit.close,
    cmd.CannotComplete: visit.cannot_complete,
    cmd.AssignWorkOrder: assign,
    cmd.UnassignWorkOrder: unassign,
    cmd.CancelWorkOrder: cancel,
}
