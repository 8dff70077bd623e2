"""The page "Working day": how long visits of each kind take, when people have their breaks, the traffic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, RedirectResponse

from server.access.guard import database_of, require, require_page
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dispatch import traffic
from server.dispatch.breaks import Break, breaks_of, checked, in_the_shift, to_json
from server.dispatch.models import TechnicianRow
from server.dispatch.traffic import HOURS, Traffic
from server.web.pages import page
from server.work_orders import kinds
from server.work_orders.kinds import KindTimes
from shared.problems import BadValue, NotFound, Problem
from shared.work_orders import WorkOrderKind

router = APIRouter(tags=["plan"])

Looker = Annotated[Person, Depends(require(Permission.SEE_BOARD), scope="function")]
Setter = Annotated[Person, Depends(require(Permission.SET_POLICY), scope="function")]
PageSetter = Annotated[Person, Depends(require_page(Permission.SET_POLICY), scope="function")]
Texts = Annotated[list[str], Form()]
Whole = Annotated[int, Field(strict=True)]
NOBODY_SAID: list[str] = []
BREAK_LINES = 3
"""So many breaks a form has; the interface takes one more."""

KIND_WORDS = {
    WorkOrderKind.INSTALL: "Install",
    WorkOrderKind.UPGRADE: "Upgrade",
    WorkOrderKind.REPAIR: "Repair",
    WorkOrderKind.SWAP: "Swap",
    WorkOrderKind.DISCONNECT: "Disconnect",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """`minutes`: all of the time on site; `setup_minutes`: how much of it visits at one address share."""

    minutes: Whole
    setup_minutes: Whole = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaks:
    """All breaks of a shift beside lunch."""

    breaks: list[Break]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficChange:
    """after: the version looked at. factors: 24, one an hour of the local day; 1.5 is half as long again."""

    after: Whole
    factors: Annotated[list[Annotated[float, Field(strict=True)]], Field(min_length=24, max_length=24)]


# --- over HTTP ----------------------------------------------------------------------------------------------


@router.get("/api/kinds", response_model=list[KindTimes])
def list_kinds(request: Request, person: Looker) -> Response:
    """How long a visit of each kind takes, and how much of that is setting up."""
    with database_of(request).read() as session:
        return _json(list(kinds.times(session).values()))


@router.post("/api/kinds/{kind}", response_model=KindTimes)
def change_kind(request: Request, person: Setter, kind: WorkOrderKind, body: Minutes) -> Response:
    """For new orders and the next plans; orders that are there keep their minutes."""
    wanted = KindTimes(kind=kind, minutes=body.minutes, setup_minutes=body.setup_minutes)
    with database_of(request).write() as session:
        return _json(kinds.change(session, wanted, by=person.name, now=utc_now()))


@router.post("/api/technicians/{technician_id}/breaks", response_model=Breaks)
def change_breaks(request: Request, person: Setter, technician_id: UUID, body: Breaks) -> Response:
    """The breaks of somebody's shift, from the next plan on; those before are replaced."""
    with database_of(request).write() as session:
        row = _technician(session, technician_id)
        row.breaks = to_json(checked(row, body.breaks))
        return _json(Breaks(breaks=list(breaks_of(row))))


@router.get("/api/traffic", response_model=Traffic)
def get_traffic(request: Request, person: Looker) -> Response:
    """How many times as long a drive takes in each hour of the day."""
    with database_of(request).read() as session:
        return _json(traffic.in_force(session))


@router.post("/api/traffic", response_model=Traffic)
def change_traffic(request: Request, person: Setter, body: TrafficChange) -> Response:
    """Put other hours in force, from the next plan on. 409 when somebody else has meanwhile."""
    with database_of(request).write() as session:
        made = traffic.change(session, after=body.after, factors=body.factors, by=person.name, now=utc_now())
        return _json(made)


def _technician(session: Session, technician_id: UUID) -> TechnicianRow:
    row = session.get(TechnicianRow, technician_id, with_for_update=True)
    if row is None or not row.active:
        raise NotFound("There is no such technician", field="technician_id")
    return row


def _json(value: Any) -> Response:
    return Response(
        msgspec.json.encode(value), media_type="application/json", headers={"Cache-Control": "no-store"}
    )


# --- the page -----------------------------------------------------------------------------------------------


@router.get("/working-day", include_in_schema=False)
def working_day_page(request: Request, person: PageSetter) -> HTMLResponse:
    return _page(request, person)


@router.post("/working-day/kinds", include_in_schema=False)
def set_kinds(
    request: Request,
    person: PageSetter,
    kind: Texts = NOBODY_SAID,
    minutes: Texts = NOBODY_SAID,
    setup: Texts = NOBODY_SAID,
) -> Response:
    """All kinds of the form, or none of them."""

    def write() -> None:
        with database_of(request).write() as session:
            for one, length, share in zip(kind, minutes, setup, strict=False):
                wanted = KindTimes(
                    kind=_kind(one),
                    minutes=_whole(length, f"Minutes of {one}"),
                    setup_minutes=_whole(share or "0", f"Setting up of {one}"),
                )
                if wanted != kinds.times(session)[wanted.kind]:
                    kinds.change(session, wanted, by=person.name, now=utc_now())

    typed = Typed(kinds={one: (a, b) for one, a, b in zip(kind, minutes, setup, strict=False)})
    return _done(request, person, write, "kinds", typed)


@router.post("/working-day/breaks", include_in_schema=False)
def set_breaks(
    request: Request,
    person: PageSetter,
    who: Texts = NOBODY_SAID,
    begins: Texts = NOBODY_SAID,
    ends: Texts = NOBODY_SAID,
    minutes: Texts = NOBODY_SAID,
) -> Response:
    """The breaks of those who are ticked; a line without minutes is no break."""

    def write() -> None:
        if not who:
            raise BadValue("Choose whose breaks these are", field="who")
        wanted = [
            Break(
                from_minute=_clock(begin),
                until_minute=_clock(end or begin),
                minutes=_whole(length, "Minutes of a break"),
            )
            for begin, end, length in zip(begins, ends, minutes, strict=False)
            if length.strip() or begin
        ]
        with database_of(request).write() as session:
            for one in who:
                row = _technician(session, _id(one))
                row.breaks = to_json(checked(row, [in_the_shift(row, two) for two in wanted]))

    typed = Typed(who=frozenset(who), breaks=list(zip(begins, ends, minutes, strict=False)))
    return _done(request, person, write, "breaks", typed)


@router.post("/working-day/traffic", include_in_schema=False)
def set_traffic(
    request: Request, person: PageSetter, after: Annotated[str, Form()] = "0", factor: Texts = NOBODY_SAID
) -> Response:
    def write() -> None:
        if len(factor) != HOURS:
            raise BadValue(f"There are {HOURS} hours, each with a factor", field="factor")
        factors = [_factor(text, hour) for hour, text in enumerate(factor)]
        with database_of(request).write() as session:
            traffic.change(
                session, after=_whole(after, "The version"), factors=factors, by=person.name, now=utc_now()
            )

    return _done(request, person, write, "traffic", Typed(factors=factor))


def _factor(text: str, hour: int) -> float:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError as error:
        raise BadValue(f"{hour:02}:00: write a number like 1.4", field="factor") from error


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadValue("Choose one of the list", field="who") from error


def _clock(text: str) -> int:
    """Minutes after midnight of "14:05"."""
    hours, _, minutes = text.partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60):
        raise BadValue("A time is written 14:05", field="breaks")
    return int(hours) * 60 + int(minutes)


def _kind(text: str) -> WorkOrderKind:
    if text not in set(WorkOrderKind):
        raise BadValue("There is no such kind of work order", field="kind")
    return WorkOrderKind(text)


def _whole(text: str, what: str) -> int:
    if not (text.strip().isascii() and text.strip().isdecimal() and len(text) <= 6):
        raise BadValue(f"{what}: write a whole number")
    return int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What was typed and refused: nobody types it twice."""

    kinds: dict[str, tuple[str, str]] = field(default_factory=dict)
    who: frozenset[str] = frozenset()
    breaks: list[tuple[str, str, str]] = field(default_factory=list)
    factors: list[str] = field(default_factory=list)


NOTHING = Typed()


def _done(request: Request, person: Person, write: Callable[[], None], where: str, typed: Typed) -> Response:
    """The page again: as it is by now, or with the sentence why not."""
    try:
        write()
    except Problem as problem:
        return _page(request, person, status=problem.status, said=problem.detail, at=where, typed=typed)
    return RedirectResponse(f"/working-day?saved={where}#{where}", status_code=303)


def _as_typed(one: KindTimes) -> tuple[str, str]:
    return str(one.minutes), str(one.setup_minutes)


def _page(
    request: Request,
    person: Person,
    *,
    status: int = 200,
    said: str = "",
    at: str = "",
    typed: Typed = NOTHING,
) -> HTMLResponse:
    with database_of(request).read() as session:
        times = kinds.times(session)
        query = select(TechnicianRow).where(TechnicianRow.active).order_by(TechnicianRow.name)
        people = [(row, breaks_of(row)) for row in session.scalars(query)]
        hours = traffic.in_force(session)
    return page(
        request,
        "working_day.html",
        status=status,
        person=person,
        here="working-day",
        said=said,
        at=at,
        saved=request.query_params.get("saved", ""),
        people=people,
        ticked=typed.who,
        hours=hours,
        factors=typed.factors or [f"{one:g}" for one in hours.factors],
        lines=[*typed.breaks, *[("", "", "")] * BREAK_LINES][:BREAK_LINES],
        kinds=[
            (one.kind.value, KIND_WORDS[one.kind], *typed.kinds.get(one.kind.value, _as_typed(one)))
            for one in times.values()
        ],
    )
