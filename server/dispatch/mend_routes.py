"""The day goes on, over HTTP: who is away, what would mend it, and the mending."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime

from server.access.guard import database_of, require, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dependencies import Day
from server.dispatch import absences
from server.dispatch.absences import Reason
from server.dispatch.board import day_bounds
from server.dispatch.mending import TELL_MAX, Choice, MendOutcome, MendProposal, apply_mend, propose_mend
from server.live import Live
from shared.problems import NotFound

router = APIRouter(tags=["plan"])

Dispatcher = Annotated[Person, Depends(require(Permission.DISPATCH), scope="function")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """From now, or from `starts_at`, until `ends_at`; without, for the rest of the day that it starts on."""

    reason: Reason = Reason.SICK
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


@router.get("/api/mend", response_model=MendProposal)
def look(request: Request, person: Dispatcher, day: Day | None = None, tell_max: int = TELL_MAX) -> Response:
    """What would have to move so that the day is kept, telling at most so many customers a new time."""
    settings, now = settings_of(request), utc_now()
    shown = day or now.astimezone(settings.zone).date()
    return _json(propose_mend(database_of(request), settings, now, shown, tell_max=tell_max))


@router.post("/api/mend", response_model=MendOutcome)
def mend(request: Request, person: Dispatcher, body: Choice) -> Response:
    """Book a proposal. 409 when what it rests on has changed since, and then nothing moves."""
    outcome = apply_mend(database_of(request), settings_of(request), body, utc_now(), by=person.name)
    _wake(request)
    return _json(outcome)


@router.post("/api/technicians/{technician_id}/away", status_code=204)
def away(request: Request, person: Dispatcher, technician_id: UUID, body: Absence) -> None:
    """Somebody can't come: nobody plans with them, until they are back. Their visits stay until moved."""
    now, zone = utc_now(), settings_of(request).zone
    starts = body.starts_at or now
    ends = body.ends_at or day_bounds(starts.astimezone(zone).date(), zone)[1]
    with database_of(request).write() as session:
        absences.note(session, technician_id, starts, ends, body.reason, by=person.name, now=now)
    _wake(request)


@router.post("/api/technicians/{technician_id}/back", status_code=204)
def back(request: Request, person: Dispatcher, technician_id: UUID) -> None:
    """They are there again."""
    with database_of(request).write() as session:
        if not absences.end(session, technician_id, by=person.name, now=utc_now()):
            raise NotFound("This technician is not away", field="technician_id")
    _wake(request)


def _wake(request: Request) -> None:
    live: Live = request.app.state.live
    live.wake()


def _json(value: object) -> Response:
    return Response(
        msgspec.json.encode(value), media_type="application/json", headers={"Cache-Control": "no-store"}
    )
