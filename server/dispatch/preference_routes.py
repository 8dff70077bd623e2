"""When a customer would like the visit, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime

from server.access.guard import database_of, require
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dispatch import preferences
from server.dispatch.board_routes import wake

router = APIRouter(tags=["dispatch"])

Dispatcher = Annotated[Person, Depends(require(Permission.DISPATCH), scope="function")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferredTime:
    """Both ends, or neither: then no time is preferred any more."""

    start: AwareDatetime | None = None
    end: AwareDatetime | None = None


@router.post("/api/work-orders/{work_order_id}/prefer", status_code=204)
def prefer(request: Request, person: Dispatcher, work_order_id: UUID, body: PreferredTime) -> None:
    """Say when the customer would like the visit. It is no promise: plans weigh it by the policy's price."""
    with database_of(request).write() as session:
        preferences.prefer(session, work_order_id, body.start, body.end, by=person.name, now=utc_now())
    wake(request)
