"""What if, over HTTP: try a day with changes, set what came out beside the plan in force, apply it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from server.access.guard import database_of, require, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dependencies import Day
from server.dispatch import saved_plans
from server.dispatch.applying import Applied, apply_saved
from server.dispatch.board_routes import wake
from server.dispatch.plan_routes import SECONDS_MAX
from server.dispatch.saved_plans import SavedPlan, SideBySide
from server.dispatch.thinking import Effort
from server.dispatch.what_if import Change

router = APIRouter(tags=["plan"])

Dispatcher = Annotated[Person, Depends(require(Permission.DISPATCH), scope="function")]

ROUNDS_MAX = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The changes, and how long the scheduler may think: `seconds` (0: the quick plan) or so many `rounds`,
    which give the same plan each time."""

    day: Day
    name: str
    changes: tuple[Change, ...] = ()
    seconds: Annotated[int, Field(ge=0, le=SECONDS_MAX)] = 10
    rounds: Annotated[int, Field(ge=1, le=ROUNDS_MAX)] | None = None
    seed: Annotated[int, Field(ge=0, le=1_000_000)] = 0


@router.post("/api/what-if", status_code=201)
async def try_out(request: Request, person: Dispatcher, body: WhatIf) -> SavedPlan:
    """Plan a day with changes and keep what comes out. Nothing of the day itself moves."""
    effort = Effort(seconds=body.seconds, rounds=body.rounds, seed=body.seed)
    run = partial(
        saved_plans.save,
        database_of(request),
        settings_of(request),
        body.day,
        body.name,
        body.changes,
        effort,
        by=person.name,
        now=utc_now(),
    )
    return await run_in_threadpool(run)


@router.get("/api/what-if")
def list_saved(request: Request, person: Dispatcher, day: Day | None = None) -> list[SavedPlan]:
    """The saved plans of a day (default: today), newest first."""
    shown = day or utc_now().astimezone(settings_of(request).zone).date()
    with database_of(request).read() as session:
        return saved_plans.saved(session, shown)


@router.get("/api/what-if/compare")
def compare(
    request: Request,
    person: Dispatcher,
    day: Day | None = None,
    plan: Annotated[list[UUID] | None, Query()] = None,
) -> SideBySide:
    """The plan in force and the saved plans that are named, side by side."""
    settings, now = settings_of(request), utc_now()
    shown = day or now.astimezone(settings.zone).date()
    return saved_plans.compare(database_of(request), settings, shown, plan or [], now)


@router.get("/api/what-if/{saved_plan_id}")
def open_saved(request: Request, person: Dispatcher, saved_plan_id: UUID) -> SavedPlan:
    """One saved plan; `record_id` leads to what it was made of."""
    with database_of(request).read() as session:
        return saved_plans.opened(session, saved_plan_id)


@router.post("/api/what-if/{saved_plan_id}/apply")
def apply(request: Request, person: Dispatcher, saved_plan_id: UUID) -> Applied:
    """Book what still can be of a saved plan, in one transaction, and say what became of each move.

    409 when it was applied before.
    """
    applied = apply_saved(
        database_of(request), settings_of(request), saved_plan_id, by=person.name, now=utc_now()
    )
    wake(request)
    return applied


@router.post("/api/what-if/{saved_plan_id}/delete", status_code=204)
def delete(request: Request, person: Dispatcher, saved_plan_id: UUID) -> None:
    """Forget a saved plan. What was applied from it stays."""
    with database_of(request).write() as session:
        saved_plans.delete(session, saved_plan_id)
