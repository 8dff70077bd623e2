"""Apply a saved plan: each of its moves is held against the day as it is by now; what still can be is booked.

What somebody has touched meanwhile stays. A move that breaks a rule on the day as it would be then is left
out, with what the checker says, and all is looked at again without it. The rest is booked in one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from scheduler.check import Violation, check
from scheduler.codec import plan_to_json, request_to_json
from scheduler.plan import Plan, Unassigned, Visit
from scheduler.request import PlanRequest
from scheduler.told import Places, told
from server.clock import mint
from server.db.engine import Database
from server.dispatch import absences, plan_records
from server.dispatch.board import day_bounds
from server.dispatch.day_clock import DayClock
from server.dispatch.day_rows import clock_of, read_day
from server.dispatch.models import DayPlanRow, PlanOverrideRow, SavedPlanRow
from server.dispatch.override_rows import let_go
from server.dispatch.plan_booking import Overtaken, PlanOutcome, Proposal, book
from server.dispatch.plan_records import Record, open_record
from server.dispatch.plan_request import LeftUndone, Question, ask
from server.dispatch.rechecks import away_in_words
from server.dispatch.roads import travel_times
from server.dispatch.saved_plans import (
    Spot,
    left_out_now,
    lunches_now,
    places_now,
    reasons_in_force,
    row_of,
    spots_of,
    stand_of,
)
from server.dispatch.technicians import names
from server.dispatch.thinking import Effort, Thought
from server.dispatch.what_if import OrderMoved, from_json
from server.settings import Settings
from server.work_orders import repository
from shared.commands import AssignWorkOrder, OfficeCommand, UnassignWorkOrder
from shared.problems import AlreadyClosed, Conflict
from shared.work_orders import WorkOrder, WorkOrderState

ATTEMPTS = 3
Became = Literal["applied", "already so", "no longer possible"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOutcome:
    """What became of one move. `wish`: what the plan wanted; `reason`: why it can't be (any more)."""

    number: str
    wish: str
    became: Became
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Every move of the plan with what became of it, and the plan that is in force now."""

    saved_plan_id: UUID
    moves: tuple[MoveOutcome, ...]
    applied: int
    outcome: PlanOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Where the saved plan has an order; `spot` None: it has no visit there."""

    number: str
    spot: Spot | None
    seen: list[Any] | None
    imagined: bool
    left: Unassigned | None = None


def apply_saved(
    database: Database, settings: Settings, saved_plan_id: UUID, *, by: str, now: datetime
) -> Applied:
    """Raises NotFound, BadValue for a day that is over, AlreadyClosed for a plan that was applied before, and
    Conflict when others keep planning the same day."""
    for _ in range(ATTEMPTS):
        with database.read() as session:
            row = row_of(session, saved_plan_id)
            if row.applied_at is not None:
                raise AlreadyClosed(f"{row.applied_by} has applied it already", subject=row.name)
            record = open_record(session, row.record_id)
            clock = clock_of(settings, row.day, now)
            ids = set(record.orders.values()) - {UUID(id) for id in row.strangers}
            known = {order.id: order for order in repository.load(session, ids)}
            # Orders of other days that the plan brings here, unless somebody has touched them.
            also = [id for id, order in known.items() if stand_of(order) == row.seen.get(order.number)]
            found = read_day(session, clock, now, also=also)
            reasons = reasons_in_force(session, row.day)
            away = _away(session, clock)
        question = ask(found.rows, travel_times(settings))
        if question.request is None:
            raise Conflict("Nobody works on this day any more")
        wishes = wishes_of(clock, row, record)
        moves = _Moves(clock, question, known, row.name, away)
        moves.weigh(wishes, record)
        plan = moves.fit(
            {**left_out_now(question, reasons), **{w.number: w.left for w in wishes if w.left}},
            {**lunches_now(question, found), **_lunches(record, question)},
        )
        outcomes = tuple(moves.outcomes[wish.number] for wish in wishes)
        why = {"sentence": f"From the saved plan “{row.name}”, applied by {by}"}

        def note(
            session: Session,
            day_plan: DayPlanRow,
            record: Record = record,
            outcomes: Sequence[MoveOutcome] = outcomes,
        ) -> None:
            kept = row_of(session, saved_plan_id)
            if kept.applied_at is not None:
                raise Overtaken
            kept.applied_at, kept.applied_by = now, by
            kept.outcome = [asdict(one) for one in outcomes]
            moved = {one.number for one in outcomes if one.became != "no longer possible"}
            pinned = _pinned(kept, by, now, {record.orders[number] for number in moved})
            let_go(session, [one.work_order_id for one in pinned], by=by, now=now, why="decided anew")
            session.add_all(pinned)
            day_plan.figures = day_plan.figures | {"saved_plan": kept.name}

        proposal = Proposal(
            day=row.day,
            question=question,
            plan_id_before=found.plan_id,
            commands=moves.commands(plan),
            why={number: why for number in moves.wanted},
            undone=[
                *question.nowhere,
                *(
                    LeftUndone(number=left.job_id, code=left.code, reason=left.reason)
                    for left in plan.unassigned
                    if moves.is_without(left.job_id)
                ),
            ],
            plan=plan,
            seconds=0.0,
            seed=record.effort.seed,
            packed=plan_records.pack(_as_thought(question.request, plan), question, searched=False),
            absences=found.absences,
            whole=True,
            also=note,
        )
        try:
            outcome = book(database, settings, proposal, now)
        except Overtaken:
            continue
        applied = sum(one.became == "applied" for one in outcomes)
        return Applied(saved_plan_id=saved_plan_id, moves=outcomes, applied=applied, outcome=outcome)
    raise Conflict("Others keep changing this day. Look at it first, and apply the plan then")


def _away(session: Session, clock: DayClock) -> dict[UUID, str]:
    """Technician → since when they are away on this day, for those who are."""
    people = names(session)
    rows = absences.of_day(session, *day_bounds(clock.day, clock.zone))
    return {
        row.technician_id: away_in_words(people[row.technician_id], row, clock.zone)
        for row in rows
        if row.technician_id in people
    }


def _pinned(row: SavedPlanRow, by: str, now: datetime, ids: Collection[UUID]) -> list[PlanOverrideRow]:
    """What a person decided within the plan: later plans keep to that as to any decision."""
    return [
        PlanOverrideRow(
            id=mint(),
            work_order_id=change.work_order_id,
            day=row.day,
            made_at=now,
            made_by=by,
            technician_id=change.technician_id,
            start=change.start,
            wanted={},
            reason="",
            note=f"saved plan “{row.name}”",
            cost={},
            breaks=[],
            released_at=None,
            released_by=None,
            released_why="",
        )
        for change in from_json(row.changes)
        if isinstance(change, OrderMoved) and change.work_order_id in ids
    ]


def wishes_of(clock: DayClock, row: SavedPlanRow, record: Record) -> list[Wish]:
    """What the plan wants of each order that had not begun when it was made, in the request's order."""
    strangers = {UUID(id) for id in row.strangers}
    spots = spots_of(clock, record)
    left = {one.job_id: one for one in record.plan.unassigned}
    return [
        Wish(
            number=job.id,
            spot=spots.get(job.id),
            seen=row.seen.get(job.id),
            imagined=record.orders[job.id] in strangers,
            left=left.get(job.id),
        )
        for job in record.asked.jobs
        # A slot that was held then is no order; who holds one now keeps it.
        if job.fixed_start is None and (job.id in row.seen or record.orders[job.id] in strangers)
    ]


def _lunches(record: Record, question: Question) -> dict[str, int]:
    return {
        route.technician_id: route.lunch_start
        for route in record.plan.routes
        if route.lunch_start is not None and route.technician_id in question.technicians
    }


def _as_thought(request: PlanRequest, plan: Plan) -> Thought:
    return Thought(
        request=request_to_json(request).encode(),
        answer=(plan_to_json(plan) + "\n").encode(),
        plan=plan,
        effort=Effort(threads=1),
    )


class _Moves:
    """The moves of one plan on the day as it is now. `wanted`: those that can still be."""

    def __init__(
        self,
        clock: DayClock,
        question: Question,
        known: Mapping[UUID, WorkOrder],
        plan_name: str,
        away: Mapping[UUID, str],
    ) -> None:
        assert question.request
        self.clock, self.question, self.known, self.plan_name = clock, question, known, plan_name
        self.away = away
        self.request = question.request
        self.names = {id: name for name, id in question.technicians.items()}
        self.now_places = places_now(clock, question)
        self.wanted: dict[str, Spot | None] = {}
        self.outcomes: dict[str, MoveOutcome] = {}
        self.wishes: dict[str, str] = {}

    def weigh(self, wishes: Sequence[Wish], record: Record) -> None:
        """Hold each wish against the order as it is now."""
        for wish in wishes:
            self.wishes[wish.number] = self._in_words(wish.spot)
            order = self.question.orders.get(wish.number) or self.known.get(record.orders[wish.number])
            if order is not None and self._is_so(order, wish.spot):
                self._say(wish.number, "already so")
            elif reason := self._forbids(wish, order):
                self._say(wish.number, "no longer possible", reason)
            else:
                self.wanted[wish.number] = wish.spot
                self._say(wish.number, "applied")

    def _in_words(self, spot: Spot | None) -> str:
        if spot is None:
            return "no visit"
        return f"{spot.technician} at {spot.start.astimezone(self.clock.zone):%H:%M}"

    def _say(self, number: str, became: Became, reason: str = "") -> None:
        wish = self.wishes[number]
        self.outcomes[number] = MoveOutcome(number=number, wish=wish, became=became, reason=reason)

    def _is_so(self, order: WorkOrder, spot: Spot | None) -> bool:
        if spot is None:
            return order.state is WorkOrderState.UNASSIGNED
        is_there = (order.technician_id, order.planned_start) == (spot.technician_id, spot.start)
        return is_there and order.state is WorkOrderState.ASSIGNED

    def _forbids(self, wish: Wish, order: WorkOrder | None) -> str:
        """Why the wish can't be, or nothing."""
        if wish.imagined or order is None:
            return "it is only imagined"
        if order.state.is_over:
            return f"it is {order.state.value}"
        if order.state.is_under_way:
            return f"{self._who(order)} has begun it"
        if (pin := self.question.pins.get(wish.number)) and not self._keeps(pin.technician_id, wish.spot):
            return pin.words
        if kept := [one for one in self.question.nowhere if one.number == wish.number]:
            return kept[0].reason
        if wish.number not in {job.id for job in self.request.jobs}:
            return "it is no longer on this day"
        if wish.seen is not None and stand_of(order) != wish.seen:
            return f"somebody has moved it meanwhile: {self._where(order)}"
        if wish.spot is None:
            return ""
        if wish.spot.technician_id not in self.names:
            return self.away.get(wish.spot.technician_id, f"{wish.spot.technician} does not work on this day")
        if self.clock.minute(wish.spot.start) < self.request.now:
            return "that time is over"
        return ""

    @staticmethod
    def _keeps(technician_id: UUID | None, spot: Spot | None) -> bool:
        return spot is not None and spot.technician_id == technician_id

    def _who(self, order: WorkOrder) -> str:
        return self.names.get(order.technician_id, "somebody") if order.technician_id else "somebody"

    def _where(self, order: WorkOrder) -> str:
        if order.technician_id is None or order.planned_start is None:
            return "nobody has it now"
        return f"{self._who(order)} has it at {order.planned_start.astimezone(self.clock.zone):%H:%M}"

    # --- together

    def fit(self, left_out: Mapping[str, Unassigned], lunches: Mapping[str, int]) -> Plan:
        """Take out, one by one, the moves that break a rule beside the others; the plan of the rest."""

        def made() -> Plan:
            return told(self.request, self._places(), engine="saved plan", left_out=left_out, lunches=lunches)

        def broken_at(places: Places) -> set[tuple[str, str | None, str | None]]:
            plan = told(self.request, places, left_out=left_out, lunches=lunches)
            return {_key(one) for one in check(self.request, plan)}

        before = broken_at(self.now_places)
        while True:
            plan = made()
            # What stays may not fit together, hidden so far by a visit in between: no move has done that.
            borne = before | broken_at(self._staying())
            for one in check(self.request, plan):
                if _key(one) not in borne and (guilty := self._guilty(one, plan)):
                    del self.wanted[guilty]
                    self._say(guilty, "no longer possible", one.text)
                    break
            else:
                return plan

    def _staying(self) -> dict[str, tuple[str, int]]:
        return {n: place for n, place in self.now_places.items() if n not in self.wanted}

    def _places(self) -> dict[str, tuple[str, int]]:
        places = self._staying()
        for number, spot in self.wanted.items():
            if spot is not None:
                places[number] = (self.names[spot.technician_id], self.clock.minute(spot.start))
        return places

    def _guilty(self, broken: Violation, plan: Plan) -> str | None:
        """The move to take out for it: itself, else the nearest one before it on that route, else after."""
        if broken.job_id in self.wanted:
            return broken.job_id
        if broken.rule in ("together", "after"):
            return next((one for one in self._linked_to(broken.job_id) if one in self.wanted), None)
        route = next((one for one in plan.routes if one.technician_id == broken.technician_id), None)
        visits: Sequence[Visit] = route.visits if route else ()
        at = next((n for n, visit in enumerate(visits) if visit.job_id == broken.job_id), len(visits))
        nearest = [*reversed(visits[:at]), *visits[at:]]
        there = [visit.job_id for visit in nearest if visit.job_id in self.wanted]
        return there[0] if there else None

    def _linked_to(self, number: str | None) -> list[str]:
        """What the job begins with, waits for, and what waits for it."""
        jobs = {job.id: job for job in self.request.jobs}
        job = jobs.get(number or "")
        if job is None:
            return []
        waits = {link.job for link in job.after}
        return [
            other.id
            for other in jobs.values()
            if other.id in waits
            or (job.together and other.together == job.together)
            or any(link.job == job.id for link in other.after)
        ]

    def is_without(self, number: str) -> bool:
        """Whether nobody will have the order."""
        if number in self.wanted:
            return self.wanted[number] is None
        return self.question.orders[number].state is WorkOrderState.UNASSIGNED

    def commands(self, plan: Plan) -> dict[str, OfficeCommand]:
        """What moves, and the drives of what follows; other visits stay with who has them, when they were."""
        commands: dict[str, OfficeCommand] = {}
        for route in plan.routes:
            for position, visit in enumerate(route.visits):
                if visit.fixed or visit.job_id in self.question.held:
                    continue
                if command := self._command(route.technician_id, visit, position):
                    commands[visit.job_id] = command
        for number, spot in self.wanted.items():
            order = self.question.orders[number]
            if spot is None and order.state is WorkOrderState.ASSIGNED:
                commands[number] = UnassignWorkOrder(work_order_id=order.id)
        return commands

    def _command(self, technician: str, visit: Visit, position: int) -> AssignWorkOrder | None:
        order = self.question.orders[visit.job_id]
        start, end = order.planned_start, order.planned_end
        moves = visit.job_id in self.wanted
        drive = self.question.on_the_road(visit.arrive, visit.travel_minutes)
        if moves or start is None or end is None:
            start = self.clock.instant(visit.start)
            end = start + timedelta(minutes=max(1, visit.end - visit.start))
        elif (order.travel_minutes, order.route_position) == (drive, position):
            return None
        return AssignWorkOrder(
            work_order_id=order.id,
            technician_id=self.question.technicians[technician],
            planned_start=start,
            planned_end=end,
            travel_minutes=drive,
            route_position=position,
        )


def _key(violation: Violation) -> tuple[str, str | None, str | None]:
    return violation.rule, violation.technician_id, violation.job_id
