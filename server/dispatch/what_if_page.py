"""The page "What if": a day with changes tried out, plans side by side, what people decided by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse

from server.access.guard import database_of, require_page, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import mint, utc_now
from server.dependencies import Day
from server.dispatch import overrides, plan_records, saved_plans
from server.dispatch.applying import apply_saved
from server.dispatch.board import day_bounds
from server.dispatch.board_routes import wake
from server.dispatch.day_clock import DayClock
from server.dispatch.day_rows import read_day
from server.dispatch.models import TechnicianRow
from server.dispatch.override_rows import REASONS
from server.dispatch.overrides import Why
from server.dispatch.plan_request import has_begun
from server.dispatch.plan_routes import SECONDS_MAX
from server.dispatch.policy import PlanningPolicy, policy_in_force
from server.dispatch.saved_plans import SideBySide
from server.dispatch.thinking import Effort
from server.dispatch.what_if import (
    WEIGHT_NAMES,
    Change,
    OrderAdded,
    OrderBrought,
    OrderMoved,
    OrderRemoved,
    ShiftChanged,
    TechnicianAdded,
    TechnicianOff,
    WeightChanged,
)
from server.dispatch.what_if_routes import ROUNDS_MAX
from server.web.pages import page
from server.work_orders.models import WorkOrderRow
from shared.problems import BadValue, Problem
from shared.work_orders import WorkOrder

router = APIRouter()

PageDispatcher = Annotated[Person, Depends(require_page(Permission.DISPATCH), scope="function")]
Text = Annotated[str, Form()]
Texts = Annotated[list[str], Form()]

SECONDS = (0, 10, 30, 60, 120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the page says first; `good` when it is no refusal."""

    text: str
    good: bool = False


@router.get("/whatif", include_in_schema=False)
def what_if_page(
    request: Request,
    person: PageDispatcher,
    day: Day | None = None,
    plan: Annotated[list[UUID] | None, Query()] = None,
) -> HTMLResponse:
    return _page(request, person, day or _today(request), plan or [])


@router.post("/whatif", include_in_schema=False)
async def try_out(
    request: Request,
    person: PageDispatcher,
    day: Annotated[Day, Form()],
    name: Text = "",
    off: Texts = [],  # noqa: B006 - FastAPI makes a new one for each request
    who: Texts = [],  # noqa: B006
    shift_from: Texts = [],  # noqa: B006
    shift_to: Texts = [],  # noqa: B006
    more_like: Text = "",
    more_name: Text = "",
    gone: Texts = [],  # noqa: B006
    add_like: Text = "",
    add_minutes: Text = "",
    add_priority: Text = "",
    bring: Text = "",
    move: Text = "",
    move_to: Text = "",
    move_at: Text = "",
    weight: Texts = [],  # noqa: B006
    costs: Texts = [],  # noqa: B006
    seconds: Text = "10",
    rounds: Text = "",
    seed: Text = "0",
) -> Response:
    """Think about the day as the form has it, and show the page anew with what came out beside the rest."""
    settings, database = settings_of(request), database_of(request)

    def run() -> UUID:
        with database.read() as session:
            people = _people(session)
            changes: list[Change] = [TechnicianOff(technician_id=_id(one)) for one in off]
            changes += _shifts(people, who, shift_from, shift_to, off)
            if more_like:
                one_more = TechnicianAdded(name=more_name or "One more", like=_id(more_like), id=mint())
                changes.append(one_more)
            changes += [OrderBrought(work_order_id=id) for id in _numbered(session, bring)]
            changes += [OrderRemoved(work_order_id=_id(one)) for one in gone]
            changes += _weights(policy_in_force(session), weight, costs)
        if add_like:
            changes.append(
                OrderAdded(
                    like=_id(add_like),
                    number=f"IF-{mint().hex[-4:].upper()}",
                    id=mint(),
                    minutes=_whole(add_minutes, "minutes") if add_minutes else None,
                    priority=_whole(add_priority, "priority") if add_priority else None,
                )
            )
        if move and move_to:
            start = DayClock(day, settings.zone).instant(_clock(move_at)) if move_at else None
            changes.append(OrderMoved(work_order_id=_id(move), technician_id=_id(move_to), start=start))
        effort = Effort(
            seconds=_whole(seconds, "seconds", SECONDS_MAX),
            rounds=_whole(rounds, "rounds", ROUNDS_MAX) or None if rounds else None,
            seed=_whole(seed or "0", "seed", 1_000_000),
        )
        made = saved_plans.save(database, settings, day, name, changes, effort, by=person.name, now=utc_now())
        return made.id

    try:
        made = await run_in_threadpool(run)
    except Problem as problem:
        shown = partial(
            _page, request, person, day, [], status=problem.status, said=Said(text=problem.detail)
        )
        return await run_in_threadpool(shown)
    return RedirectResponse(f"/whatif?day={day}&plan={made}#compare", status_code=303)


@router.post("/whatif/plans/{saved_plan_id}/{what}", include_in_schema=False)
def act(
    request: Request, person: PageDispatcher, saved_plan_id: UUID, what: Literal["apply", "delete", "verify"]
) -> Response:
    database = database_of(request)
    with database.read() as session:
        found = saved_plans.opened(session, saved_plan_id)
    said = None
    try:
        if what == "apply":
            apply_saved(database, settings_of(request), saved_plan_id, by=person.name, now=utc_now())
            wake(request)
        elif what == "delete":
            with database.write() as session:
                saved_plans.delete(session, saved_plan_id)
        else:
            verdict = plan_records.verify(database, found.record_id)
            said = Said(text=f"{found.name}: {verdict.sentence}.", good=verdict.verdict == "same")
    except Problem as problem:
        said = Said(text=problem.detail)
        return _page(request, person, found.day, [], status=problem.status, said=said)
    if said:
        return _page(request, person, found.day, [], said=said)
    return RedirectResponse(f"/whatif?day={found.day}#saved", status_code=303)


@router.post("/whatif/overrides/{override_id}/{what}", include_in_schema=False)
def decide(
    request: Request,
    person: PageDispatcher,
    override_id: UUID,
    what: Literal["reason", "release"],
    reason: Text = "",
    note: Text = "",
) -> Response:
    with database_of(request).read() as session:
        found = overrides.opened(session, override_id)
    try:
        with database_of(request).write() as session:
            if what == "release":
                overrides.release(session, override_id, by=person.name, now=utc_now())
            else:
                overrides.give_reason(session, override_id, Why(reason=reason, note=note))
    except Problem as problem:
        said = Said(text=problem.detail)
        return _page(request, person, found.day, [], status=problem.status, said=said)
    return RedirectResponse(f"/whatif?day={found.day}#by-hand", status_code=303)


# --- the form -----------------------------------------------------------------------------------------------


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadValue("Choose one of the list") from error


def _whole(text: str, field: str, most: int = 100_000) -> int:
    if not text.strip().isdecimal() or int(text) > most:
        raise BadValue(f"{field} is a whole number up to {most}", field=field)
    return int(text)


def _clock(text: str) -> int:
    """Minutes after midnight of "14:05"."""
    hours, _, minutes = text.partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60):
        raise BadValue("A time is written 14:05")
    return int(hours) * 60 + int(minutes)


def _people(session: Session) -> Sequence[TechnicianRow]:
    query = select(TechnicianRow).where(TechnicianRow.active).order_by(TechnicianRow.name)
    return session.scalars(query).all()


def _shifts(
    people: Sequence[TechnicianRow], who: list[str], begins: list[str], ends: list[str], off: list[str]
) -> list[Change]:
    """Only those whose times are others than they are."""
    rows = {str(row.id): row for row in people}
    found: list[Change] = []
    for one, begin, end in zip(who, begins, ends, strict=False):
        row = rows.get(one)
        if row is None or one in off or not begin or not end:
            continue
        start, stop = _clock(begin), _clock(end)
        if (start, stop) != (row.shift_start_minute % 1440, row.shift_end_minute % 1440):
            stop += 1440 if stop <= start else 0
            found.append(ShiftChanged(technician_id=row.id, start_minute=start, end_minute=stop))
    return found


def _numbered(session: Session, text: str) -> list[UUID]:
    """The orders with the numbers in `text`. Raises BadValue naming one that there is not."""
    found = []
    for number in text.replace(",", " ").split():
        id = session.scalar(select(WorkOrderRow.id).where(WorkOrderRow.number == number))
        if id is None:
            raise BadValue(f"There is no work order {number}", field="bring")
        found.append(id)
    return found


def _weights(usual: PlanningPolicy, names: list[str], costs: list[str]) -> list[Change]:
    found: list[Change] = []
    for name, text in zip(names, costs, strict=False):
        weight = next((one for one in WEIGHT_NAMES if one == name), None)
        if weight is None or not text.strip():
            continue
        try:
            cents = round(float(text.replace(",", ".")) * 100)
        except (ValueError, OverflowError) as error:
            raise BadValue(f"{WEIGHT_NAMES[weight]} costs a number", field=name) from error
        if cents != getattr(usual.weights, weight):
            found.append(WeightChanged(weight=weight, cents=cents))
    return found


# --- the page -----------------------------------------------------------------------------------------------


def _today(request: Request) -> date:
    return utc_now().astimezone(settings_of(request).zone).date()


def _page(
    request: Request,
    person: Person,
    day: date,
    plans: Sequence[UUID],
    *,
    status: int = 200,
    said: Said | None = None,
) -> HTMLResponse:
    settings, now = settings_of(request), utc_now()
    day_bounds(day, settings.zone)  # a year that has no plan is refused
    over = day < now.astimezone(settings.zone).date()
    with database_of(request).read() as session:
        people = _people(session)
        clock = DayClock(day, settings.zone)
        orders = [] if over else [o for o in read_day(session, clock, now).rows.orders if not has_begun(o)]
        saved = saved_plans.saved(session, day)
        decided = overrides.of_day(session, day)
        records = plan_records.lines(session, day)
        usual = policy_in_force(session).weights
    known = {one.id for one in saved}
    compared: SideBySide | None = None
    if not over and people:
        shown = [one for one in dict.fromkeys(plans) if one in known][: saved_plans.SIDES_MAX]
        try:
            compared = saved_plans.compare(database_of(request), settings, day, shown, now)
        except Problem as problem:
            said = said or Said(text=problem.detail)
    return page(
        request,
        "whatif.html",
        status=status,
        person=person,
        here="whatif",
        day=day,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        over=over,
        said=said,
        people=people,
        orders=orders,
        saved=saved,
        compared=compared,
        chosen={side.id for side in compared.sides} if compared else set(),
        decided=decided,
        records=records,
        weights=[(name, words, getattr(usual, name)) for name, words in WEIGHT_NAMES.items()],
        seconds=SECONDS,
        reasons=REASONS,
        name_max=saved_plans.NAME_LENGTH_MAX,
        note_max=overrides.NOTE_LENGTH_MAX,
        address=_address,
        moment=datetime.fromisoformat,
        zone=settings.zone,
    )


def _address(order: WorkOrder) -> Any:
    return order.place.line
