"""What a technician finds on site and asks the office for: another visit to the same place."""

from __future__ import annotations

from datetime import datetime

from shared import commands as cmd
from shared import events as ev
from shared import visit_rules as visit
from shared.problems import BadValue
from shared.situation import Situation
from shared.work_orders import AskedVisit, WorkOrder, WorkOrderKind, WorkOrderState

SUMMARY_LENGTH_MAX = 200
MINUTES_LEAST = 5
MINUTES_MOST = 480


def kinds_to_ask(order: WorkOrder, *, follow_up: bool) -> tuple[WorkOrderKind, ...]:
    """What the other visit may be. Work that a bill or a service hangs on goes on only where it did not end.

    Else two visits would both begin, change or end the one service, and bill for it.
    """
    found = (WorkOrderKind.REPAIR, WorkOrderKind.SWAP)
    if order.kind in found or not follow_up or order.state is not WorkOrderState.UNFINISHED:
        return found
    goes_on = any(asked.kind is order.kind for asked in order.asked_for)
    return found if goes_on else (order.kind, *found)


def ask_for_visit(command: cmd.AskForVisit, now: Situation, at: datetime) -> visit.Outcome:
    """Welcome at any time, as words are: nothing of the visit itself changes by it."""
    order = now.order
    if any(asked.order_id == command.new_order_id for asked in order.asked_for):
        return visit.repeated(command.type, now, at)
    if command.kind not in kinds_to_ask(order, follow_up=command.follow_up):
        raise BadValue(f"Another visit for {order.number} is a repair or a swap", field="kind")
    summary = visit.printable(command.summary).strip()
    if not summary:
        raise BadValue("Say what is to be done there", field="summary")
    if len(summary) > SUMMARY_LENGTH_MAX:
        detail = f"What is to be done holds {SUMMARY_LENGTH_MAX} characters, this has {len(summary)}"
        raise BadValue(detail, field="summary")
    if not MINUTES_LEAST <= command.expected_minutes <= MINUTES_MOST:
        raise BadValue(f"A visit takes {MINUTES_LEAST} to {MINUTES_MOST} minutes", field="expected_minutes")
    visit.check_wanted(command.parts, now)
    skill = next((need for need in order.required_skills if need.name == command.skill), None)
    if command.skill is not None and skill is None:
        raise BadValue(f"{order.number} does not ask for the skill {command.skill}", field="skill")
    asked = AskedVisit(
        order_id=command.new_order_id,
        number=order.next_number,
        kind=command.kind,
        summary=summary,
        expected_minutes=command.expected_minutes,
        by=now.actor_id,
        at=at,
        parts=command.parts,
        skill=skill,
        follow_up=command.follow_up,
    )
    return (ev.VisitAskedFor(asked=asked),), ()
