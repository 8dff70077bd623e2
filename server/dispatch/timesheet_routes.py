"""Timesheets for whoever plans and pays the technicians: as a page, and as data."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse

from server.access.guard import database_of, require, require_page, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dependencies import Day
from server.dispatch.timesheets import Timesheet, timesheets
from server.web.pages import page

router = APIRouter()

Dispatcher = Annotated[Person, Depends(require(Permission.DISPATCH), scope="function")]
PageDispatcher = Annotated[Person, Depends(require_page(Permission.DISPATCH), scope="function")]


@router.get("/api/timesheets", tags=["dispatch"])
def list_timesheets(
    request: Request, person: Dispatcher, day: Day | None = None, technician_id: UUID | None = None
) -> list[Timesheet]:
    """Travel, work and pauses of each technician on a day (default: today), and what was corrected."""
    return _found(request, day, technician_id)


@router.get("/timesheets", include_in_schema=False)
def timesheet_page(request: Request, person: PageDispatcher, day: Day | None = None) -> HTMLResponse:
    shown = day or _today(request)
    found = _found(request, shown, None)
    return page(
        request,
        "timesheets.html",
        person=person,
        here="timesheets",
        day=shown,
        before=shown - timedelta(days=1),
        after=shown + timedelta(days=1),
        sheets=found,
        zone=settings_of(request).zone,
    )


def _found(request: Request, day: date | None, technician_id: UUID | None) -> list[Timesheet]:
    with database_of(request).read() as session:
        zone = settings_of(request).zone
        return timesheets(session, day or _today(request), zone, utc_now(), technician_id)


def _today(request: Request) -> date:
    return utc_now().astimezone(settings_of(request).zone).date()
