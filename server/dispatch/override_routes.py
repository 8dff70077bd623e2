"""What people decided against the plan, over HTTP: the list of a day, the reason afterwards, the release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from server.access.guard import database_of, require, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dependencies import Day
from server.dispatch import overrides
from server.dispatch.overrides import Override, Why

router = APIRouter(tags=["plan"])

Dispatcher = Annotated[Person, Depends(require(Permission.DISPATCH), scope="function")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """`reason`: customer_asked, knows_place, technician_asked, tools_or_parts, urgent, other, or nothing."""

    reason: str = ""
    note: str = ""


@router.get("/api/overrides")
def list_overrides(request: Request, person: Dispatcher, day: Day | None = None) -> list[Override]:
    """What was decided by hand about a day (default: today), newest first, with its reason and cost."""
    shown = day or utc_now().astimezone(settings_of(request).zone).date()
    with database_of(request).read() as session:
        return overrides.of_day(session, shown)


@router.post("/api/overrides/{override_id}/reason")
def give_reason(request: Request, person: Dispatcher, override_id: UUID, body: Reason) -> Override:
    """Say afterwards why."""
    with database_of(request).write() as session:
        overrides.give_reason(session, override_id, Why(reason=body.reason, note=body.note))
        return overrides.opened(session, override_id)


@router.post("/api/overrides/{override_id}/release")
def release(request: Request, person: Dispatcher, override_id: UUID) -> Override:
    """Leave the job to the next plan. 409 when somebody has."""
    with database_of(request).write() as session:
        overrides.release(session, override_id, by=person.name, now=utc_now())
        return overrides.opened(session, override_id)
