"""Technicians' phones: a one-time code becomes a device with a token of its own, which can be revoked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.access.models import DeviceRow, RegistrationCodeRow
from server.access.tokens import digest, new_token, read_code
from server.access.tokens import new_code as draw_code
from server.clock import mint
from server.dispatch.models import TechnicianRow
from shared.problems import BadValue, ExpiredToken, NotFound, RevokedDevice, SignInNeeded

CODE_LIFE = timedelta(hours=24)
TOKEN_LIFE = timedelta(days=180)
PLATFORMS = ("web", "android", "ios", "test")
NAME_LENGTH_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """One row of the page "Devices"."""

    id: UUID
    technician: str
    name: str
    platform: str
    registered_at: datetime
    last_seen_at: datetime | None
    queue_length: int
    app_version: str | None
    clock_offset_seconds: int
    revoked_at: datetime | None
    token_expires_at: datetime


def new_code(session: Session, technician_id: UUID, now: datetime) -> str:
    """A one-time code for this technician's next phone. It is shown once; only its hash is kept."""
    if session.get(TechnicianRow, technician_id) is None:
        raise NotFound("There is no such technician", field="technician_id")
    code = draw_code()
    session.add(
        RegistrationCodeRow(code_hash=digest(code), technician_id=technician_id, expires_at=now + CODE_LIFE)
    )
    return code


def register(
    session: Session, code: str, name: str, platform: str, now: datetime, *, life: timedelta = TOKEN_LIFE
) -> tuple[DeviceRow, str]:
    """Spend `code` on a new device and give it its token. Raises SignInNeeded, ExpiredToken or BadValue."""
    label = " ".join(name.split())
    if not 1 <= len(label) <= NAME_LENGTH_MAX:
        raise BadValue(f"Name this device in 1 to {NAME_LENGTH_MAX} letters", field="device_name")
    if platform not in PLATFORMS:
        raise BadValue(f"The platform is one of {', '.join(PLATFORMS)}", field="platform")
    found = session.get(RegistrationCodeRow, digest(read_code(code)))
    if found is None:
        raise SignInNeeded("That code is not known. Check it, or ask dispatch for a new one", field="code")
    if found.expires_at <= now:
        raise ExpiredToken("That code is too old. Ask dispatch for a new one", field="code")
    # The condition in the statement lets one of two phones win that come with the same code at once.
    spend = (
        update(RegistrationCodeRow)
        .where(RegistrationCodeRow.code_hash == found.code_hash, RegistrationCodeRow.used_at.is_(None))
        .values(used_at=now)
        .returning(RegistrationCodeRow.technician_id)
    )
    technician_id = session.scalar(spend)
    if technician_id is None:
        raise SignInNeeded("That code was used already. Ask dispatch for a new one", field="code")
    token = new_token()
    device = DeviceRow(
        id=mint(),
        technician_id=technician_id,
        name=label,
        platform=platform,
        token_hash=digest(token),
        token_expires_at=now + life,
        registered_at=now,
        queue_length=0,
        clock_offset_seconds=0,
    )
    session.add(device)
    session.flush()
    return device, token


def authenticate(session: Session, token: str | None, now: datetime) -> DeviceRow:
    """The device that speaks. Raises SignInNeeded, RevokedDevice or ExpiredToken."""
    found = session.scalar(select(DeviceRow).where(DeviceRow.token_hash == digest(token))) if token else None
    if found is None:
        raise SignInNeeded("This device is not signed in. Enter a code from dispatch; your work stays on it")
    if found.revoked_at is not None:
        raise RevokedDevice("The office signed this device out. Your work stays on it; call dispatch")
    if found.token_expires_at <= now:
        raise ExpiredToken("This device's sign-in has run out. Enter a new code; your work stays on it")
    if not session.get_one(TechnicianRow, found.technician_id).active:
        raise RevokedDevice("You are not on the list of technicians. Your work stays here; call dispatch")
    return found


def bearer(authorization: str | None) -> str | None:
    """The token in an Authorization header."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def seen(
    device: DeviceRow,
    now: datetime,
    *,
    app_version: str,
    queue_length: int,
    clock_offset_seconds: int,
    life: timedelta = TOKEN_LIFE,
) -> None:
    """Note what the device told of itself. A device in use never runs out: its token lives on from here."""
    device.last_seen_at = now
    device.app_version = app_version
    device.queue_length = queue_length
    device.clock_offset_seconds = clock_offset_seconds
    if device.token_expires_at < now + life / 2:
        device.token_expires_at = now + life


def revoke(session: Session, device_id: UUID, now: datetime) -> DeviceRow:
    """Sign a device out for good. What it has not sent stays on it. Doing it twice keeps the first time."""
    device = session.get(DeviceRow, device_id)
    if device is None:
        raise NotFound("There is no such device", field="device_id")
    if device.revoked_at is None:
        device.revoked_at = now
    return device


def listing(session: Session) -> list[DeviceLine]:
    """Every device, those in use first, then by technician."""
    query = (
        select(DeviceRow, TechnicianRow.name)
        .join(TechnicianRow, TechnicianRow.id == DeviceRow.technician_id)
        .order_by(DeviceRow.revoked_at.is_not(None), TechnicianRow.name, DeviceRow.registered_at)
    )
    return [
        DeviceLine(
            id=row.id,
            technician=technician,
            name=row.name,
            platform=row.platform,
            registered_at=row.registered_at,
            last_seen_at=row.last_seen_at,
            queue_length=row.queue_length,
            app_version=row.app_version,
            clock_offset_seconds=row.clock_offset_seconds,
            revoked_at=row.revoked_at,
            token_expires_at=row.token_expires_at,
        )
        for row, technician in session.execute(query)
    ]
