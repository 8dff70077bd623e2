"""The page "Faults": what technicians report of street cabinets, and what the office does about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from server.access.guard import database_of, require, require_page, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dispatch.board_routes import wake
from server.faults import acts
from server.faults.acts import Act, FaultCounts
from server.web.pages import page
from shared.problems import AlreadyClosed, BadValue, Conflict

router = APIRouter()

Dispatcher = Annotated[Person, Depends(require(Permission.DISPATCH), scope="function")]
PageDispatcher = Annotated[Person, Depends(require_page(Permission.DISPATCH), scope="function")]
Text = Annotated[str, Form()]


@router.get("/api/faults/counts", tags=["dispatch"])
def fault_counts(request: Request, person: Dispatcher) -> FaultCounts:
    """How many reported faults of cabinets are open, and at how many of them it is not safe."""
    with database_of(request).read() as session:
        return acts.counts(session)


@router.get("/faults", include_in_schema=False)
def faults_page(request: Request, person: PageDispatcher) -> HTMLResponse:
    return _page(request, person)


@router.post("/faults/{fault_id}/{what}", include_in_schema=False)
def act(
    request: Request,
    person: PageDispatcher,
    fault_id: UUID,
    what: Act,
    reason: Text = "",
    reports: Annotated[int | None, Form()] = None,
) -> Response:
    """Act and show the page anew. What somebody else has just done is no news: the page shows it."""
    try:
        with database_of(request).write() as session:
            acts.act(session, fault_id, what, reason, by=person.name, at=utc_now(), seen=reports)
        wake(request)
    except AlreadyClosed:
        pass
    except (BadValue, Conflict) as problem:
        return _page(request, person, status=problem.status, said=problem.detail)
    return RedirectResponse("/faults", status_code=303)


def _page(request: Request, person: Person, *, status: int = 200, said: str = "") -> HTMLResponse:
    with database_of(request).read() as session:
        open_, over = acts.lines(session, closed=False), acts.lines(session, closed=True)
    return page(
        request,
        "faults.html",
        status=status,
        person=person,
        here="faults",
        open=open_,
        over=over,
        reason_max=acts.REASON_LENGTH_MAX,
        moment=datetime.fromisoformat,
        said=said,
        zone=settings_of(request).zone,
        now=utc_now(),
    )
