"""The inbox for programs. Every refusal is problem+json; every act needs the dispatcher's permission."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from server.access.guard import database_of, require, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dispatch.board_routes import wake
from server.inbox import acts
from server.inbox.acts import Ruled, VisitRuled
from server.inbox.asks import Ask, asks, open_counts
from server.inbox.booking import Way
from server.inbox.proposals import Proposal
from server.inbox.settling import Settled, settle
from server.inbox.visits import Detail
from server.inbox.visits import detail as detail_of
from server.inbox.waiting import HeldLine, Narrowed, OpenCounts, Show, State, lines
from sync.protocol import encode

router = APIRouter(prefix="/api/inbox", tags=["inbox"])

Dispatcher = Annotated[Person, Depends(require(Permission.DISPATCH), scope="function")]
Slug = Annotated[str | None, Query(pattern=r"^[a-z-]{1,60}$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One page of held commands, and of questions that booked work raised; `counts`: all that is open."""

    counts: OpenCounts
    items: tuple[HeldLine, ...]
    asks: tuple[Ask, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """`way`: "reopen" first gives the job to who did the work, "report" keeps it beside what stands."""

    way: Way = "as_it_is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """`body`: the whole command as it should have been; `type` where that was wrong too."""

    body: dict[str, Any] = field(default_factory=dict)
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismissal:
    """`reason`: a sentence that the technician reads."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`base`: for a contact, the value that stood there when it was decided. `note`: kept on record."""

    outcome: Proposal
    note: str = ""
    base: str | None = None


def _json(value: object) -> Response:
    return Response(encode(value), media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get("", response_model=Held)
def get_held(
    request: Request,
    person: Dispatcher,
    state: State = "open",
    show: Show = "all",
    technician: UUID | None = None,
    reason: Slug = None,
    work_order: UUID | None = None,
    overdue: bool = False,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Held commands and questions, the oldest first; with `state=decided` what was decided last comes first.

    `show=held` or `show=asks` leaves the others out; `limit` and `offset` are about each list by itself.
    """
    now, zone = utc_now(), settings_of(request).zone
    narrowed: Narrowed = {
        "state": state,
        "technician_id": technician,
        "reason": reason,
        "work_order_id": work_order,
        "overdue": overdue,
        "limit": limit,
        "offset": offset,
    }
    with database_of(request).read() as session:
        held = lines(session, now, **narrowed) if show != "asks" else []
        asked = asks(session, zone, now, **narrowed) if show != "held" else []
        return _json(Held(counts=open_counts(session, now), items=tuple(held), asks=tuple(asked)))


@router.get("/counts", response_model=OpenCounts)
def get_counts(request: Request, person: Dispatcher) -> Response:
    """How many are open, how many of them for more than four hours, and since when the oldest."""
    with database_of(request).read() as session:
        return _json(open_counts(session, utc_now()))


@router.post("/asks/{ask_id}")
def answer(request: Request, person: Dispatcher, ask_id: UUID, body: Answer) -> Settled:
    """Answer a question, once: take the value, cancel the other order, or say that it has been seen to."""
    settled = settle(
        database_of(request),
        settings_of(request),
        ask_id,
        person.name,
        body.outcome,
        note=body.note,
        base=body.base,
    )
    wake(request)
    return settled


@router.get("/{command_id}", response_model=Detail)
def get_detail(request: Request, person: Dispatcher, command_id: UUID) -> Response:
    """One held command with both values, what may be done about it, and the rest of its visit."""
    zone = settings_of(request).zone
    with database_of(request).read() as session:
        return _json(detail_of(session, command_id, zone, utc_now()))


@router.post("/{command_id}/accept")
def accept(request: Request, person: Dispatcher, command_id: UUID, body: Acceptance) -> Ruled:
    """Book it as it came. 409 or 422 with a sentence when the rules still forbid it: nothing moved then."""
    ruled = acts.accept(database_of(request), settings_of(request), command_id, person.name, way=body.way)
    wake(request)
    return ruled


@router.post("/{command_id}/accept-visit")
def accept_visit(request: Request, person: Dispatcher, command_id: UUID, body: Acceptance) -> VisitRuled:
    """Book all that is held of the same visit, in order; it stops at the first that still does not fit."""
    ruled = acts.accept_visit(
        database_of(request), settings_of(request), command_id, person.name, way=body.way
    )
    wake(request)
    return ruled


@router.post("/{command_id}/correct")
def correct(request: Request, person: Dispatcher, command_id: UUID, body: Correction) -> Ruled:
    """Book `body` in its place. 422 names the field that is still wrong."""
    ruled = acts.correct(
        database_of(request), settings_of(request), command_id, person.name, body.body, body.type
    )
    wake(request)
    return ruled


@router.post("/{command_id}/call-out")
def call_out(request: Request, person: Dispatcher, command_id: UUID) -> list[Ruled]:
    """Bill the call-out of this visit and set aside what is held of it."""
    ruled = acts.call_out_fee(database_of(request), settings_of(request), command_id, person.name)
    wake(request)
    return ruled


@router.post("/{command_id}/dismiss")
def dismiss(request: Request, person: Dispatcher, command_id: UUID, body: Dismissal) -> Ruled:
    """Set it aside with a reason; nothing is booked."""
    ruled = acts.dismiss(database_of(request), command_id, person.name, body.reason)
    wake(request)
    return ruled


@router.post("/{command_id}/dismiss-visit")
def dismiss_visit(request: Request, person: Dispatcher, command_id: UUID, body: Dismissal) -> list[Ruled]:
    """Set aside all that is held of the same visit."""
    ruled = acts.dismiss_visit(database_of(request), command_id, person.name, body.reason)
    wake(request)
    return ruled
