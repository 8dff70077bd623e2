"""Who is asking, and may they: the dependencies that every staff route hangs on.

`require` also checks the CSRF token of every unsafe request, so that no route can forget it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import HTTPException, Request, Security
from fastapi.security import APIKeyCookie
from starlette.concurrency import run_in_threadpool

from server.access.people import Person, who_is
from server.access.roles import WORDS, Permission
from server.clock import utc_now
from server.db.engine import Database
from server.settings import Settings
from shared.problems import BadCsrf, SignInNeeded, WrongRole

COOKIE = "truckroll_session"
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Guard = Callable[..., Coroutine[Any, Any, Person]]

SESSION_SCHEME = "session"
# Only for the description of the API: the cookie itself is read by `person_of`.
_Described = Annotated[
    str | None, Security(APIKeyCookie(name=COOKIE, scheme_name=SESSION_SCHEME, auto_error=False))
]


def database_of(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def settings_of(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def network_of(request: Request) -> str:
    """The address that asks, as far as we can see it."""
    return request.client.host if request.client else "unknown"


def is_secure(request: Request) -> bool:
    """Whether browsers reach us by https, here or at a proxy in front."""
    return request.url.scheme == "https" or settings_of(request).base_url.startswith("https:")


async def person_of(request: Request) -> Person | None:
    """Who the cookie belongs to. Opens and closes its own snapshot: a stream must not hold one."""
    token = request.cookies.get(COOKIE)
    return await run_in_threadpool(_look_up, database_of(request), token) if token else None


def _look_up(database: Database, token: str) -> Person | None:
    with database.read() as session:
        return who_is(session, token, utc_now())


def require(permission: Permission) -> Guard:
    """A dependency for API routes: answers 401 or 403 as problem+json."""

    async def guard(request: Request, _cookie: _Described = None) -> Person:
        person = await person_of(request)
        if person is None:
            raise SignInNeeded("Sign in to go on")
        return await _admitted(request, person, permission)

    return guard


def reader_of(request: Request) -> Person | None:
    """Who asked for a page, which is refused as a page, where an API route would answer problem+json."""
    person: Person | None = getattr(request.state, "reader", None)
    return person


def require_page(permission: Permission) -> Guard:
    """A dependency for pages: who is not signed in is sent to /login and comes back afterwards."""

    async def guard(request: Request) -> Person:
        person = await person_of(request)
        if person is None:
            raise HTTPException(303, "Sign in first", headers={"Location": login_url(request)})
        request.state.reader = person
        return await _admitted(request, person, permission)

    return guard


async def _admitted(request: Request, person: Person, permission: Permission) -> Person:
    await check_csrf(request, person)
    if not person.may(permission):
        raise WrongRole(
            f"You are signed in as {person.name} ({WORDS[person.role]}), who may not do this. "
            "Ask an administrator for another role"
        )
    return person


async def check_csrf(request: Request, person: Person) -> None:
    """Raises BadCsrf unless an unsafe request brings the session's own token, as a header or in its form."""
    if request.method in _SAFE:
        return
    brought = request.headers.get(CSRF_HEADER)
    if brought is None and request.headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        brought = str((await request.form()).get(CSRF_FIELD, ""))
    if not hmac.compare_digest((brought or "").encode(), person.csrf_token.encode()):
        raise BadCsrf("This page is from an earlier sign-in. Load it again and repeat the last step")


def login_url(request: Request) -> str:
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?next={quote(back, safe='/')}" if request.method in _SAFE else "/login"


def safe_next(wanted: str | None, otherwise: str = "/board") -> str:
    """`wanted` when it is a path of ours, else `otherwise`: a sign-in never leads to another site."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return otherwise
    if any(ord(letter) < 32 or letter == "\\" for letter in wanted):
        return otherwise  # browsers drop tabs and newlines and read \ as /
    parts = urlsplit(wanted)
    return otherwise if parts.scheme or parts.netloc else wanted
