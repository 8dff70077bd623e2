"""Signing in and out, and a phone's first contact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Header, Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.responses import HTMLResponse, RedirectResponse

from server.access import device_page, devices, people
from server.access.guard import (
    COOKIE,
    check_csrf,
    database_of,
    is_secure,
    network_of,
    person_of,
    require,
    require_page,
    safe_next,
    settings_of,
)
from server.access.people import Person, SignedIn
from server.access.roles import Permission, Role
from server.access.throttle import Throttle
from server.access.tokens import new_token
from server.clock import utc_now
from server.dispatch.models import TechnicianRow
from server.dispatch.technicians import names
from server.web.pages import page
from shared.problems import Problem, SignInNeeded

router = APIRouter()
LOGIN_COOKIE = "truckroll_login"
LOGIN_FORM_SECONDS = 3600

Viewer = Annotated[Person, Depends(require(Permission.SEE_BOARD), scope="function")]
DeviceKeeper = Annotated[Person, Depends(require_page(Permission.MANAGE_DEVICES), scope="function")]


def throttle_of(request: Request) -> Throttle:
    """One throttle an application, made on first use."""
    if not hasattr(request.app.state, "throttle"):
        request.app.state.throttle = Throttle()
    throttle: Throttle = request.app.state.throttle
    return throttle


# --- signing in by form -------------------------------------------------------------------------------------


@router.get("/login", include_in_schema=False)
def login_page(request: Request, next: str = "/board") -> HTMLResponse:
    return _login_form(request, next=next)


@router.post("/login", include_in_schema=False)
def login(
    request: Request,
    email: Annotated[str, Form()],
    password: Annotated[str, Form()],
    form_token: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/board",
) -> Response:
    if not _is_our_form(request, form_token):
        return _login_form(
            request, next=next, email=email, status=403, said="The form was too old. Try again."
        )
    try:
        signed_in = _sign_in(request, email, password)
    except Problem as problem:
        return _login_form(request, next=next, email=email, status=problem.status, said=problem.detail)
    answer = RedirectResponse(safe_next(next), status_code=303)
    _keep(request, answer, signed_in)
    return answer


async def _leaving(request: Request) -> Person | None:
    person = await person_of(request)
    if person is not None:
        await check_csrf(request, person)
    return person


@router.post("/logout", include_in_schema=False)
def logout(
    request: Request, person: Annotated[Person | None, Depends(_leaving, scope="function")]
) -> Response:
    if person is not None:
        with database_of(request).write() as session:
            people.sign_out(session, request.cookies.get(COOKIE))
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def _login_form(
    request: Request, *, next: str, email: str = "", status: int = 200, said: str = ""
) -> HTMLResponse:
    # Nobody is signed in yet, so the form is tied to a cookie of its own (signed double submit).
    tie = request.cookies.get(LOGIN_COOKIE) or new_token()
    answer = page(
        request,
        "login.html",
        status=status,
        said=said,
        email=email,
        next=safe_next(next),
        form_token=_form_signer(request).dumps(tie),
    )
    answer.set_cookie(
        LOGIN_COOKIE,
        tie,
        max_age=LOGIN_FORM_SECONDS,
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )
    return answer


def _form_signer(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings_of(request).secret, salt="login form")


def _is_our_form(request: Request, form_token: str) -> bool:
    try:
        tie = _form_signer(request).loads(form_token, max_age=LOGIN_FORM_SECONDS)
    except BadSignature:
        return False
    return bool(tie == request.cookies.get(LOGIN_COOKIE))


def _sign_in(request: Request, email: str, password: str) -> SignedIn:
    """Raises SignInNeeded, or TooMany when this network failed too often."""
    throttle, network, now = throttle_of(request), network_of(request), utc_now()
    throttle.check(network, now)
    signed_in = people.sign_in(database_of(request), email, password, now)
    if signed_in is None:
        throttle.failed(network, now)
        raise SignInNeeded(people.NO_MATCH)
    return signed_in


def _keep(request: Request, answer: Response, signed_in: SignedIn) -> None:
    answer.set_cookie(
        COOKIE,
        signed_in.token,
        max_age=int(people.SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
        path="/",
    )
    answer.delete_cookie(LOGIN_COOKIE, path="/")


# --- signing in by program ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    email: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoAmI:
    """`csrf_token` goes back as X-CSRF-Token with every request that changes something."""

    name: str
    role: Role
    csrf_token: str


@router.post("/api/session", status_code=201, tags=["access"])
def open_session(request: Request, answer: Response, body: Credentials) -> WhoAmI:
    """Sign in; the session comes as a cookie. Safe from other sites: they can't send JSON here unasked."""
    signed_in = _sign_in(request, body.email, body.password)
    _keep(request, answer, signed_in)
    return _who(signed_in.person)


@router.get("/api/session", tags=["access"])
def my_session(person: Viewer) -> WhoAmI:
    """Who is signed in."""
    return _who(person)


def _who(person: Person) -> WhoAmI:
    return WhoAmI(name=person.name, role=person.role, csrf_token=person.csrf_token)


# --- devices ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """`unsent_of`: the technician whose unsent entries or photos the phone still holds, if any."""

    code: str
    device_name: str
    platform: str
    unsent_of: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TechnicianName:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """`token` is told once: the server keeps only its digest."""

    device_id: UUID
    token: str
    technician: TechnicianName


@router.post("/api/devices/register", status_code=201, tags=["devices"])
def register_device(request: Request, body: Registration) -> Registered:
    """Turn a one-time code into a technician's device. 409 while it holds somebody else's unsent work."""
    throttle, network, now = throttle_of(request), network_of(request), utc_now()
    throttle.check(network, now)
    life = timedelta(days=settings_of(request).device_token_days)
    try:
        with database_of(request).write() as session:
            device, token = devices.register(
                session,
                body.code,
                body.device_name,
                body.platform,
                now,
                life=life,
                unsent_of=body.unsent_of,
            )
            technician = session.get_one(TechnicianRow, device.technician_id)
            made = Registered(
                device_id=device.id,
                token=token,
                technician=TechnicianName(id=technician.id, name=technician.name),
            )
    except SignInNeeded:
        throttle.failed(network, now)
        raise
    return made


@router.post("/api/devices/wiped", status_code=204, tags=["devices"])
def device_wiped(request: Request, authorization: Annotated[str | None, Header()] = None) -> None:
    """The device has erased all it held, as ordered. Its token is dead from here; saying it again is fine."""
    with database_of(request).write() as session:
        devices.confirm_wipe(session, devices.bearer(authorization), utc_now())


@router.get("/devices", include_in_schema=False)
def devices_page(request: Request, person: DeviceKeeper) -> HTMLResponse:
    return _devices_page(request, person)


@router.post("/devices/codes", include_in_schema=False)
def make_code(request: Request, person: DeviceKeeper, technician_id: Annotated[UUID, Form()]) -> HTMLResponse:
    with database_of(request).write() as session:
        code = devices.new_code(session, technician_id, utc_now())
        name = session.get_one(TechnicianRow, technician_id).name
    link = device_page.registration_link(settings_of(request).base_url, code)
    return _devices_page(request, person, code=code, code_for=name, link=link)


@router.post("/devices/{device_id}/revoke", include_in_schema=False)
def revoke_device(request: Request, person: DeviceKeeper, device_id: UUID) -> Response:
    with database_of(request).write() as session:
        devices.revoke(session, device_id, utc_now(), by=person.name)
    return RedirectResponse("/devices", status_code=303)


@router.post("/devices/{device_id}/wipe", include_in_schema=False)
def wipe_device(request: Request, person: DeviceKeeper, device_id: UUID) -> Response:
    with database_of(request).write() as session:
        devices.order_wipe(session, device_id, utc_now(), by=person.name)
    return RedirectResponse("/devices", status_code=303)


def _devices_page(
    request: Request, person: Person, code: str = "", code_for: str = "", link: str = ""
) -> HTMLResponse:
    now = utc_now()
    with database_of(request).read() as session:
        lines, technicians = device_page.listing(session, now), names(session)
    return page(
        request,
        "devices.html",
        person=person,
        here="devices",
        devices=lines,
        technicians=sorted(technicians.items(), key=lambda item: item[1]),
        code=code,
        code_for=code_for,
        code_until=now + devices.CODE_LIFE,
        link=link,
        picture=device_page.qr_svg(link) if link else "",
        zone=settings_of(request).zone,
    )
