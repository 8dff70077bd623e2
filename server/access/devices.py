"""Technicians' phones: a one-time code becomes a device with a token of its own, which can be revoked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from server.access.models import DeviceRow, RegistrationCodeRow
from server.access.tokens import digest, new_token, read_code
from server.access.tokens import new_code as draw_code
from server.clock import mint
from server.db import feed
from server.dispatch.models import TechnicianRow
from shared.problems import BadValue, Conflict, ExpiredToken, NotFound, SignInNeeded, UnsentWork

CODE_LIFE = timedelta(hours=24)
TOKEN_LIFE = timedelta(days=180)
PLATFORMS = ("web", "android", "ios", "test")
NAME_LENGTH_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A technician, and the device that was registered for them last."""

    device_id: UUID
    name: str


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
    session: Session,
    code: str,
    name: str,
    platform: str,
    now: datetime,
    *,
    life: timedelta = TOKEN_LIFE,
    unsent_of: UUID | None = None,
) -> tuple[DeviceRow, str]:
    """Spend `code` on a new device and give it its token. Raises SignInNeeded, ExpiredToken or BadValue.

    `unsent_of`: whose unsent work the phone still holds. It goes to nobody else before that is sent:
    UnsentWork, and the code stays good.
    """
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
    if unsent_of not in (None, found.technician_id) and found.used_at is None:
        raise _still_holds(session, unsent_of, found.technician_id)
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
    _tell(session, device, "DeviceRegistered", device.name, now)
    return device, token


def _still_holds(session: Session, first_id: UUID | None, second_id: UUID) -> UnsentWork:
    first, second = session.get(TechnicianRow, first_id), session.get_one(TechnicianRow, second_id)
    whose = first.name if first else "another technician"
    return UnsentWork(
        f"This phone still holds unsent work of {whose}. Let it be sent, then enter this code for "
        f"{second.name} again. If it can't be sent, dispatch signs the phone out first",
        field="code",
    )


def bearer(authorization: str | None) -> str | None:
    """The token in an Authorization header."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def newest_of(session: Session, technician_id: UUID) -> Owner | None:
    """None when this technician never had a device here, or is not known."""
    query = (
        select(DeviceRow.id, TechnicianRow.name)
        .join(TechnicianRow, TechnicianRow.id == DeviceRow.technician_id)
        .where(DeviceRow.technician_id == technician_id)
        .order_by(DeviceRow.registered_at.desc(), DeviceRow.id.desc())
        .limit(1)
    )
    found = session.execute(query).one_or_none()
    return Owner(device_id=found[0], name=found[1]) if found else None


def revoke(session: Session, device_id: UUID, now: datetime, *, by: str = "") -> DeviceRow:
    """Sign a device out for good: what it still sends is held for a person, and it reads nothing.

    Doing it twice keeps the first time.
    """
    device = _locked(session, device_id)
    if device.revoked_at is None:
        device.revoked_at = now
        _tell(session, device, "DeviceRevoked", by, now)
    return device


def order_wipe(session: Session, device_id: UUID, now: datetime, *, by: str) -> DeviceRow:
    """Sign the device out, and have it erase itself at its next contact. Doing it twice changes nothing."""
    device = revoke(session, device_id, now, by=by)
    if device.wipe_ordered_at is None:
        device.wipe_ordered_at = now
        facts = {"queue_length": device.queue_length, "unsent_photos": device.unsent_photos}
        _tell(session, device, "DeviceWipeOrdered", by, now, facts)
    return device


def confirm_wipe(session: Session, token: str | None, now: datetime) -> DeviceRow:
    """The device says that it has erased itself: its token is dead from here. Saying it again is fine.

    What its last heartbeat said of its queue stays, for that is what went with it.

    Raises SignInNeeded for an unknown token, and Conflict where nobody ordered it.
    """
    hashed = digest(token or "")
    known = session.scalar(
        select(DeviceRow)
        .where(or_(DeviceRow.token_hash == hashed, DeviceRow.next_token_hash == hashed))
        .with_for_update()
    )
    if known is None:
        raise SignInNeeded("No device of ours has this token")
    if known.wipe_ordered_at is None:
        raise Conflict("Nobody ordered this device to erase itself", subject=str(known.id))
    if known.wiped_at is None:
        known.wiped_at = now
        _tell(session, known, "DeviceWiped", known.name, now)
    return known


def _locked(session: Session, device_id: UUID) -> DeviceRow:
    device = session.get(DeviceRow, device_id, with_for_update=True)
    if device is None:
        raise NotFound("There is no such device", field="device_id")
    return device


def _tell(
    session: Session,
    device: DeviceRow,
    topic: str,
    actor: str,
    now: datetime,
    facts: dict[str, int] | None = None,
) -> None:
    feed.append(session, [feed.BOARD], "device", device.id, topic, at=now, actor=actor, facts=facts)
