"""The page "Policy": what plans are weighed by, in money and minutes; tried on a day, put in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from server.access.guard import database_of, require_page, settings_of
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dependencies import Day
from server.dispatch import policy, saved_plans
from server.dispatch.day_rows import clock_of
from server.dispatch.policy import PlanningPolicy
from server.dispatch.policy_words import (
    Typed,
    as_changes,
    as_lines,
    changed,
    figures,
    for_api,
    money,
    odd,
    read,
)
from server.dispatch.saved_plans import SideBySide
from server.dispatch.thinking import Effort
from server.web.pages import page
from shared.problems import BadValue, Conflict, Problem

router = APIRouter(include_in_schema=False)

Looker = Annotated[Person, Depends(require_page(Permission.DISPATCH), scope="function")]
Setter = Annotated[Person, Depends(require_page(Permission.SET_POLICY), scope="function")]
Text = Annotated[str, Form()]
Texts = Annotated[list[str], Form()]

SECONDS = (0, 5, 10, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version as the list shows it. changed: against the one before it."""

    policy: PlanningPolicy
    changed: Sequence[str]


@router.get("/policy")
def policy_page(
    request: Request, person: Looker, like: int | None = None, done: bool = False
) -> HTMLResponse:
    """`like`: the form begins with the figures of that version. `done`: a new one is in force."""
    return _page(request, person, like=like, done=done)


@router.post("/policy/try")
def try_out(
    request: Request,
    person: Looker,
    day: Annotated[Day, Form()],
    name: Texts = [],  # noqa: B006 - FastAPI makes a new one for each request
    amount: Texts = [],  # noqa: B006
    territories: Text = "",
    note: Text = "",
    seconds: Text = "5",
) -> HTMLResponse:
    """Plan the day twice, by the policy in force and by the form, with the same effort; nothing is booked."""
    settings, database, now = settings_of(request), database_of(request), utc_now()
    with database.read() as session:
        before = policy.policy_in_force(session)
    typed = read(before, dict(zip(name, amount, strict=False)), territories)
    if typed.wrong:
        return _page(request, person, typed=typed, note=note, day=day, status=422)
    thought = int(seconds) if seconds in map(str, SECONDS) else SECONDS[1]
    effort = Effort(seconds=thought)
    try:
        clock_of(settings, day, now)
        ids = [
            saved_plans.save(database, settings, day, called, changes, effort, by=person.name, now=now).id
            for called, changes in (
                (f"Policy {before.version} as it is", []),
                (_called(before, note), as_changes(before, typed)),
            )
        ]
        compared = saved_plans.compare(database, settings, day, ids, now)
    except Problem as problem:
        said = problem.detail
        return _page(request, person, typed=typed, note=note, day=day, said=said, status=problem.status)
    return _page(request, person, typed=typed, note=note, day=day, compared=compared, thought=thought)


def _called(before: PlanningPolicy, note: str) -> str:
    said = f"Policy {before.version} changed"
    return f"{said}: {note}" if note.strip() else said


@router.post("/policy")
def put_in_force(
    request: Request,
    person: Setter,
    after: Text = "",
    name: Texts = [],  # noqa: B006
    amount: Texts = [],  # noqa: B006
    territories: Text = "",
    note: Text = "",
) -> Response:
    """Make a new version of the form, unless somebody else has made one since it was opened."""
    with database_of(request).read() as session:
        before = policy.policy_in_force(session)
    typed = read(before, dict(zip(name, amount, strict=False)), territories)
    wrong = dict(typed.wrong)
    if not note.strip():
        wrong["note"] = "Why: say in a few words why it is changed"
    if not wrong and not changed(before, typed.weights, typed.drawn):
        wrong["form"] = "Nothing is changed: every figure is as it is in force"
    if wrong:
        typed = Typed(
            amounts=typed.amounts,
            territories=typed.territories,
            weights=typed.weights,
            drawn=typed.drawn,
            wrong=wrong,
        )
        return _page(request, person, typed=typed, note=note, status=422)
    try:
        with database_of(request).write() as session:
            policy.change(
                session,
                after=int(after) if after.isdecimal() else -1,
                weights=for_api(before, typed),
                territories={called: list(starts) for called, starts in typed.drawn.items()},
                note=note,
                who=person.name,
                now=utc_now(),
            )
    except (BadValue, Conflict) as problem:
        said = problem.detail
        return _page(request, person, typed=typed, note=note, said=said, status=problem.status)
    return RedirectResponse("/policy?done=1#news", status_code=303)


def _page(
    request: Request,
    person: Person,
    *,
    like: int | None = None,
    typed: Typed | None = None,
    note: str = "",
    day: date | None = None,
    said: str = "",
    compared: SideBySide | None = None,
    thought: int = SECONDS[1],
    done: bool = False,
    status: int = 200,
) -> HTMLResponse:
    settings = settings_of(request)
    with database_of(request).read() as session:
        every = policy.versions(session)
    current = every[0]
    shown = next((one for one in every if one.version == like), current)
    if typed is None:
        typed = Typed(
            amounts={},
            territories=as_lines(shown.territories),
            weights=shown.weights,
            drawn=shown.territories,
            wrong={},
        )
        note = "" if shown is current else f"As version {shown.version} again"
    return page(
        request,
        "policy.html",
        status=status,
        person=person,
        here="policy",
        current=current,
        groups=figures(current.weights),
        typed=typed,
        values={
            one.name: typed.amounts.get(one.name, money(one.cents))
            for some in figures(typed.weights).values()
            for one in some
        },
        changed=changed(current, typed.weights, typed.drawn),
        odd=list(odd(typed.weights, typed.drawn)),
        note=note,
        note_max=policy.NOTE_MAX,
        said=said,
        day=day or utc_now().astimezone(settings.zone).date(),
        compared=compared,
        seconds=SECONDS,
        thought=thought,
        done=done,
        versions=[
            Version(policy=one, changed=changed(older, one.weights, one.territories))
            for one, older in zip(every, [*every[1:], every[-1]], strict=True)
        ],
        zone=settings.zone,
    )
