"""The board's page, its data, its live changes, and what a dispatcher does on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import HTMLResponse

from server import office
from server.access.guard import database_of, person_of, require, require_page, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.customers.links import visit_link
from server.db.feed import Position
from server.dispatch import board_feed, moves
from server.dispatch.board import day_bounds, day_now, snapshot
from server.dispatch.cards import Board, DayNow
from server.dispatch.detail import Detail, detail
from server.live import Ended, Live, Lost, Message
from server.web.pages import map_library_is_here, page
from shared.commands import CancelWorkOrder, OfficeCommand, UnassignWorkOrder
from shared.problems import BadValue

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
def board_page(request: Request, person: PageLooker, day: date | None = None) -> HTMLResponse:
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
def get_board(request: Request, person: Looker, day: date | None = None) -> Response:
    """Everything of one local day; without `day`, of today."""
    with database_of(request).read() as session:
        return _json(snapshot(session, day or _today(request), settings_of(request).zone, utc_now()))


@router.get("/api/board/now", response_model=DayNow, tags=["board"])
def get_now(request: Request, person: Looker, day: date | None = None) -> Response:
    """Who is late and where everybody is, as of this moment."""
    with database_of(request).read() as session:
        return _json(day_now(session, day or _today(request), settings_of(request).zone, utc_now()))


@router.get("/api/work-orders/{work_order_id}", response_model=Detail, tags=["board"])
def get_detail(request: Request, person: Looker, work_order_id: UUID) -> Response:
    """One work order with its visit record and everything that was done about it."""
    link = visit_link(settings_of(request), work_order_id)
    with database_of(request).read() as session:
        return _json(detail(session, work_order_id, link))


@router.get("/api/board/events", response_class=EventSourceResponse, tags=["board"])
async def board_events(
    request: Request,
    person: Looker,
    day: date | None = None,
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
    technician_id: UUID
    planned_start: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    reason: str


@router.post("/api/work-orders/{work_order_id}/assign", tags=["dispatch"])
def assign(request: Request, person: Dispatcher, work_order_id: UUID, body: Assignment) -> dict[str, Any]:
    """Give a job to a technician from a time on. 409 with a sentence when it can't be moved."""
    with database_of(request).read() as session:
        command = moves.assignment(session, work_order_id, body.technician_id, body.planned_start)
    return _run(request, person, command)


@router.post("/api/work-orders/{work_order_id}/unassign", tags=["dispatch"])
def unassign(request: Request, person: Dispatcher, work_order_id: UUID) -> dict[str, Any]:
    """Take a job off its technician."""
    return _run(request, person, UnassignWorkOrder(work_order_id=work_order_id))


@router.post("/api/work-orders/{work_order_id}/cancel", tags=["dispatch"])
def cancel(request: Request, person: Dispatcher, work_order_id: UUID, body: Cancellation) -> dict[str, Any]:
    """Cancel a job; the reason is kept."""
    reason = " ".join(body.reason.split())
    if not reason:
        raise BadValue("Say why the job is cancelled", field="reason")
    return _run(request, person, CancelWorkOrder(work_order_id=work_order_id, reason=reason))


def _run(request: Request, person: Person, command: OfficeCommand) -> dict[str, Any]:
    office.run(database_of(request), settings_of(request), command, person.name)
    wake(request)
    return {"work_order_id": str(command.work_order_id), "done": command.type}
