"""The page "Inbox": the same acts by form, answered with the page as it is afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from server.access.guard import database_of, require_page, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dispatch.board_routes import wake
from server.inbox import acts
from server.inbox.asks import Ask, asked_reasons, asks, by_job, open_counts
from server.inbox.booking import Way
from server.inbox.edits import body_of
from server.inbox.proposals import OFFERS, Proposal
from server.inbox.settling import IN_WORDS, settle
from server.inbox.visits import detail, visits
from server.inbox.waiting import TITLES, HeldLine, Narrowed, Show, State, lines, reasons, senders
from server.stock import part_requests
from server.stock.products import products
from server.stock.transfers import one_sided
from server.web.pages import page
from shared.conflicts import conflict_of
from shared.problems import Problem

router = APIRouter(include_in_schema=False)

Dispatcher = Annotated[Person, Depends(require_page(Permission.DISPATCH), scope="function")]
Text = Annotated[str, Form()]
WayForm = Annotated[Way, Form()]
OutcomeForm = Annotated[Proposal, Form()]

SHOWN = 200
"""Commands a page: some thirty visits. The oldest come first, so the rest follows as they are decided."""

SAID = {
    "accepted": "Booked, as it was done. The technician reads it at the next contact.",
    "corrected": "Corrected and booked. The technician reads it at the next contact.",
    "dismissed": "Set aside. The technician reads your reason at the next contact.",
}


_SHOWS: dict[str, Show] = {"held": "held", "asks": "asks"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the page shows; it stays in the address, so that an act keeps it."""

    state: State = "open"
    show: Show = "all"
    technician: UUID | None = None
    reason: str | None = None
    order: UUID | None = None
    overdue: bool = False

    @classmethod
    def of(cls, request: Request) -> Filters:
        """From the address. What can't be read there filters nothing."""
        said = request.query_params
        reason = said.get("reason", "")
        return cls(
            state="decided" if said.get("state") == "decided" else "open",
            show=_SHOWS.get(said.get("show", ""), "all"),
            technician=_uuid(said.get("technician", "")),
            reason=reason if reason in TITLES or conflict_of(reason, held=False) else None,
            order=_uuid(said.get("order", "")),
            overdue=said.get("overdue") in ("1", "yes", "true", "on"),
        )

    @property
    def query(self) -> str:
        chosen = {
            "state": self.state if self.state != "open" else None,
            "show": self.show if self.show != "all" else None,
            "technician": self.technician,
            "reason": self.reason,
            "order": self.order,
            "overdue": "yes" if self.overdue else None,
        }
        return urlencode({name: value for name, value in chosen.items() if value})


@router.get("/inbox")
def inbox_page(request: Request, person: Dispatcher) -> HTMLResponse:
    return _inbox(request, person)


@router.get("/inbox/{command_id}")
def item_page(request: Request, person: Dispatcher, command_id: UUID) -> HTMLResponse:
    return _item(request, person, command_id)


@router.post("/inbox/{command_id}/accept")
def accept(
    request: Request, person: Dispatcher, command_id: UUID, way: WayForm = "as_it_is", back: Text = ""
) -> HTMLResponse:
    def act() -> str:
        ruled = acts.accept(database_of(request), settings_of(request), command_id, person.name, way=way)
        return " ".join([SAID[ruled.resolution], *ruled.remarks])

    return _answer(request, person, command_id, back, act)


@router.post("/inbox/{command_id}/accept-visit")
def accept_visit(
    request: Request, person: Dispatcher, command_id: UUID, way: WayForm = "as_it_is", back: Text = ""
) -> HTMLResponse:
    def act() -> str:
        done = acts.accept_visit(database_of(request), settings_of(request), command_id, person.name, way=way)
        if done.stopped_at is None:
            return (
                f"All {len(done.booked)} booked, as they were done." if done.booked else "Nothing was open."
            )
        return f"{len(done.booked)} booked, {done.left} left. The next one does not fit yet: {done.why}"

    return _answer(request, person, command_id, back, act)


@router.post("/inbox/{command_id}/correct")
async def correct(request: Request, person: Dispatcher, command_id: UUID) -> HTMLResponse:
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    return await run_in_threadpool(_correct, request, person, command_id, form)


def _correct(request: Request, person: Person, command_id: UUID, form: dict[str, str]) -> HTMLResponse:
    def act() -> str:
        with database_of(request).read() as session:
            kind, body = body_of(acts.held_row(session, command_id), form)
        ruled = acts.correct(database_of(request), settings_of(request), command_id, person.name, body, kind)
        return " ".join([f"Corrected {ruled.detail}, and booked.", *ruled.remarks])

    return _answer(request, person, command_id, form.get("back", ""), act)


@router.post("/inbox/{command_id}/call-out")
def call_out(request: Request, person: Dispatcher, command_id: UUID, back: Text = "") -> HTMLResponse:
    def act() -> str:
        acts.call_out_fee(database_of(request), settings_of(request), command_id, person.name)
        return "The call-out is billed, and the visit set aside."

    return _answer(request, person, command_id, back, act)


@router.post("/inbox/{command_id}/dismiss")
def dismiss(
    request: Request, person: Dispatcher, command_id: UUID, reason: Text = "", back: Text = ""
) -> HTMLResponse:
    def act() -> str:
        return SAID[acts.dismiss(database_of(request), command_id, person.name, reason).resolution]

    return _answer(request, person, command_id, back, act)


@router.post("/inbox/{command_id}/dismiss-visit")
def dismiss_visit(
    request: Request, person: Dispatcher, command_id: UUID, reason: Text = "", back: Text = ""
) -> HTMLResponse:
    def act() -> str:
        done = acts.dismiss_visit(database_of(request), command_id, person.name, reason)
        return f"{len(done)} set aside. The technician reads your reason at the next contact."

    return _answer(request, person, command_id, back, act)


@router.post("/inbox/asks/{ask_id}")
def answer(
    request: Request,
    person: Dispatcher,
    ask_id: UUID,
    outcome: OutcomeForm,
    note: Text = "",
    base: Annotated[str | None, Form()] = None,
) -> HTMLResponse:
    def act() -> str:
        settle(database_of(request), settings_of(request), ask_id, person.name, outcome, note=note, base=base)
        return f"On record: you {IN_WORDS[outcome]}."

    return _answer(request, person, ask_id, "", act)


def _answer(
    request: Request, person: Person, command_id: UUID, back: str, act: Callable[[], str]
) -> HTMLResponse:
    """Do it and show the page again, with a sentence: what was done, or why nothing was."""
    said, refused, status = "", "", 200
    try:
        said = act()
        wake(request)
    except Problem as problem:
        refused, status = problem.detail, problem.status
    if back == "item":
        return _item(request, person, command_id, said=said, refused=refused, status=status)
    return _inbox(request, person, said=said, refused=refused, status=status)


def _inbox(
    request: Request,
    person: Person,
    *,
    said: str = "",
    refused: str = "",
    status: int = 200,
) -> HTMLResponse:
    filters, now, zone = Filters.of(request), utc_now(), settings_of(request).zone
    with database_of(request).read() as session:
        counts = open_counts(session, now)
        narrowed: Narrowed = {
            "state": filters.state,
            "technician_id": filters.technician,
            "reason": filters.reason,
            "work_order_id": filters.order,
            "overdue": filters.overdue,
            "limit": SHOWN,
            "offset": 0,
        }
        found = lines(session, now, **narrowed) if filters.show != "asks" else []
        asked = asks(session, zone, now, **narrowed) if filters.show != "held" else []
        open_ = filters.state == "open"
        shown = visits(session, found, zone, now) if open_ else []
        known_reasons = [*reasons(session), *asked_reasons(session)]
        people = senders(session)
        alone = one_sided(session, now) if open_ else []
        wanted = part_requests.waiting(session) if open_ else []
        names = products(session, {one.sku for one in wanted}) if wanted else {}
    decided: list[HeldLine | Ask] = [] if open_ else [*found, *asked]
    decided.sort(key=_decided_at, reverse=True)
    return page(
        request,
        "inbox.html",
        again=OFFERS[Proposal.TRY_AGAIN],
        status=status,
        person=person,
        here="inbox",
        counts=counts,
        visits=shown,
        questions=by_job(asked) if open_ else [],
        alone=alone,
        wanted=wanted,
        names=names,
        decided=decided,
        did=IN_WORDS,
        reasons=known_reasons,
        technicians=people,
        filters=filters,
        said=said,
        refused=refused,
        zone=zone,
        now=now,
    )


def _item(
    request: Request,
    person: Person,
    command_id: UUID,
    *,
    said: str = "",
    refused: str = "",
    status: int = 200,
) -> HTMLResponse:
    now, zone = utc_now(), settings_of(request).zone
    with database_of(request).read() as session:
        found = detail(session, command_id, zone, now)
        counts = open_counts(session, now)
    return page(
        request,
        "inbox_item.html",
        filters=Filters(),
        status=status,
        person=person,
        here="inbox",
        counts=counts,
        detail=found,
        said=said,
        refused=refused,
        zone=zone,
        now=now,
    )


def _decided_at(one: HeldLine | Ask) -> datetime:
    at = one.done_at if isinstance(one, Ask) else one.resolved_at
    assert at is not None, "only what was decided is sorted so"
    return at


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
