"""Time slots over HTTP, for who talks with a customer: what can be kept, hold it, confirm it."""

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
from server.dispatch import slot_holds
from server.dispatch.slot_holds import Booked, Hold
from server.dispatch.time_slots import DAYS, Offers, Wish, offers
from server.live import Live
from server.work_orders.intake import CustomerOrder

router = APIRouter(tags=["time slots"])

OrderTaker = Annotated[Person, Depends(require(Permission.TAKE_ORDERS), scope="function")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotQuestion:
    """For a work order that is there, or for an order as it would be placed. `first`: today when missing."""

    work_order_id: UUID | None = None
    order: CustomerOrder | None = None
    first: Day | None = None
    days: int = DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotWish:
    """`key`: of the caller's making; the same request again is the same hold."""

    key: str
    start: AwareDatetime
    end: AwareDatetime
    work_order_id: UUID | None = None
    order: CustomerOrder | None = None


@router.post("/api/slots", response_model=Offers)
def find_slots(request: Request, person: OrderTaker, body: SlotQuestion) -> Response:
    """Windows that can be kept as the days are planned and promised, the cheapest first."""
    wish = Wish(work_order_id=body.work_order_id, order=body.order)
    found = offers(
        database_of(request), settings_of(request), wish, utc_now(), first=body.first, days=body.days
    )
    return _json(found)


@router.post("/api/slots/holds", status_code=201, response_model=Hold)
def hold_slot(request: Request, person: OrderTaker, body: SlotWish) -> Response:
    """Keep a window free for five minutes. 409 with the nearest alternatives when it is not free any more."""
    held = slot_holds.hold(
        database_of(request),
        settings_of(request),
        Wish(work_order_id=body.work_order_id, order=body.order),
        body.start,
        body.end,
        utc_now(),
        key=f"office {person.id} {body.key}" if body.key else "",
        by=person.name,
    )
    return _json(held, 201)


@router.post("/api/slots/holds/{hold_id}/confirm", response_model=Booked)
def confirm_slot(request: Request, person: OrderTaker, hold_id: UUID) -> Response:
    """The order gets its window. 409 when the hold has run out."""
    booked = slot_holds.confirm(
        database_of(request), settings_of(request), hold_id, utc_now(), by=person.name
    )
    _wake(request)
    return _json(booked)


@router.post("/api/slots/holds/{hold_id}/give-back", status_code=204)
def give_back_slot(request: Request, person: OrderTaker, hold_id: UUID) -> None:
    """Somebody else may have it at once."""
    slot_holds.give_back(database_of(request), hold_id, utc_now())


def _wake(request: Request) -> None:
    live: Live = request.app.state.live
    live.wake()


def _json(value: object, status: int = 200) -> Response:
    return Response(
        msgspec.json.encode(value),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
