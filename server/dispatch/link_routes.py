"""Links between work orders over HTTP: begin together, or one after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from server.access.guard import database_of, require
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dispatch import link_rows
from server.dispatch.board_routes import wake
from server.dispatch.link_rows import GAP_MAX, NewLink
from server.dispatch.links import Kind

router = APIRouter(tags=["dispatch"])

Dispatcher = Annotated[Person, Depends(require(Permission.DISPATCH), scope="function")]
Minutes = Annotated[int, Field(strict=True, ge=0, le=GAP_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWanted:
    """`number`: the order to begin with ("together") or to wait for ("after"); minutes from its end on."""

    kind: Kind
    number: Annotated[str, Field(min_length=1, max_length=60)]
    gap_minutes: Minutes = 0
    gap_most_minutes: Minutes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMade:
    id: UUID


@router.post("/api/work-orders/{work_order_id}/links", status_code=201)
def link(request: Request, person: Dispatcher, work_order_id: UUID, body: LinkWanted) -> LinkMade:
    """Plan two orders together, or one after the other. 409 with a sentence where that can't be."""
    wanted = NewLink(
        kind=body.kind, number=body.number, gap_least=body.gap_minutes, gap_most=body.gap_most_minutes
    )
    with database_of(request).write() as session:
        made = link_rows.make(session, work_order_id, wanted, by=person.name, now=utc_now())
    wake(request)
    return LinkMade(id=made)


@router.post("/api/work-orders/{work_order_id}/links/{link_id}/remove", status_code=204)
def unlink(request: Request, person: Dispatcher, work_order_id: UUID, link_id: UUID) -> None:
    """The two don't depend on each other any more."""
    with database_of(request).write() as session:
        link_rows.remove(session, work_order_id, link_id, by=person.name, now=utc_now())
    wake(request)
