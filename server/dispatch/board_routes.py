"""The board's page, its data, its live changes, and what a dispatcher does on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import AwareDatetime, Field
from starlette.responses import HTMLResponse

from server import office
from server.access.guard import database_of, person_of, require, require_page, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import mint, utc_now
from server.customers.links import visit_link
from server.db.feed import Position
from server.dependencies import Day
from server.dispatch import board_feed, moves, overrides
from server.dispatch.board import day_bounds, day_now, snapshot
from server.dispatch.cards import Board, DayNow
from server.dispatch.detail import Detail, detail
from server.dispatch.overrides import Why
from server.live import Ended, Live, Lost, Message
from server.web.pages import map_library_is_here, page
from shared.commands import (
    AssignWorkOrder,
    CancelWorkOrder,
    ChargeCallOut,
    DeleteWorkOrder,
    EditContact,
    OfficeCheck,
    OfficeCommand,
    OfficeNote,
    ReopenWorkOrder,
    RescheduleWorkOrder,
    SplitWorkOrder,
    UnassignWorkOrder,
)
from shared.problems import BadValue
from shared.work_orders import ContactField, PartLine

router = APIRouter()

Looker = Annotated[Person, Depends(require(Permission.SEE_BOARD), scope="function")]
Dispatcher = Annotated[Person, Depends(require(Permission.DISPATCH), scope="function")]
PageLooker = Annotated[Person, Depends(require_page(Permission.SEE_BOARD), scope="function")]

IDLE_SECONDS = 15.0
RETRY_MS = 1_000


def wake(request: Request) -> None:
    """Let open pages see at once what was just committed here."""
    live: Live = request.app.state.live
    live.wake()


def _json(value: object) -> Response:
    return Response(
        msgspec.json.encode(value), media_type="application/json", headers={"Cache-Control": "no-store"}
    )


def _today(request: Request) -> date:
    return utc_now().astimezone(settings_of(request).zone).date()


# --- looking ------------------------------------------------------------------------------------------------


@router.get("/board", include_in_schema=False)
def board_page(request: Request, person: PageLooker, day: Day | None = None) -> HTMLResponse:
    return page(
        request,
        "board.html",
        person=person,
        here="board",
        day=day or _today(request),
        may_dispatch=person.may(Permission.DISPATCH),
        map_library=map_library_is_here(),
    )


@router.get("/api/board", response_model=Board, tags=["board"])
def get_board(request: Request, person: Looker, day: Day | None = None) -> Response:
    """Everything of one local day; without `day`, of today."""
    with database_of(request).read() as session:
        return _json(snapshot(session, day or _today(request), settings_of(request).zone, utc_now()))


@router.get("/api/board/now", response_model=DayNow, tags=["board"])
def get_now(request: Request, person: Looker, day: Day | None = None) -> Response:
    """Who is late and where everybody is, as of this moment."""
    with database_of(request).read() as session:
        return _json(day_now(session, day or _today(request), settings_of(request).zone, utc_now()))


@router.get("/api/work-orders/{work_order_id}", response_model=Detail, tags=["board"])
def get_detail(request: Request, person: Looker, work_order_id: UUID) -> Response:
    """One work order with its visit record and everything that was done about it."""
    link = visit_link(settings_of(request), work_order_id)
    with database_of(request).read() as session:
        return _json(detail(session, work_order_id, link, settings_of(request).zone))


@router.get("/api/board/events", response_class=EventSourceResponse, tags=["board"])
async def board_events(
    request: Request,
    person: Looker,
    day: Day | None = None,
    after: str | None = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Live changes of one day, after the position that `/api/board` gave or the last event that was seen."""
    shown = day or _today(request)
    choose = board_feed.for_day(shown, *day_bounds(shown, settings_of(request).zone))
    live: Live = request.app.state.live
    yield ServerSentEvent(comment="the board is listening", retry=RETRY_MS)
    position = _position(last_event_id or after)
    try:
        with live.listening(lambda message: choose(message) is not None) as stream:
            for message in await stream.missed(position) if position else ():
                yield _event(message, choose)
            while True:
                found = await stream.next(IDLE_SECONDS)
                if found is not None:
                    yield _event(found, choose)
                elif await person_of(request) is None:
                    return  # signed out meanwhile: the reconnect will be told so
                else:
                    yield ServerSentEvent(comment="still here")
    except Lost:
        yield ServerSentEvent(event="reload", raw_data="{}")
    except Ended:
        return


def _event(message: Message, choose: board_feed.Chooser) -> ServerSentEvent:
    name, data = choose(message) or ("", None)
    return ServerSentEvent(event=name, raw_data=msgspec.json.encode(data).decode(), id=str(message.position))


def _position(text: str | None) -> Position | None:
    try:
        return Position.parse(text) if text else None
    except ValueError:
        return None  # not one of ours: go on from now


# --- doing --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """`reason` and `note`: why, if one says it. `pin`: whether plans keep to it until it is released."""

    technician_id: UUID
    planned_start: datetime
    reason: str = ""
    note: str = ""
    pin: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOff:
    """`keep_out`: no plan shall give it to anybody until it is released."""

    reason: str = ""
    note: str = ""
    keep_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTime:
    """Window and plan have both ends each, or neither: no window is promised then, the plan stays."""

    window_start: AwareDatetime | None = None
    window_end: AwareDatetime | None = None
    planned_start: AwareDatetime | None = None
    planned_end: AwareDatetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What moves to the other order: equipment by role, checks by code, parts as SKU → quantity."""

    summary: str
    expected_minutes: Annotated[int, Field(ge=1, le=24 * 60)]
    equipment: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    parts: dict[str, Annotated[int, Field(ge=1, le=10_000)]] = field(default_factory=dict)
    removal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopening:
    technician_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContact:
    """`base`: what the dispatcher saw; 409 when that is no longer what stands."""

    field: ContactField
    value: str
    base: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNote:
    text: str
    replaces: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCheck:
    code: str
    value: Decimal


@router.post("/api/work-orders/{work_order_id}/assign", tags=["dispatch"])
def assign(request: Request, person: Dispatcher, work_order_id: UUID, body: Assignment) -> dict[str, Any]:
    """Give a job to a technician from a time on. 409 with a sentence when it can't be moved."""
    with database_of(request).read() as session:
        zone = settings_of(request).zone
        command = moves.assignment(session, work_order_id, body.technician_id, body.planned_start, zone)
    return _decide(request, person, command, Why(reason=body.reason, note=body.note), pin=body.pin)


@router.post("/api/work-orders/{work_order_id}/unassign", tags=["dispatch"])
def unassign(
    request: Request, person: Dispatcher, work_order_id: UUID, body: TakenOff | None = None
) -> dict[str, Any]:
    """Take a job off its technician: back to the next plan, or kept out of it."""
    said = body or TakenOff()
    command = UnassignWorkOrder(work_order_id=work_order_id)
    return _decide(request, person, command, Why(reason=said.reason, note=said.note), pin=said.keep_out)


@router.post("/api/work-orders/{work_order_id}/cancel", tags=["dispatch"])
def cancel(request: Request, person: Dispatcher, work_order_id: UUID, body: Cancellation) -> dict[str, Any]:
    """Cancel a job; the reason is kept."""
    reason = _reason(body.reason, "Say why the job is cancelled")
    return _run(request, person, CancelWorkOrder(work_order_id=work_order_id, reason=reason))


@router.post("/api/work-orders/{work_order_id}/delete", tags=["dispatch"])
def delete(request: Request, person: Dispatcher, work_order_id: UUID, body: Cancellation) -> dict[str, Any]:
    """Delete a job that should never have been there. 409 once there is work on it."""
    reason = _reason(body.reason, "Say why the job is deleted")
    return _run(request, person, DeleteWorkOrder(work_order_id=work_order_id, reason=reason))


@router.post("/api/work-orders/{work_order_id}/reschedule", tags=["dispatch"])
def reschedule(request: Request, person: Dispatcher, work_order_id: UUID, body: NewTime) -> dict[str, Any]:
    """Promise another window and plan another time. 409 once the visit has begun."""
    command = RescheduleWorkOrder(
        work_order_id=work_order_id,
        window_start=body.window_start,
        window_end=body.window_end,
        planned_start=body.planned_start,
        planned_end=body.planned_end,
    )
    return _decide(request, person, command, Why(), pin=True)


@router.post("/api/work-orders/{work_order_id}/split", tags=["dispatch"])
def split_off(request: Request, person: Dispatcher, work_order_id: UUID, body: Split) -> dict[str, Any]:
    """Move part of the work to an order of its own."""
    command = SplitWorkOrder(
        work_order_id=work_order_id,
        new_order_id=mint(),
        summary=body.summary,
        expected_minutes=body.expected_minutes,
        equipment=body.equipment,
        checks=body.checks,
        parts=tuple(PartLine(sku=sku, quantity=quantity) for sku, quantity in body.parts.items()),
        removal=body.removal,
    )
    return _run(request, person, command) | {"new_order_id": str(command.new_order_id)}


@router.post("/api/work-orders/{work_order_id}/reopen", tags=["dispatch"])
def reopen(request: Request, person: Dispatcher, work_order_id: UUID, body: Reopening) -> dict[str, Any]:
    """Give a job to who really did the work. 409 once it is billed."""
    return _run(
        request, person, ReopenWorkOrder(work_order_id=work_order_id, technician_id=body.technician_id)
    )


@router.post("/api/work-orders/{work_order_id}/call-out", tags=["dispatch"])
def call_out(request: Request, person: Dispatcher, work_order_id: UUID) -> dict[str, Any]:
    """Bill the drive to a job that came to nothing, once."""
    return _run(request, person, ChargeCallOut(work_order_id=work_order_id))


@router.post("/api/work-orders/{work_order_id}/contact", tags=["dispatch"])
def edit_contact(
    request: Request, person: Dispatcher, work_order_id: UUID, body: NewContact
) -> dict[str, Any]:
    """Change name, phone or access notes; settles what technicians suggested for the field."""
    command = EditContact(work_order_id=work_order_id, field=body.field, value=body.value, base=body.base)
    return _run(request, person, command)


@router.post("/api/work-orders/{work_order_id}/notes", tags=["dispatch"])
def add_note(request: Request, person: Dispatcher, work_order_id: UUID, body: NewNote) -> dict[str, Any]:
    """Add a note, or a new version of the one it replaces. The technician sees it."""
    note_id = mint()
    command = OfficeNote(work_order_id=work_order_id, text=body.text, note_id=note_id, replaces=body.replaces)
    return _run(request, person, command) | {"note_id": str(note_id)}


@router.post("/api/work-orders/{work_order_id}/checks", tags=["dispatch"])
def record_check(request: Request, person: Dispatcher, work_order_id: UUID, body: NewCheck) -> dict[str, Any]:
    """Record a test that was made from afar."""
    command = OfficeCheck(work_order_id=work_order_id, code=body.code, value=body.value)
    return _run(request, person, command)


def _reason(text: str, missing: str) -> str:
    reason = " ".join(text.split())
    if not reason:
        raise BadValue(missing, field="reason")
    return reason


def _decide(
    request: Request,
    person: Person,
    command: AssignWorkOrder | UnassignWorkOrder | RescheduleWorkOrder,
    why: Why,
    *,
    pin: bool,
) -> dict[str, Any]:
    """Who goes when, decided by a person: kept, with what it costs; `override` is None where nothing is."""
    kept = overrides.act(
        database_of(request),
        settings_of(request),
        command,
        by=person.name,
        now=utc_now(),
        why=why,
        pin=pin,
    )
    wake(request)
    done: dict[str, Any] = {"work_order_id": str(command.work_order_id), "done": command.type}
    if kept is None:
        return done | {"override": None}
    with database_of(request).read() as session:
        found = overrides.opened(session, kept)
    told = {"id": str(kept), "cost_minor": found.cost_minor, "breaks": found.breaks, "pinned": found.pinned}
    return done | {"override": told}


def _run(request: Request, person: Person, command: OfficeCommand) -> dict[str, Any]:
    office.run(database_of(request), settings_of(request), command, person.name)
    wake(request)
    return {"work_order_id": str(command.work_order_id), "done": command.type}
