"""Plan a day: read it, let the scheduler think outside any transaction, then book what changed in one.

What happened while it was thinking is respected: an order that has been started, cancelled or moved by hand
stays as it is now, and a day that somebody else has planned meanwhile is planned again from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from scheduler.explain import Choice, why_assigned
from scheduler.plan import Plan
from server.clock import utc_now
from server.db.engine import Database
from server.dispatch.day_clock import DayClock
from server.dispatch.day_rows import clock_of, read_day
from server.dispatch.plan_booking import WHAT_TO_DO, Overtaken, PlanOutcome, Proposal, book
from server.dispatch.plan_records import pack
from server.dispatch.plan_request import NOBODY, LeftUndone, Question, ask
from server.dispatch.roads import travel_times
from server.dispatch.thinking import Effort, think
from server.settings import Settings
from shared.commands import AssignWorkOrder, OfficeCommand, UnassignWorkOrder
from shared.problems import Conflict
from shared.work_orders import WorkOrder, WorkOrderState

ATTEMPTS = 3

Say = Callable[[str], None]


def plan_day(
    database: Database,
    settings: Settings,
    day: date,
    *,
    seconds: int | None = None,
    seed: int = 0,
    now: datetime | None = None,
    say: Say = lambda _: None,
) -> PlanOutcome:
    """Plan `day` and book it. Takes about `seconds` (0: the greedy plan); without, as the settings say.

    Raises BadValue when the day is over or a row can't be planned with, and Conflict when others keep
    planning the same day at the same time.
    """
    now = now or utc_now()
    clock = clock_of(settings, day, now)
    seconds = settings.plan_seconds if seconds is None else seconds
    for _ in range(ATTEMPTS):
        proposal = propose(database, settings, clock, seconds=seconds, seed=seed, now=now, say=say)
        try:
            outcome = book(database, settings, proposal, now)
        except Overtaken:
            say("Somebody else has planned the day meanwhile; planning again from there")
            continue
        for number, sentence in outcome.refused:
            say(f"{number}: {sentence}. {WHAT_TO_DO}")
        left = f", {len(outcome.unassigned)} left out with a reason" if outcome.unassigned else ""
        say(f"{outcome.planned} work orders planned{left}")
        return outcome
    raise Conflict(f"Others keep planning {day:%d.%m.%Y}. Look at their plan first")


def propose(
    database: Database,
    settings: Settings,
    clock: DayClock,
    *,
    seconds: int,
    seed: int,
    now: datetime,
    say: Say = lambda _: None,
) -> Proposal:
    """Read the day and think about it. Nothing is booked, and no transaction is open while it thinks."""
    with database.read() as session:
        found = read_day(session, clock, now)
    travel = travel_times(settings)
    question = ask(found.rows, travel, anew=True)
    open_orders = question.open_orders
    people = len(question.technicians)
    roads = question.request.travel.engine if question.request else travel.name
    say(f"Planning {len(open_orders)} work orders for {people} technicians ({roads})")
    for sentence in question.off_roads:
        say(f"{sentence}; drives there are estimated")
    began = time.monotonic()
    effort = Effort(seconds=seconds, seed=seed)
    thought = think(question.request, effort, say) if question.request and open_orders else None
    plan = thought.plan if thought else None
    spent = time.monotonic() - began
    pinned = _pinned(question, plan)
    for sentence in pinned:
        say(sentence)
    return Proposal(
        day=clock.day,
        question=question,
        plan_id_before=found.plan_id,
        commands=_commands(clock, question, plan),
        why=_reasons(question, plan),
        undone=_undone(question, plan),
        plan=plan,
        seconds=round(spent, 2),
        seed=seed,
        packed=pack(thought, question) if thought else None,
        pinned=pinned,
        absences=found.absences,
    )


def _commands(clock: DayClock, question: Question, plan: Plan | None) -> dict[str, OfficeCommand]:
    """Only what changes: a visit that stays as it was told is not told again."""
    commands: dict[str, OfficeCommand] = {}
    placed: set[str] = set()
    for route in plan.routes if plan else ():
        for position, visit in enumerate(route.visits):
            placed.add(visit.job_id)
            if visit.fixed or visit.job_id in question.held:
                continue
            order, start = question.orders[visit.job_id], clock.instant(visit.start)
            command = AssignWorkOrder(
                work_order_id=order.id,
                technician_id=question.technicians[route.technician_id],
                planned_start=start,
                planned_end=start + timedelta(minutes=max(1, visit.end - visit.start)),
                travel_minutes=question.on_the_road(visit.arrive, visit.travel_minutes),
                route_position=position,
            )
            if not _stands(order, command):
                commands[order.number] = command
    for order in question.open_orders:
        # What a person pinned stays with whom they said, even where no plan can hold to it.
        stays = order.number in placed or order.number in question.pins
        if not stays and order.state is WorkOrderState.ASSIGNED:
            commands[order.number] = UnassignWorkOrder(work_order_id=order.id)
    return commands


def _stands(order: WorkOrder, command: AssignWorkOrder) -> bool:
    return all(
        getattr(order, name) == getattr(command, name)
        for name in ("technician_id", "planned_start", "planned_end", "travel_minutes", "route_position")
    )


def _undone(question: Question, plan: Plan | None) -> list[LeftUndone]:
    left = list(question.nowhere)
    if plan is not None:
        stays = {number for number in question.pins if question.orders[number].technician_id} | question.held
        undone = [one for one in plan.unassigned if one.job_id not in stays]
        return [*left, *(LeftUndone(number=u.job_id, code=u.code, reason=u.reason) for u in undone)]
    known = {one.number for one in left}
    waiting = [order for order in question.open_orders if order.number not in known]
    nobody = "There is no active technician"
    return [*left, *(LeftUndone(number=order.number, code=NOBODY, reason=nobody) for order in waiting)]


def _reasons(question: Question, plan: Plan | None) -> dict[str, dict[str, Any]]:
    if plan is None or question.request is None:
        return {}
    planned = [v.job_id for _, v in plan.visits() if not v.fixed and v.job_id not in question.held]
    why = {number: in_words(why_assigned(question.request, plan, number)) for number in planned}
    for number, pin in question.pins.items():
        said = why.get(number, {"sentence": ""})
        why[number] = said | {"sentence": f"{pin.words}. {said['sentence']}".rstrip()}
    return why


def _pinned(question: Question, plan: Plan | None) -> tuple[str, ...]:
    """What people have pinned, each with who and why, and why it can't be kept where it can't."""
    undone = {one.job_id: one.reason for one in plan.unassigned} if plan else {}
    return tuple(
        f"{number}: {pin.words}" + (f". It can't be kept: {undone[number]}" if number in undone else "")
        for number, pin in sorted(question.pins.items())
    )


def in_words(choice: Choice) -> dict[str, Any]:
    """Why this technician, for the panel beside the board: a sentence, what it costs, who came second."""
    costs = (
        ("driving", choice.cost.travel),
        ("late for the SLA", choice.cost.late),
        ("later than told", choice.cost.later),
        ("another technician than told", choice.cost.moved),
        ("overtime", choice.cost.overtime),
        ("more than an even share of the work", choice.cost.uneven),
        ("another territory", choice.cost.territory),
        ("outside the hours preferred", choice.cost.preferred),
    )
    why: dict[str, Any] = {
        "sentence": choice.text[:1].upper() + choice.text[1:],
        "parts": [f"{cause} {cents / 100:.2f}" for cause, cents in costs if cents],
    }
    second = choice.runner_up
    if second is not None and second.added_cost is not None:
        dearer = second.added_cost.total - choice.cost.total
        how = "dearer" if dearer >= 0 else "cheaper"
        why["runner_up"] = f"{second.technician_id}, {abs(dearer) / 100:.2f} {how}"
    return why
