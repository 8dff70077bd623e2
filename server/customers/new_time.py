"""The customer moves their visit: pages of plain forms, on the same time slots that the office offers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from sqlalchemy import select
from starlette.responses import HTMLResponse, RedirectResponse, Response

from server.access.guard import database_of, settings_of
from server.clock import utc_now
from server.customers import links
from server.customers.routes import sorry
from server.customers.visit_page import VisitView, view
from server.customers.words import Words, words_for
from server.dispatch import slot_holds
from server.dispatch.slot_holds import Hold
from server.dispatch.time_slots import Slot, Wish, offers
from server.live import Live
from server.web.pages import page
from server.work_orders.models import WorkOrderRow
from shared.problems import AlreadyClosed, ExpiredToken, NoLongerFree, NotFound, Problem

router = APIRouter(include_in_schema=False)

CUSTOMER = "the customer"


@router.get("/visit/{token}/times")
def times(request: Request, token: str) -> Response:
    """What is free, day by day."""
    return _chosen(request, token)


@router.post("/visit/{token}/times")
def choose(
    request: Request, token: str, start: Annotated[str, Form()] = "", end: Annotated[str, Form()] = ""
) -> Response:
    """Hold a slot, and ask once more."""
    try:
        order_id, database, settings = _order(request, token), database_of(request), settings_of(request)
        first, last = _instant(start), _instant(end)
        if first is None or last is None:
            return _back(token)
        # Twice tapped is one hold; who moved the visit elsewhere meanwhile may choose the same slot again.
        key = f"customer {order_id} {_version(request, order_id)} {first:%y%m%d%H%M}"
        wish = Wish(work_order_id=order_id)
        held = slot_holds.hold(database, settings, wish, first, last, utc_now(), key=key, by=CUSTOMER)
    except Problem as problem:
        return _refused(request, token, problem)
    return _asked(request, token, order_id, held)


@router.post("/visit/{token}/times/{hold_id}/confirm")
def confirm(request: Request, token: str, hold_id: UUID) -> Response:
    """The visit is moved; its page says so."""
    try:
        order_id, database, settings = _order(request, token), database_of(request), settings_of(request)
        slot_holds.confirm(database, settings, hold_id, utc_now(), by=CUSTOMER, of=order_id)
    except Problem as problem:
        return _refused(request, token, problem)
    live: Live = request.app.state.live
    live.wake()
    return RedirectResponse(f"/visit/{token}", status_code=303)


@router.post("/visit/{token}/times/{hold_id}/give-back")
def give_back(request: Request, token: str, hold_id: UUID) -> Response:
    """Somebody else may have it; choose again."""
    try:
        slot_holds.give_back(database_of(request), hold_id, utc_now(), of=_order(request, token))
    except Problem as problem:
        return _refused(request, token, problem)
    return _back(token)


def _order(request: Request, token: str) -> UUID:
    return links.read(settings_of(request).secret, token)


def _version(request: Request, order_id: UUID) -> int:
    with database_of(request).read() as session:
        return session.scalar(select(WorkOrderRow.version).where(WorkOrderRow.id == order_id)) or 0


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _back(token: str) -> Response:
    return RedirectResponse(f"/visit/{token}/times", status_code=303)


def _refused(request: Request, token: str, problem: Problem) -> Response:
    """A link that is over says so on the visit's own page; what was just taken is shown with what is free."""
    if isinstance(problem, NoLongerFree):
        return _chosen(request, token, taken=True)
    if isinstance(problem, ExpiredToken | NotFound):
        return sorry(request, 410 if isinstance(problem, ExpiredToken) else 404)
    return RedirectResponse(f"/visit/{token}", status_code=303)


def _view(request: Request, order_id: UUID) -> VisitView:
    settings = settings_of(request)
    with database_of(request).read() as session:
        return view(session, order_id, settings.zone, utc_now(), settings.tax_basis_points)


def _chosen(request: Request, token: str, *, taken: bool = False) -> Response:
    settings = settings_of(request)
    try:
        order_id = _order(request, token)
        found = offers(database_of(request), settings, Wish(work_order_id=order_id), utc_now())
        visit = _view(request, order_id)
    except (AlreadyClosed, NotFound, ExpiredToken) as problem:
        return _refused(request, token, problem)
    words = words_for(visit.language)
    days = _by_day(found.slots, words, request)
    status = 409 if taken else 200
    return page(request, "visit_times.html", status=status, token=token, words=words, days=days, taken=taken)


def _by_day(
    slots: Iterable[Slot], words: Words, request: Request
) -> list[tuple[str, list[tuple[Slot, str]]]]:
    zone = settings_of(request).zone

    def day(slot: Slot) -> str:
        return words.day(slot.start.astimezone(zone))

    ordered = sorted(slots, key=lambda slot: slot.start)
    return [
        (
            name,
            [
                (one, f"{words.time(one.start.astimezone(zone))}–{words.time(one.end.astimezone(zone))}")
                for one in some
            ],
        )
        for name, some in groupby(ordered, day)
    ]


def _asked(request: Request, token: str, order_id: UUID, held: Hold) -> HTMLResponse:
    zone, words = settings_of(request).zone, words_for(_view(request, order_id).language)
    window = words.span(held.start.astimezone(zone), held.end.astimezone(zone))
    kept = words.kept.format(window=window, time=words.time(held.expires_at.astimezone(zone)))
    return page(request, "visit_keep.html", token=token, words=words, kept=kept, hold=held)
