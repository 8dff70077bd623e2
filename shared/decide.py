"""Command → the rule that answers it, in one table. The phone runs it hopefully, the server for real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from shared import check_rules as checks
from shared import commands as cmd
from shared import consent_rules as consents
from shared import found_rules as found
from shared import office_rules as office
from shared import part_rules as parts
from shared import stock_commands as stock_cmd
from shared import stock_rules as stock
from shared import time_rules as times
from shared import visit_rules as visit
from shared.events import Event
from shared.remarks import Remark
from shared.situation import Situation, evolve
from shared.stock_events import StockEvent
from shared.van import Van, evolve_van
from shared.visit_reports import report
from shared.work_orders import WorkOrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a command causes. `remarks` are for people: accepted, but somebody should know."""

    events: tuple[Event, ...]
    remarks: tuple[Remark, ...] = ()
    after: Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class StockDecision:
    """What a command about a van's stock causes; `remarks` as above."""

    events: tuple[StockEvent, ...]
    remarks: tuple[Remark, ...] = ()
    after: Van


def decide(command: cmd.OrderCommand, situation: Situation, at: datetime) -> Decision:
    """Say what `command` causes at the instant `at` (UTC), or raise the Problem that forbids it."""
    if not isinstance(command, cmd.VisitCommand):
        return _decided(RULES[type(command)](command, situation, at), situation)
    taken_over, remarks = visit.whose_job(command, situation)
    ready = reduce(evolve, taken_over, situation)
    if ready.order.state is WorkOrderState.COMPLETED:
        return _decided(report(command, ready, at), ready)
    events, more = RULES[type(command)](command, ready, at)
    return _decided(((*taken_over, *events), (*remarks, *more)), situation)


def decide_stock(command: stock_cmd.StockCommand, van: Van, at: datetime) -> StockDecision:
    """The same for a command about a van's stock."""
    events, remarks = STOCK_RULES[type(command)](command, van, at)
    return StockDecision(events=events, remarks=remarks, after=reduce(evolve_van, events, van))


def decide_as_report(command: cmd.VisitCommand, situation: Situation, at: datetime) -> Decision:
    """Keep held work beside what stands, whatever the job's state, as a dispatcher ruled. Raises Problem."""
    return _decided(report(command, situation, at), situation)


def _decided(outcome: visit.Outcome, before: Situation) -> Decision:
    events, remarks = outcome
    return Decision(events=events, remarks=remarks, after=reduce(evolve, events, before))


RULES: dict[type[cmd.OrderCommand], Callable[[Any, Situation, datetime], visit.Outcome]] = {
    cmd.StartTravel: visit.start_travel,
    cmd.Arrive: visit.arrive,
    cmd.PauseWork: times.pause_work,
    cmd.ResumeWork: times.resume_work,
    cmd.CorrectTime: times.correct_time,
    cmd.InstallAsset: visit.install_asset,
    cmd.RemoveAsset: visit.remove_asset,
    cmd.PutBackAsset: visit.put_back_asset,
    cmd.SwapAsset: visit.swap_asset,
    cmd.UndoSwap: visit.undo_swap,
    cmd.RecordCheck: visit.record_check,
    cmd.AnswerCheck: checks.answer_check,
    cmd.SkipCheck: checks.skip_check,
    cmd.UseParts: visit.use_parts,
    cmd.TakeBackParts: visit.take_back_parts,
    cmd.AddEvidence: visit.add_evidence,
    cmd.AddNote: visit.add_note,
    cmd.CorrectContact: visit.correct_contact,
    cmd.CloseWorkOrder: visit.close,
    cmd.CannotComplete: visit.cannot_complete,
    cmd.AskForVisit: found.ask_for_visit,
    cmd.ConsentToCharge: consents.consent_to_charge,
    cmd.AssignWorkOrder: office.assign,
    cmd.UnassignWorkOrder: office.unassign,
    cmd.CancelWorkOrder: office.cancel,
    cmd.RescheduleWorkOrder: office.reschedule,
    cmd.SplitWorkOrder: office.split,
    cmd.DeleteWorkOrder: office.delete,
    cmd.ReopenWorkOrder: office.reopen,
    cmd.ChargeCallOut: office.charge_call_out,
    cmd.ChargeInFull: office.charge_in_full,
    cmd.EditContact: office.edit_contact,
    cmd.OfficeNote: visit.add_note,
    cmd.OfficeCheck: office.office_check,
}

STOCK_RULES: dict[type[stock_cmd.StockCommand], Callable[[Any, Van, datetime], stock.Outcome]] = {
    stock_cmd.CountVan: stock.count_van,
    stock_cmd.HandOver: stock.hand_over,
    stock_cmd.TakeOver: stock.take_over,
    stock_cmd.AskForPart: parts.ask_for_part,
    stock_cmd.AnswerPartRequest: parts.answer_part_request,
    stock_cmd.WithdrawPartRequest: parts.withdraw_part_request,
    stock_cmd.PickUpParts: stock.pick_up_parts,
}
