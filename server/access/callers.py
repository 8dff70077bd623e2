"""Who speaks by a device's token, what that device may still do, and how its token is renewed.

A token is replaced once a day. The answer of one contact brings the next token, and the present one stays
good until the next one is first used, so that a lost answer locks nobody out. The next token is computed
from the present one and a stored salt: told again, it is the same. A token that was replaced is good for a
few minutes more, for requests that were under way; after that, whoever comes with it has a copy.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Table, bindparam, delete, or_, select
from sqlalchemy.orm import Session

from server.access.models import DeviceRow, RetiredTokenRow
from server.access.tokens import digest
from server.clock import entropy
from server.db import feed
from server.db.base import table_of
from server.db.engine import Database
from server.dispatch.models import TechnicianRow
from shared.problems import ExpiredToken, Problem, ReplacedToken, RevokedDevice, SignInNeeded, WipeDevice

TOKEN_AGE_MAX = timedelta(hours=24)
UNDER_WAY = timedelta(minutes=5)
"""How long a replaced token is still good: a request that left before may take so long."""
REUSE_NOTED_EVERY = timedelta(hours=1)
RETIRED_KEPT = timedelta(days=400)
ROTATING_SINCE = 2
"""Apps of protocol 1 don't look at the token in an answer."""

SIGNED_OUT = "The office signed this device out. Your work stays on it; call dispatch"
LEFT = "You are not on the list of technicians. Your work stays here; call dispatch"
WIPE = "The office ordered this device to erase what it holds"
HELD_BACK = "It was sent by a device that had been signed out. Nothing is booked until somebody accepts it"


class Standing(StrEnum):
    """What a device may do."""

    ACTIVE = "active"
    DRAINING = "draining"  # signed out: what it still holds is taken into quarantine, and it reads nothing
    WIPING = "wiping"  # the same, and it is told to erase itself


class Key(StrEnum):
    """Which of a device's tokens it came with."""

    PRESENT = "present"
    NEXT = "next"  # its first use, which retires the present one
    LATE = "late"  # replaced a moment ago


@dataclass(frozen=True, slots=True)
class Device:
    """What its row said when it was looked at."""

    id: UUID
    name: str
    token_hash: str
    token_expires_at: datetime
    next_token_salt: str | None
    token_rotated_at: datetime | None
    registered_at: datetime
    revoked_at: datetime | None
    wipe_ordered_at: datetime | None
    wiped_at: datetime | None
    last_seen_at: datetime | None
    app_version: str | None
    protocol: int
    queue_length: int
    unsent_photos: int
    unsent: list[Any]


@dataclass(frozen=True, slots=True)
class Technician:
    """What their row said when it was looked at."""

    id: UUID
    name: str
    van_id: UUID
    start_lat: float
    start_lon: float
    active: bool


def _columns(table: Table, shape: type[Any]) -> list[ColumnElement[Any]]:
    return [table.c[field.name] for field in fields(shape)]


# Each contact asks this, some of them twice. Tables and plain columns, for to load the rows as objects of the
# session costs more than to look them up.
_device, _technician, _retired = map(table_of, (DeviceRow, TechnicianRow, RetiredTokenRow))
_DEVICE, _TECHNICIAN = _columns(_device, Device), _columns(_technician, Technician)
_LOOKED_AT = select(*_DEVICE, *_TECHNICIAN).join_from(
    _device, _technician, _technician.c.id == _device.c.technician_id
)
_BY_TOKEN = _LOOKED_AT.where(
    or_(_device.c.token_hash == bindparam("hashed"), _device.c.next_token_hash == bindparam("hashed"))
)
_BY_A_REPLACED_TOKEN = (
    _LOOKED_AT.add_columns(_retired.c.retired_at)
    .join(_retired, _retired.c.device_id == _device.c.id)
    .where(_retired.c.token_hash == bindparam("hashed"))
)


def _read(row: Row[*tuple[Any, ...]]) -> tuple[Device, Technician]:
    devices, both = len(_DEVICE), len(_DEVICE) + len(_TECHNICIAN)
    return Device(*row[:devices]), Technician(*row[devices:both])


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The device that speaks, for whom, and what it may do."""

    device: Device
    technician: Technician
    standing: Standing
    key: Key
    token: str

    @property
    def refusal(self) -> Problem | None:
        """What a device that may not read is told once it has nothing left to bring."""
        match self.standing:
            case Standing.ACTIVE:
                return None
            case Standing.WIPING:
                return WipeDevice(WIPE)
            case Standing.DRAINING:
                return RevokedDevice(SIGNED_OUT if self.device.revoked_at else LEFT)

    @property
    def quarantine(self) -> Problem | None:
        """The reason under which all that this device brings is held."""
        return quarantine_of(self.standing)


def standing_of(device: DeviceRow | Device, technician: TechnicianRow | Technician) -> Standing:
    if device.wipe_ordered_at is not None:
        return Standing.WIPING
    if device.revoked_at is not None or not technician.active:
        return Standing.DRAINING
    return Standing.ACTIVE


def quarantine_of(standing: Standing) -> Problem | None:
    return None if standing is Standing.ACTIVE else RevokedDevice(HELD_BACK)


def caller_of(session: Session | Connection, token: str | None, now: datetime) -> Caller:
    """Who comes with `token`: one statement where the token is good.

    Raises SignInNeeded, ExpiredToken, ReplacedToken or, when this device has erased itself, WipeDevice. A
    device that may only bring is no problem here: see Caller.standing.
    """
    if not token:
        raise SignInNeeded("This device is not signed in. Enter a code from dispatch; your work stays on it")
    hashed = digest(token)
    if found := session.execute(_BY_TOKEN, {"hashed": hashed}).one_or_none():
        device, technician = _read(found)
        key = Key.PRESENT if device.token_hash == hashed else Key.NEXT
    else:
        device, technician = _by_a_replaced_token(session, hashed, now)
        key = Key.LATE
    if device.wiped_at is not None:
        raise WipeDevice(WIPE)
    standing = standing_of(device, technician)
    if standing is Standing.ACTIVE and device.token_expires_at <= now:
        raise ExpiredToken("This device's sign-in has run out. Enter a new code; your work stays on it")
    return Caller(device=device, technician=technician, standing=standing, key=key, token=token)


def _by_a_replaced_token(
    session: Session | Connection, hashed: str, now: datetime
) -> tuple[Device, Technician]:
    found = session.execute(_BY_A_REPLACED_TOKEN, {"hashed": hashed}).one_or_none()
    if found is None:
        raise SignInNeeded("This device is not signed in. Enter a code from dispatch; your work stays on it")
    device, technician = _read(found)
    if device.wipe_ordered_at is not None:
        raise WipeDevice(WIPE)  # a copy of what is to be erased is to be erased too
    if now - found.retired_at > UNDER_WAY:
        raise ReplacedToken(
            "A newer sign-in has replaced this one. Enter a new code from dispatch; your work stays on it",
            subject=str(device.id),
        )
    return device, technician


def admit(database: Database, token: str | None, now: datetime) -> Caller:
    """`caller_of` in a snapshot of its own; see `admitted`."""
    with admitted(database, token, now) as (_, caller):
        return caller


@contextmanager
def admitted(database: Database, token: str | None, now: datetime) -> Iterator[tuple[Session, Caller]]:
    """`caller_of`, and the snapshot it was found in. The use of a replaced token is noted for the office."""
    try:
        with database.read() as session:
            yield session, caller_of(session, token, now)
    except ReplacedToken:
        with database.write() as session:
            _note_reuse(session, token or "", now)
        raise


def _note_reuse(session: Session, token: str, now: datetime) -> None:
    row = session.get(RetiredTokenRow, digest(token), with_for_update=True)
    if row is None or (row.used_at is not None and now - row.used_at < REUSE_NOTED_EVERY):
        return  # whoever hammers with it fills no table
    row.used_at = now
    name = session.get_one(DeviceRow, row.device_id).name
    feed.append(session, [feed.BOARD], "device", row.device_id, "ReplacedTokenUsed", at=now, actor=name)


def turns_over(caller: Caller) -> bool:
    """Whether this contact is the first with the next token."""
    return caller.standing is Standing.ACTIVE and caller.key is Key.NEXT


def is_due(caller: Caller, protocol: int, now: datetime) -> bool:
    """Whether this contact's answer should bring the next token."""
    since = caller.device.token_rotated_at or caller.device.registered_at
    return (
        protocol >= ROTATING_SINCE
        and caller.standing is Standing.ACTIVE
        and caller.key is Key.PRESENT
        and now - since >= TOKEN_AGE_MAX
    )


def token_told(caller: Caller) -> str | None:
    """The next token, if it was told before: the answer may have been lost."""
    salt = caller.device.next_token_salt
    return _following(caller.token, salt) if salt else None


def _following(token: str, salt: str) -> str:
    made = hmac.new(salt.encode(), token.encode(), sha256).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def turn_over(session: Session, device: DeviceRow, token: str, now: datetime) -> None:
    """The next token has been used: from now on it is the present one. `device` is locked by the caller."""
    hashed = digest(token)
    if device.next_token_hash != hashed:
        return  # another request was first
    old = RetiredTokenRow(token_hash=device.token_hash, device_id=device.id, retired_at=now)
    session.add(old)
    device.token_hash, device.next_token_hash, device.next_token_salt = hashed, None, None
    device.token_rotated_at = now
    forgotten = (RetiredTokenRow.device_id == device.id, RetiredTokenRow.retired_at < now - RETIRED_KEPT)
    session.execute(delete(RetiredTokenRow).where(*forgotten))


def next_token(device: DeviceRow, token: str) -> str | None:
    """The token that follows `token`, for the answer. `device` is locked by the caller."""
    if device.token_hash != digest(token):
        return None  # another request was first
    if device.next_token_salt is None:
        device.next_token_salt = entropy(32).hex()
        device.next_token_hash = digest(_following(token, device.next_token_salt))
    return _following(token, device.next_token_salt)
