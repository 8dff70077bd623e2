"""Returns to vendors for programs. Refusals are problem+json; every route is the stock keeper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from server.access.guard import database_of, require
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.purchasing import returns
from server.purchasing.returns import Line, RmaState

router = APIRouter(prefix="/api/returns", tags=["returns"])

Keeper = Annotated[Person, Depends(require(Permission.MANAGE_STOCK), scope="function")]
Limit = Annotated[int, Query(ge=1, le=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """`counts`: lines in each state that has any; `lines` are those asked for."""

    counts: Mapping[RmaState, int]
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """`reference`: the vendor's RMA number, where they gave one."""

    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """`outcome`: credited, replaced or rejected."""

    outcome: RmaState
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    note: str = ""


@router.get("")
def get_returns(
    request: Request, person: Keeper, state: RmaState = RmaState.OPEN, limit: Limit = 100
) -> Returns:
    """RMA lines in one state; without `state` those that are to be sent."""
    with database_of(request).read() as session:
        return Returns(counts=returns.counts(session), lines=returns.lines(session, [state], limit))


@router.post("/{line_id}/send", status_code=204)
def send(request: Request, person: Keeper, line_id: UUID, body: Sending) -> Response:
    """The device goes to its vendor and leaves our stock. 409 when it did, or is in use again."""
    with database_of(request).write() as session:
        returns.send(session, line_id, body.reference, by=person.name, at=utc_now())
    return Response(status_code=204)


@router.post("/{line_id}/settle", status_code=204)
def settle(request: Request, person: Keeper, line_id: UUID, body: Settlement) -> Response:
    """Note what the vendor answered. 409 when it was not sent, or is settled."""
    with database_of(request).write() as session:
        returns.settle(session, line_id, body.outcome, body.note, by=person.name, at=utc_now())
    return Response(status_code=204)


@router.post("/{line_id}/withdraw", status_code=204)
def withdraw(request: Request, person: Keeper, line_id: UUID, body: Withdrawal) -> Response:
    """It is not sent after all. 409 when it was."""
    with database_of(request).write() as session:
        returns.withdraw(session, line_id, body.note, by=person.name, at=utc_now())
    return Response(status_code=204)
