"""The page "Returns": faulty devices that are to go back to their vendors, went, and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, RedirectResponse

from server.access.guard import database_of, require_page, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.purchasing import returns
from server.purchasing.returns import SETTLED, RmaState
from server.web.pages import page
from shared.problems import AlreadyClosed, BadValue, Conflict

router = APIRouter(prefix="/returns", include_in_schema=False)

Keeper = Annotated[Person, Depends(require_page(Permission.MANAGE_STOCK), scope="function")]
Text = Annotated[str, Form()]
LATELY_MAX = 30


@router.get("")
def returns_page(request: Request, person: Keeper) -> HTMLResponse:
    return _page(request, person)


@router.post("/{line_id}/send")
def send(request: Request, person: Keeper, line_id: UUID, reference: Text = "") -> Response:
    return _do(
        request, person, lambda session, at: returns.send(session, line_id, reference, by=person.name, at=at)
    )


@router.post("/{line_id}/settle")
def settle(
    request: Request, person: Keeper, line_id: UUID, outcome: Annotated[RmaState, Form()], note: Text = ""
) -> Response:
    return _do(
        request,
        person,
        lambda session, at: returns.settle(session, line_id, outcome, note, by=person.name, at=at),
    )


@router.post("/{line_id}/withdraw")
def withdraw(request: Request, person: Keeper, line_id: UUID, note: Text = "") -> Response:
    return _do(
        request, person, lambda session, at: returns.withdraw(session, line_id, note, by=person.name, at=at)
    )


def _do(request: Request, person: Person, act: Callable[[Session, datetime], None]) -> Response:
    """Act and show the page anew. What somebody else has just done is no news: the page shows it."""
    try:
        with database_of(request).write() as session:
            act(session, utc_now())
    except AlreadyClosed:
        pass
    except (BadValue, Conflict) as problem:
        return _page(request, person, status=problem.status, said=problem.detail)
    return RedirectResponse("/returns", status_code=303)


def _page(request: Request, person: Person, *, status: int = 200, said: str = "") -> HTMLResponse:
    settings = settings_of(request)
    with database_of(request).read() as session:
        counts = returns.counts(session)
        shown = {
            "open": returns.lines(session, [RmaState.OPEN]),
            "sent": returns.lines(session, [RmaState.SENT]),
            "over": returns.lines(session, [*SETTLED, RmaState.WITHDRAWN], LATELY_MAX),
        }
    return page(
        request,
        "returns.html",
        status=status,
        person=person,
        here="returns",
        **shown,
        open_count=counts.get(RmaState.OPEN, 0),
        sent_count=counts.get(RmaState.SENT, 0),
        outcomes=[state.value for state in SETTLED],
        text_max=returns.TEXT_LENGTH_MAX,
        said=said,
        zone=settings.zone,
    )
