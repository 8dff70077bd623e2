"""The customer's page: no sign-in, one visit, live while it lasts, and readable without JavaScript."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from server.access.guard import database_of, settings_of
from server.clock import utc_now
from server.customers import links
from server.customers.visit_page import VisitView, view
from server.customers.words import Words, preferred, words_for
from server.live import Ended, Live, Lost
from server.web.pages import fragment, page
from shared.problems import ExpiredToken, NotFound

router = APIRouter(include_in_schema=False)

LOOK_AGAIN_SECONDS = 15.0
"""Time passes without any event: a delay shows after at most this long."""


@router.get("/visit/{token}")
def visit(request: Request, token: str) -> HTMLResponse:
    """The page. 404 for a link we never made, 410 for one that is over: kind words, no data."""
    try:
        found = _look(request, links.read(settings_of(request).secret, token))
    except ExpiredToken:
        return sorry(request, 410)
    except NotFound:
        return sorry(request, 404)
    return page(request, "visit.html", **_values(request, found))


def _of_link(request: Request, token: str) -> UUID:
    return links.read(settings_of(request).secret, token)


@router.get("/visit/{token}/events", response_class=EventSourceResponse)
async def visit_events(
    request: Request, work_order_id: Annotated[UUID, Depends(_of_link)]
) -> AsyncIterator[ServerSentEvent]:
    """The page's middle, whenever it reads differently; "end" when the visit is over."""
    live: Live = request.app.state.live
    mine, shown = str(work_order_id), ""
    try:
        with live.listening(lambda message: message.kind == "work_order" and message.key == mine) as stream:
            while True:
                # Everything is sent anew after a reconnect, so there is no position to resume from.
                found = await run_in_threadpool(_look, request, work_order_id)
                if (body := fragment("visit_status.html", _values(request, found))) != shown:
                    shown = body
                    yield ServerSentEvent(event="visit", data=body, retry=2_000)
                if found.is_over:
                    yield ServerSentEvent(event="end", data="over")
                    return
                await stream.next(LOOK_AGAIN_SECONDS)
    except (Lost, Ended):
        return  # the browser comes back by itself and is shown everything anew


def _look(request: Request, work_order_id: UUID) -> VisitView:
    with database_of(request).read() as session:
        settings = settings_of(request)
        return view(session, work_order_id, settings.zone, utc_now(), settings.tax_basis_points)


def _values(request: Request, found: VisitView) -> dict[str, Any]:
    now = utc_now().astimezone(settings_of(request).zone)
    words = words_for(found.language)
    return {
        "visit": found,
        "token": request.path_params["token"],
        "words": words,
        "company": settings_of(request).company,
        "updated": words.updated.format(time=words.time(now)),
    }


def sorry(request: Request, status: int) -> HTMLResponse:
    words: Words = preferred(request.headers.get("accept-language", ""))
    said, more = (words.expired, words.expired_more) if status == 410 else (words.unknown, words.unknown_more)
    return page(request, "visit_sorry.html", status=status, words=words, said=said, more=more)
