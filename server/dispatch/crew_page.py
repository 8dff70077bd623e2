"""The pages "Technicians": what plans know of each, changed by hand, and the booked visits that it hits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, RedirectResponse

from server.access.guard import database_of, require_page, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dispatch import absences, crew, policy, technician_changes
from server.dispatch.absences import Reason
from server.dispatch.board_routes import wake
from server.dispatch.policy_words import money
from server.web.pages import page
from shared.problems import BadValue, NotFound, Problem

router = APIRouter(include_in_schema=False)

Dispatcher = Annotated[Person, Depends(require_page(Permission.DISPATCH), scope="function")]
Text = Annotated[str, Form()]
Texts = Annotated[list[str], Form()]

FIELDS = ("starts", "ends", "reason", "skill", "minutes")
"""What is typed, and shown again when it is refused."""


@router.get("/technicians")
def technicians_page(request: Request, person: Dispatcher) -> HTMLResponse:
    settings, now = settings_of(request), utc_now()
    with database_of(request).read() as session:
        members = crew.crew(session, settings.zone, now)
        price = policy.policy_in_force(session).weights
    warned = [(one, certificate) for one in members for certificate in one.warnings]
    return page(
        request,
        "technicians.html",
        person=person,
        here="technicians",
        members=members,
        warned=sorted(warned, key=lambda pair: (pair[1].until or date.max, pair[0].row.name)),
        days=crew.SOON.days,
        overtime_price=money(price.overtime_hour),
        territory_price=money(price.other_territory),
        reasons=absences.WORDS,
        now=now,
        zone=settings.zone,
    )


@router.get("/technicians/{technician_id}")
def technician_page(
    request: Request, person: Dispatcher, technician_id: UUID, done: str = ""
) -> HTMLResponse:
    """`done`: the section that was just changed."""
    return _page(request, person, technician_id, section=done)


@router.post("/technicians/{technician_id}/absences")
def away(
    request: Request,
    person: Dispatcher,
    technician_id: UUID,
    starts: Text = "",
    ends: Text = "",
    reason: Text = "sick",
) -> Response:
    """Away from `starts` to `ends` by the clock on the wall; without, from now and to the end of that day."""
    now, zone = utc_now(), settings_of(request).zone

    def note(session: Session) -> None:
        start = _wall(starts, "From", zone) if starts else now
        local = start.astimezone(zone)
        midnight = datetime.combine(local.date() + timedelta(days=1), time(), zone)
        end = _wall(ends, "Until", zone) if ends else midnight
        why = next((one for one in Reason if one == reason), None)
        if why is None:
            raise BadValue("Why: choose one of the list", field="reason")
        absences.note(session, technician_id, start, end, why, by=person.name, now=now)

    return _done(request, person, technician_id, "absences", note, starts=starts, ends=ends, reason=reason)


@router.post("/technicians/{technician_id}/absences/{absence_id}/end")
def back(request: Request, person: Dispatcher, technician_id: UUID, absence_id: UUID) -> Response:
    """They are there again, or that absence is called off."""

    def end(session: Session) -> None:
        if not absences.end(session, technician_id, by=person.name, now=utc_now(), only=absence_id):
            raise NotFound("There is no such absence, or it is over", field="absence_id")

    return _done(request, person, technician_id, "absences", end)


@router.post("/technicians/{technician_id}/skills")
def set_skill(
    request: Request, person: Dispatcher, technician_id: UUID, skill: Text = "", level: Text = ""
) -> Response:
    """Give a skill at a level, or change its level."""

    def change(session: Session) -> None:
        number = int(level) if level in ("1", "2", "3", "4", "5") else 0
        crew.set_skill(session, technician_id, skill, number, by=person.name, now=utc_now())

    return _done(request, person, technician_id, "skills", change, skill=skill)


@router.post("/technicians/{technician_id}/skills/remove")
def take_skill(request: Request, person: Dispatcher, technician_id: UUID, skill: Text = "") -> Response:
    """Take a skill and its certificate away."""

    def change(session: Session) -> None:
        crew.take_skill(session, technician_id, skill, by=person.name, now=utc_now())

    return _done(request, person, technician_id, "skills", change)


@router.post("/technicians/{technician_id}/certificates")
def certify(
    request: Request, person: Dispatcher, technician_id: UUID, skill: Text = "", until: Text = ""
) -> Response:
    """Add or renew a certificate; without a last day the skill needs none."""

    def change(session: Session) -> None:
        last = _date(until) if until else None
        crew.certify(session, technician_id, skill, last, _today(request), by=person.name, now=utc_now())

    return _done(request, person, technician_id, "skills", change)


@router.post("/technicians/{technician_id}/certificates/withdraw")
def withdraw(request: Request, person: Dispatcher, technician_id: UUID, skill: Text = "") -> Response:
    """The certificate does not count any more, from today on."""

    def change(session: Session) -> None:
        crew.withdraw(session, technician_id, skill, _today(request), by=person.name, now=utc_now())

    return _done(request, person, technician_id, "skills", change)


@router.post("/technicians/{technician_id}/territories")
def settle(
    request: Request,
    person: Dispatcher,
    technician_id: UUID,
    territory: Texts = [],  # noqa: B006 - FastAPI makes a new one for each request
    stays: Text = "",
) -> Response:
    """Where they are at home."""

    def change(session: Session) -> None:
        crew.settle(session, technician_id, territory, bool(stays), by=person.name, now=utc_now())

    return _done(request, person, technician_id, "territories", change)


@router.post("/technicians/{technician_id}/overtime")
def overtime(request: Request, person: Dispatcher, technician_id: UUID, minutes: Text = "") -> Response:
    """How much overtime plans may use."""

    def change(session: Session) -> None:
        text = minutes.strip()
        if not (text.isascii() and text.isdecimal() and len(text) < 6):
            raise BadValue(f"Overtime: write 0 to {crew.OVERTIME_MAX} minutes", field="minutes")
        crew.allow_overtime(session, technician_id, int(text), by=person.name, now=utc_now())

    return _done(request, person, technician_id, "hours", change, minutes=minutes)


def _done(
    request: Request,
    person: Person,
    technician_id: UUID,
    section: str,
    change: Callable[[Session], None],
    **form: str,
) -> Response:
    """Make the change and show its section anew. What is refused is said there, with the form as it came."""
    try:
        with database_of(request).write() as session:
            change(session)
    except BadValue as problem:
        return _page(request, person, technician_id, said=problem, section=section, form=form)
    wake(request)
    return RedirectResponse(f"/technicians/{technician_id}?done={section}#{section}", status_code=303)


def _today(request: Request) -> date:
    return utc_now().astimezone(settings_of(request).zone).date()


def _wall(text: str, field: str, zone: ZoneInfo) -> datetime:
    """An instant out of what the clock on the wall shows then, as a browser writes it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadValue(f"{field}: choose a day and a time", field=field.lower()) from error
    return found.replace(tzinfo=zone) if found.tzinfo is None else found


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise BadValue(f"Last day: choose a day, not “{text}”", field="until") from error
    if not 1900 < found.year < 9000:
        raise BadValue(f"Last day: there is no certificate for the year {found.year}", field="until")
    return found


def _page(
    request: Request,
    person: Person,
    technician_id: UUID,
    *,
    said: Problem | None = None,
    section: str = "",
    form: Mapping[str, str] | None = None,
) -> HTMLResponse:
    settings, now = settings_of(request), utc_now()
    with database_of(request).read() as session:
        found = crew.member(session, technician_id, settings.zone, now)
        in_force = policy.policy_in_force(session)
        noted = absences.of(session, technician_id)
        changes = technician_changes.of(session, technician_id)
        skills = crew.known_skills(session)
    return page(
        request,
        "technician.html",
        status=said.status if said else 200,
        person=person,
        here="technicians",
        one=found,
        said=said.detail if said else "",
        section=section,
        form=dict.fromkeys(FIELDS, "") | dict(form or {}),
        noted=noted,
        changes=changes,
        skills=skills,
        levels=crew.LEVELS,
        overtime_max=crew.OVERTIME_MAX,
        days=crew.SOON.days,
        reasons=absences.WORDS,
        policy=in_force,
        territories=sorted({*in_force.territories, *found.row.territories}),
        overtime_price=money(in_force.weights.overtime_hour),
        territory_price=money(in_force.weights.other_territory),
        today=now.astimezone(settings.zone).date(),
        now=now,
        zone=settings.zone,
    )
