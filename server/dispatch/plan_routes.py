"""Planning over HTTP: plan a day, draw its drives, ask where one more job would fit and who could do it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime
from starlette.concurrency import run_in_threadpool

from server.access.guard import database_of, require, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dependencies import Day
from server.dispatch.fitting import Suits, WhoSuits, suits, who_suits
from server.dispatch.insertions import Insertions, find_insertions
from server.dispatch.plan_booking import PlanOutcome
from server.dispatch.planner import plan_day
from server.dispatch.roads import travel_times
from server.dispatch.route_lines import rounds_of, route_lines
from server.live import Live
from shared.problems import BadValue

router = APIRouter(tags=["plan"])

Looker = Annotated[Person, Depends(require(Permission.SEE_BOARD), scope="function")]
Dispatcher = Annotated[Person, Depends(require(Permission.DISPATCH), scope="function")]

SECONDS_MAX = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWish:
    """`seconds`: how long the scheduler may think (0: the quick plan); without, as the settings say."""

    day: Day
    seconds: int | None = None


@router.post("/api/plan", response_model=PlanOutcome)
async def plan(request: Request, person: Dispatcher, body: PlanWish) -> Response:
    """Plan the open work orders of a day. Answers the figures and what was left out, each with its reason."""
    if body.seconds is not None and not 0 <= body.seconds <= SECONDS_MAX:
        raise BadValue(f"Give the scheduler 0 to {SECONDS_MAX} seconds", field="seconds")
    # The search has a process of its own; the thread only waits for it and books.
    run = partial(
        plan_day, database_of(request), settings_of(request), body.day, seconds=body.seconds, now=utc_now()
    )
    outcome = await run_in_threadpool(run)
    live: Live = request.app.state.live
    live.wake()
    return _json(outcome)


@router.get("/api/plan/routes")
def routes(request: Request, person: Looker, day: Day | None = None) -> Response:
    """The drives of a day as GeoJSON lines, one feature a technician; without `day`, of today."""
    settings = settings_of(request)
    shown = day or utc_now().astimezone(settings.zone).date()
    with database_of(request).read() as session:
        rounds = rounds_of(session, settings, shown)
    # A routing server may be slow: no transaction waits for it.
    return _json(route_lines(rounds, travel_times(settings)), "application/geo+json")


@router.get("/api/work-orders/{work_order_id}/insertions", response_model=Insertions)
def insertions(request: Request, person: Dispatcher, work_order_id: UUID, day: Day | None = None) -> Response:
    """The best three places for a job in the day as it is planned, with whom each delays."""
    return _json(find_insertions(database_of(request), settings_of(request), work_order_id, utc_now(), day))


@router.get("/api/work-orders/{work_order_id}/technicians", response_model=WhoSuits)
def technicians(
    request: Request, person: Dispatcher, work_order_id: UUID, day: Day | None = None
) -> Response:
    """For each technician: could they do it in the day as it is planned, and every rule against it if not."""
    return _json(who_suits(database_of(request), settings_of(request), work_order_id, utc_now(), day))


@router.get("/api/work-orders/{work_order_id}/technicians/{technician_id}", response_model=Suits)
def technician(
    request: Request,
    person: Dispatcher,
    work_order_id: UUID,
    technician_id: UUID,
    planned_start: AwareDatetime | None = None,
    day: Day | None = None,
) -> Response:
    """The same of one technician, from `planned_start` on if given, with what would make it possible."""
    found = suits(
        database_of(request),
        settings_of(request),
        work_order_id,
        technician_id,
        utc_now(),
        planned_start=planned_start,
        day=day,
    )
    return _json(found)


def _json(value: object, media_type: str = "application/json") -> Response:
    return Response(msgspec.json.encode(value), media_type=media_type, headers={"Cache-Control": "no-store"})
