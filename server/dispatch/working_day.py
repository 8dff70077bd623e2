"""The page "Working day": how long visits of each kind take and what of that is setting up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Form, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from server.access.guard import database_of, require, require_page
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.web.pages import page
from server.work_orders import kinds
from server.work_orders.kinds import KindTimes
from shared.problems import BadValue, Problem
from shared.work_orders import WorkOrderKind

router = APIRouter(tags=["plan"])

Looker = Annotated[Person, Depends(require(Permission.SEE_BOARD), scope="function")]
Setter = Annotated[Person, Depends(require(Permission.SET_POLICY), scope="function")]
PageSetter = Annotated[Person, Depends(require_page(Permission.SET_POLICY), scope="function")]
Texts = Annotated[list[str], Form()]
NOBODY_SAID: list[str] = []

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

    minutes: int
    setup_minutes: int = 0


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

    return _done(request, person, write, "kinds")


def _kind(text: str) -> WorkOrderKind:
    if text not in set(WorkOrderKind):
        raise BadValue("There is no such kind of work order", field="kind")
    return WorkOrderKind(text)


def _whole(text: str, what: str) -> int:
    if not (text.strip().isascii() and text.strip().isdecimal() and len(text) <= 6):
        raise BadValue(f"{what}: write a whole number")
    return int(text)


def _done(request: Request, person: Person, write: Any, where: str) -> Response:
    """The page again: as it is by now, or with the sentence why not."""
    try:
        write()
    except Problem as problem:
        return _page(request, person, status=problem.status, said=problem.detail, at=where)
    return RedirectResponse(f"/working-day?saved={where}#{where}", status_code=303)


def _page(
    request: Request, person: Person, *, status: int = 200, said: str = "", at: str = ""
) -> HTMLResponse:
    with database_of(request).read() as session:
        times = kinds.times(session)
    return page(
        request,
        "working_day.html",
        status=status,
        person=person,
        here="working-day",
        said=said,
        at=at,
        saved=request.query_params.get("saved", ""),
        kinds=[(one, KIND_WORDS[one.kind]) for one in times.values()],
    )
